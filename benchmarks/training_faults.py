"""What may happen to a training: killed at any step, paused, on a full disk, hanging.

``python -m benchmarks.training_faults [--rounds 30] [--seed 1] [--json FILE]``. A tiny network
trains on drawn animals, on one thread, with everything that could go astray: augmentation, dropout,
OneCycle, masks that join in the first epoch, memory that runs out in the second. Each round kills
its worker with SIGKILL at a random moment after a random step, and lets a new one go on to the end:
every epoch's figures, all weights and the optimizer's state must equal those of the run that nobody
touched. The disk that fills up is a tmpfs: only the superuser sees that row.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import torch

from benchmarks.report import Row, json_argument, report
from core.demo import draw_demo
from core.drawing.animal_photo import draw_animal
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.training import control, events
from core.training.control import Wanted
from core.training.launch import create_run, start_worker
from core.training.plan import plan_training
from core.training.presets import make_config

_EPOCHS, _EPOCH_STEPS = 3, 8
_JOIN_AT, _SCARCE_FROM = 5, 11  # steps
_WAITING = range(20, 23)  # images without a mask until then
_STEP_SECONDS = 0.1  # about as long as a step: the kill comes somewhere in it
_END = "end.ckpt"
_DISK_MB = 8


def main() -> int:
    """Run all, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", nargs=3, metavar=("RUN", "STEP", "DELAY"), help="internal")
    options = parser.parse_args()
    if options.work:
        run, step, delay = options.work
        return _work(Path(run), int(step), float(delay))
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        drawn = Path(scratch) / "drawn"
        for _ in draw_demo(drawn, images=_WAITING.stop, masked=_WAITING.start):
            pass
        whole = _new_run(drawn, Path(scratch) / "whole")
        _worker(whole)
        rows = [
            *_killed(drawn, Path(scratch), whole, options.rounds, Random(options.seed)),
            *_paused(drawn, Path(scratch)),
            *_full_disk(drawn, Path(scratch), whole),
            *_hanging(drawn, Path(scratch)),
        ]
    return report(rows, options.json)


def _killed(drawn: Path, scratch: Path, whole: Path, rounds: int, random: Random) -> Iterator[Row]:
    last = _EPOCHS * _EPOCH_STEPS
    plan = [(random.randint(1, last), random.uniform(0, _STEP_SECONDS)) for _ in range(rounds)]

    def kill_and_go_on(number: int) -> tuple[bool, bool]:
        folder = scratch / f"killed-{number}"
        run = _new_run(drawn, folder)
        killed = _worker(run, *plan[number]) == -signal.SIGKILL
        _worker(run)
        same = _same(run, whole)
        shutil.rmtree(folder)
        return killed, same

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(kill_and_go_on, range(rounds)))
    kills, equal = (sum(found) for found in zip(*done, strict=True))
    yield Row("workers killed with SIGKILL", kills, "", rounds, at_least=True)
    yield Row("different steps at which they were", len({step for step, _ in plan}), "")
    yield Row("equal to the uninterrupted run at the end", equal, "", rounds, at_least=True)


def _paused(drawn: Path, scratch: Path) -> Iterator[Row]:
    run = _new_run(drawn, scratch / "paused", epochs=10_000)
    with _started(run) as process:
        asked = time.monotonic()
        control.request(run, Wanted.PAUSE)
        process.wait()
        yield Row("asked to pause until the process is gone", time.monotonic() - asked, "s", 2)
        before, seconds = _processor_seconds(run), 3.0
        time.sleep(seconds)
        used = 100 * (_processor_seconds(run) - before) / seconds
        yield Row("processor used by a paused run", used, "%", 5)


def _full_disk(drawn: Path, scratch: Path, whole: Path) -> Iterator[Row]:
    disk = scratch / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        print("(no full disk: only the superuser can mount a small one)")
        return
    try:
        run = _new_run(drawn, disk / "photos")
        filler = disk / "filler"
        failed = _worker(run, fill=filler)
        checkpoint = torch.load(run / "last.ckpt", weights_only=True)
        yield Row("full disk: the worker says so and ends", float(failed == 1), "", 1, True)
        yield Row("full disk: step of the checkpoint that is left", checkpoint["step"], "", 0, True)
        filler.unlink()
        _worker(run)
        same = float(_same(run, whole))
        yield Row("full disk: with space again, equal at the end", same, "", 1, True)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _hanging(drawn: Path, scratch: Path) -> Iterator[Row]:
    run = _new_run(drawn, scratch / "hanging", epochs=10_000)
    with _started(run) as process:
        early = control.worker_silent(run)
        stopped = time.monotonic()
        os.kill(process.pid, signal.SIGSTOP)
        while not control.worker_silent(run):
            time.sleep(0.1)
        yield Row("a worker that hangs is noticed after", time.monotonic() - stopped, "s", 31)
        yield Row("a worker that does not is called silent", float(early), "", 0)
        control.kill_worker(run)
        yield Row("killed, it is gone", float(process.wait() == -signal.SIGKILL), "", 1, True)


def _new_run(drawn: Path, folder: Path, **changes: Any) -> Path:
    shutil.copytree(drawn, folder)
    tiny = {"size": 64, "width": 4, "depth": 3, "dropout": 0.1, "threads": 1, "device": "cpu"}
    course = {"epochs": _EPOCHS, "min_steps": _EPOCH_STEPS, "batch": 4, "augment": "full"}
    steps = {"optimizer": "adamw", "schedule": "onecycle", "loss": "bce_dice"}
    config = make_config("baseline", **(tiny | course | steps | changes))
    project = open_project(folder)
    return create_run(project, config, plan_training(project), name="faults")


def _worker(run: Path, step: int = 0, delay: float = 0.0, fill: Path | None = None) -> int:
    """A worker of ``_work`` until its end; its exit code."""
    command = [sys.executable, "-m", "benchmarks.training_faults"]
    command += ["--work", str(run), str(step), str(delay)]
    environment = os.environ | ({"FILL": str(fill)} if fill else {})
    with open(run / "worker.log", "ab") as log:
        done = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False)
    return done.returncode


def _work(run: Path, kill_after: int, delay: float) -> int:
    """In a worker's process: train; masks come, memory goes, maybe it is killed.

    kill_after: the step after which it dies, 0 for none. The environment's FILL names a file
    that takes all of the disk after the same step at which masks come in the second epoch.
    """
    from core.models.network import SegmentationNet
    from core.training import worker

    course: Any = worker
    network: Any = SegmentationNet
    step, finish, forward = course.train_step, course._finish, network.forward
    folder, scarce = run.parents[2], False

    def train_step(state: Any, *rest: Any) -> float:
        nonlocal scarce
        scarce = state.step >= _SCARCE_FROM
        loss: float = step(state, *rest)
        if state.step == _JOIN_AT:
            _approve(folder)
        if state.step == _EPOCH_STEPS + _JOIN_AT and "FILL" in os.environ:
            _fill(Path(os.environ["FILL"]))
        if state.step == kill_after:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return loss

    def little_memory(net: Any, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = forward(net, x)
        if scarce and len(x) > 2:
            torch.empty(2**60)  # what the allocator says then is real
        return logits

    def keep_the_end(*arguments: Any) -> None:
        shutil.copy(run / "last.ckpt", run / _END)
        finish(*arguments)

    course.train_step, course._finish, network.forward = train_step, keep_the_end, little_memory
    done = worker.work(run)
    if kill_after:
        time.sleep(10 * _STEP_SECONDS)  # killed at its very end, then
    return 0 if done else 1


def _approve(folder: Path) -> None:
    project = open_project(folder)
    for seed in _WAITING:
        name = f"animal-{seed + 1:02d}.jpg"
        project.save_mask(name, draw_animal(seed)[1], Review(name, Status.APPROVED))


def _fill(path: Path) -> None:
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


@contextlib.contextmanager
def _started(run: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program's own worker, in its first epochs; gone at the end."""
    process = start_worker(run)
    try:
        while not _epochs(run):
            if process.poll() is not None:
                raise RuntimeError((run / "worker.log").read_text())
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _epochs(run: Path) -> dict[int, tuple[Any, ...]]:
    """Every epoch's figures, but those of time, as they were told last."""
    told = [e for e in events.read_events(run)[0] if isinstance(e, events.Epoch)]
    return {e.epoch: (e.step, e.train, e.val, e.best, e.train_images) for e in told}


def _same(run: Path, whole: Path) -> bool:
    if not (run / _END).exists():
        print((run / "worker.log").read_text(), file=sys.stderr)
        return False
    ends = [torch.load(folder / _END, weights_only=True) for folder in (run, whole)]
    return _epochs(run) == _epochs(whole) and _equal(*ends)


def _equal(one: Any, other: Any) -> bool:
    """Bit for bit, tensors in dictionaries and lists too."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _processor_seconds(run: Path) -> float:
    """What processes with this run in their command line have used so far."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.fsencode(run.name) in (folder / "cmdline").read_bytes():
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
