"""One run trained by two processes: the same numbers as by one, and what kills them ends nothing.

The processes are real ones, started by torchrun.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.training import control, events
from core.training.control import Wanted
from core.training.ranks import Ranks

from .conftest import (
    FULL,
    MODEL,
    Work,
    approve_more,
    draw_easy,
    epochs_of,
    finished,
    new_run,
    notices,
    numbers,
    same_weights,
    story,
    wait_for,
)

# Group norm, and nothing that draws by place: then two processes give the numbers of one.
ALIKE = FULL | {"norm": "group", "dropout": 0.0, "optimizer": "sgd", "schedule": "cosine"}
ALIKE |= {"epochs": 3, "lovasz_epochs": 1, "class_weights": "balanced"}

# Memory that is there for the first process only.
_SCARCE = """
import os, sys, torch
from pathlib import Path
from core.models.network import SegmentationNet
from core.training.worker import work
real = SegmentationNet.forward
def forward(self, x):
    logits = real(self, x)
    if os.environ["RANK"] == "1" and len(x) > 1:
        torch.empty(2**60)
    return logits
SegmentationNet.forward = forward
sys.exit(0 if work(Path(sys.argv[1])) else 1)
"""


@contextlib.contextmanager
def torchrun(run: Path, *program: str, restarts: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Two processes on a run; they are gone at the end."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--max-restarts", str(restarts)]
    with open(run / "worker.log", "ab") as log:
        process = subprocess.Popen(
            [*command, *(program or ("-m", "core.training")), str(run)],
            stdout=log,
            stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()  # it ends those that it started
            process.wait()


def train_by_two(run: Path, *program: str) -> None:
    with torchrun(run, *program) as process:
        assert process.wait(timeout=300) == 0, (run / "worker.log").read_text()


def child_of(process: subprocess.Popen[bytes], rank: int) -> int:
    """The process id of a rank."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            variables = (folder / "environ").read_bytes().split(b"\0")
            if int(parent) == process.pid and f"RANK={rank}".encode() in variables:
                return int(folder.name)
    raise AssertionError(f"no rank {rank}")


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ALIKE that two processes trained."""
    run = new_run(draw_easy(tmp_path_factory.mktemp("two") / "easy"), **ALIKE)
    train_by_two(run)
    return run


def losses(run: Path) -> list[float]:
    return [loss for e in epochs_of(run) for loss in (e.train.loss, e.val.loss)]


def assert_alike(one: Path, other: Path) -> None:
    assert losses(one) == pytest.approx(losses(other), rel=1e-4)
    assert [e.train_images for e in epochs_of(one)] == [e.train_images for e in epochs_of(other)]
    a, b = load_file(one / MODEL), load_file(other / MODEL)
    # The files hold half precision.
    assert all(torch.allclose(v.float(), b[k].float(), atol=2e-3) for k, v in a.items())


def test_two_processes_give_the_numbers_of_one(by_two: Path, easy: Path, work: Work):
    run = new_run(easy, **ALIKE)
    assert work(run)
    assert_alike(by_two, run)
    assert finished(by_two).val.iou == pytest.approx(finished(run).val.iou, abs=1e-2)


def test_only_one_process_writes(by_two: Path):
    kinds = [e.type for e in events.read_events(by_two)[0] if e.type != "step"]
    begun, epoch = ["started", "preview", "checkpoint"], ["epoch", "preview", "checkpoint"]
    assert kinds == [*begun, *epoch * 3, "finished"]
    started = events.read_events(by_two)[0][0]
    assert isinstance(started, events.Started)
    assert started.ranks == 2


def test_a_batch_of_one_image_is_no_batch_for_two_and_still_the_same(tmp_path: Path, work: Work):
    runs = []
    for name in ("one", "two"):
        # Five masks: one of them is validated on, also alone.
        root = draw_easy(tmp_path / name, images=5)
        runs.append(new_run(root, **(ALIKE | {"batch": 1, "epochs": 2, "learning_rate": 1e-3})))
    assert work(runs[0])
    train_by_two(runs[1])
    assert_alike(*runs)


def test_a_killed_process_is_started_again_and_the_numbers_stay(by_two: Path, tmp_path: Path):
    run = new_run(draw_easy(tmp_path / "easy"), **ALIKE)
    with torchrun(run, restarts=3) as process:
        wait_for(lambda: epochs_of(run), process)
        os.kill(child_of(process, rank=1), signal.SIGKILL)
        assert process.wait(timeout=300) == 0, (run / "worker.log").read_text()
    assert any(isinstance(e, events.Resumed) for e in story(run))
    assert numbers(run) == numbers(by_two)
    assert same_weights(run, by_two)


def test_paused_by_two_a_run_is_finished_by_one_with_masks_that_joined(easy: Path, work: Work):
    run = new_run(easy, **(ALIKE | {"epochs": 200}))
    with torchrun(run) as process:
        wait_for(lambda: epochs_of(run), process)
        approve_more(easy, range(4))
        wait_for(lambda: epochs_of(run)[-1].train_images > epochs_of(run)[0].train_images, process)
        control.request(run, Wanted.PAUSE)
        assert process.wait(timeout=120) == 0, (run / "worker.log").read_text()
    assert not control.worker_alive(run)
    control.request(run, Wanted.STOP)
    assert work(run)
    assert finished(run).reason == "stopped"
    (joined,) = (e for e in story(run) if isinstance(e, events.Joined))
    first, last = epochs_of(run)[0], epochs_of(run)[-1]
    assert last.train_images == first.train_images + len(joined.images)


def test_memory_that_runs_out_for_one_process_is_taken_care_of_by_both(
    by_two: Path, tmp_path: Path
):
    run = new_run(draw_easy(tmp_path / "easy"), **(ALIKE | {"batch": 4}))
    program = tmp_path / "scarce.py"
    program.write_text(_SCARCE)
    train_by_two(run, str(program))
    assert notices(run) == ["Memory ran out: batches of 4 are now taken in 2 parts of 2."]
    assert len(epochs_of(run)) == 3


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_every_row_of_a_batch_is_some_processs_and_the_first_is_never_without(n: int, size: int):
    shares = [range(n)[Ranks(rank, size).share(n)] for rank in range(size)]
    assert [row for share in shares for row in share] == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert shares[0] or n == 0
