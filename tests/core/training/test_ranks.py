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
    joined,
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

# Three runs, one after the other, since to start two processes takes longer than to train them.
_SEVERAL = """
import os, sys, torch
from contextlib import nullcontext
from pathlib import Path
from core.models.network import SegmentationNet
from core.training import worker
from core.training.ranks import joined_ranks

real, scarce = SegmentationNet.forward, False

def forward(self, x):
    logits = real(self, x)
    if scarce and os.environ["RANK"] == "1" and len(x) > 1:
        torch.empty(2**60)  # memory is there for the first process only
    return logits

SegmentationNet.forward = forward
with joined_ranks() as ranks:
    worker.joined_ranks = lambda: nullcontext(ranks)
    for run in sys.argv[1:]:
        scarce = "scarce" in run
        if not worker.work(Path(run)):
            sys.exit(1)
"""
RUNS = {
    "alike": ALIKE,
    "single": ALIKE | {"batch": 1, "epochs": 2, "learning_rate": 1e-3},
    "scarce": ALIKE | {"batch": 4},
}


@contextlib.contextmanager
def torchrun(log: Path, *program: object, restarts: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Two processes of a program; they are gone at the end."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--max-restarts", str(restarts)]
    with open(log, "ab") as words:
        process = subprocess.Popen(
            [*command, *map(str, program)],
            stdout=words,
            stderr=words,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()  # it ends those that it started
            process.wait()


def child_of(process: subprocess.Popen[bytes], rank: int) -> int:
    """The process id of a rank."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            variables = (folder / "environ").read_bytes().split(b"\0")
            if int(parent) == process.pid and f"RANK={rank}".encode() in variables:
                return int(folder.name)
    raise AssertionError(f"no rank {rank}")


def run_of(folder: Path, name: str) -> Path:
    # Five masks: one of them is validated on, also alone.
    return new_run(draw_easy(folder / name, images=5 if name == "single" else 8), **RUNS[name])


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The runs of RUNS, trained by two processes."""
    folder = tmp_path_factory.mktemp("two")
    runs = {name: run_of(folder, name) for name in RUNS}
    program, log = folder / "program.py", folder / "log"
    program.write_text(_SEVERAL)
    with torchrun(log, program, *runs.values()) as process:
        assert process.wait(timeout=300) == 0, log.read_text()
    return runs


def losses(run: Path) -> list[float]:
    return [loss for e in epochs_of(run) for loss in (e.train.loss, e.val.loss)]


def assert_alike(one: Path, other: Path) -> None:
    assert losses(one) == pytest.approx(losses(other), rel=1e-4)
    assert [e.train_images for e in epochs_of(one)] == [e.train_images for e in epochs_of(other)]
    a, b = load_file(one / MODEL), load_file(other / MODEL)
    # The files hold half precision.
    assert all(torch.allclose(v.float(), b[k].float(), atol=2e-3) for k, v in a.items())


@pytest.mark.parametrize("name", ["alike", "single"])
def test_two_processes_give_the_numbers_of_one(
    by_two: dict[str, Path], tmp_path: Path, work: Work, name: str
):
    """Also of batches of one image, which are no batch for two."""
    run = run_of(tmp_path, name)
    assert work(run)
    assert_alike(by_two[name], run)
    assert finished(by_two[name]).val.iou == pytest.approx(finished(run).val.iou, abs=1e-2)


def test_only_one_process_writes(by_two: dict[str, Path]):
    told = events.read_events(by_two["alike"])[0]
    kinds = [e.type for e in told if e.type != "step"]
    begun, epoch = ["started", "preview", "checkpoint"], ["epoch", "preview", "checkpoint"]
    assert kinds == [*begun, *epoch * 3, "finished"]
    assert isinstance(told[0], events.Started)
    assert told[0].ranks == 2


def test_memory_that_runs_out_for_one_process_is_taken_care_of_by_both(by_two: dict[str, Path]):
    run = by_two["scarce"]
    assert notices(run) == ["Memory ran out: batches of 4 are now taken in 2 parts of 2."]
    assert len(epochs_of(run)) == 3


def test_a_killed_process_is_started_again_and_the_numbers_stay(
    by_two: dict[str, Path], tmp_path: Path
):
    run, log = run_of(tmp_path, "alike"), tmp_path / "log"
    with torchrun(log, "-m", "core.training", run, restarts=3) as process:
        wait_for(lambda: epochs_of(run), process)
        os.kill(child_of(process, rank=1), signal.SIGKILL)
        assert process.wait(timeout=600) == 0, log.read_text()
    assert any(isinstance(e, events.Resumed) for e in story(run))
    assert numbers(run) == numbers(by_two["alike"])
    assert same_weights(run, by_two["alike"])


def test_paused_by_two_a_run_is_finished_by_one_with_masks_that_joined(easy: Path, work: Work):
    run, log = new_run(easy, **(ALIKE | {"epochs": 200})), easy / "log"
    with torchrun(log, "-m", "core.training", run) as process:
        wait_for(lambda: epochs_of(run), process)
        approve_more(easy, range(4))
        wait_for(lambda: epochs_of(run)[-1].train_images > epochs_of(run)[0].train_images, process)
        control.request(run, Wanted.PAUSE)
        assert process.wait(timeout=120) == 0, log.read_text()
    assert not control.worker_alive(run)
    control.request(run, Wanted.STOP)
    assert work(run)
    assert finished(run).reason == "stopped"
    told = epochs_of(run)
    assert told[-1].train_images > told[0].train_images
    for epoch in told:
        new = sum(len(names) for since, names in joined(run) if since <= epoch.epoch)
        assert epoch.train_images == told[0].train_images + new


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_every_row_of_a_batch_is_some_processs_and_the_first_is_never_without(n: int, size: int):
    shares = [range(n)[Ranks(rank, size).share(n)] for rank in range(size)]
    assert [row for share in shares for row in share] == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert shares[0] or n == 0
