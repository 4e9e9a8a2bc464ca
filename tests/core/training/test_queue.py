"""Runs that wait: in which order they start, and that only one trains at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import BadInput
from core.training import control, events
from core.training.control import AlreadyRunning, Wanted
from core.training.queue import busy, enqueue, start_next, unqueue, waiting
from core.training.runs import State, read_run

from .told import WHOLE, epoch, made_run, started, tell

MakeProject = Callable[..., Path]


@pytest.fixture
def runs(make_project: MakeProject) -> list[Path]:
    """Four runs of one project; their names are not in the order of their making."""
    root = make_project(4)
    return [made_run(root).rename(root / ".petseg" / "runs" / name) for name in "cadb"]


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that are ended with the test."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def queue_up(runs: list[Path]) -> None:
    for i, run in enumerate(runs):
        enqueue(run)
        os.utime(run / "control.json", (1000 + i, 1000 + i))


def test_runs_wait_in_the_order_in_which_they_were_queued(runs: list[Path]):
    folder = runs[0].parent
    assert waiting(folder) == []
    queue_up(runs)
    assert waiting(folder) == runs
    enqueue(runs[0])
    assert waiting(folder) == runs, "who asks again keeps its place"
    unqueue(runs[1])
    assert waiting(folder) == [runs[0], runs[2], runs[3]]
    assert read_run(runs[1]).state is State.PAUSED
    enqueue(runs[1])
    assert waiting(folder) == [runs[0], runs[2], runs[3], runs[1]]


def test_taking_a_run_out_that_does_not_wait_changes_nothing(runs: list[Path]):
    unqueue(runs[0])
    assert not (runs[0] / "control.json").exists()


def test_the_oldest_starts_and_the_next_only_when_it_is_over(
    runs: list[Path], workers: list[subprocess.Popen[bytes]]
):
    folder = runs[0].parent
    queue_up(runs)
    first = start_next(folder)
    assert first is not None
    run, worker = first
    workers.append(worker)
    assert run == runs[0]
    # It counts from its start on, long before it has loaded its libraries.
    assert busy(folder) == run
    assert read_run(run).state is State.TRAINING
    assert start_next(folder) is None
    with pytest.raises(AlreadyRunning, match="trained already"):
        enqueue(run)
    worker.kill()
    worker.wait()
    assert busy(folder) is None
    second = start_next(folder)
    assert second is not None
    workers.append(second[1])
    assert second[0] == runs[1]
    assert waiting(folder) == runs[2:]


def test_with_nothing_to_start_nothing_starts(runs: list[Path], tmp_path: Path):
    assert start_next(runs[0].parent) is None
    assert start_next(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()


_STARTER = """
import pathlib, sys
from core.training.queue import start_next
runs = pathlib.Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
started = start_next(runs)
print(started[0].name if started else "none", flush=True)
sys.stdin.read()
"""


def test_of_programs_that_start_at_once_only_one_starts_a_run(runs: list[Path]):
    folder = runs[0].parent
    queue_up(runs)
    words = [sys.executable, "-c", _STARTER, str(folder)]
    programs = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        for program in programs:
            assert program.stdout.readline() == "ready\n"
        for program in programs:
            program.stdin.write("\n")
            program.stdin.flush()
        said = sorted(program.stdout.readline().strip() for program in programs)
        assert said == ["c", "none", "none"]
    finally:
        control.kill_worker(folder / "c")
        for program in programs:
            program.kill()
            program.communicate()


@pytest.mark.parametrize("how", ["paused", "failed", "interrupted"])
def test_a_run_that_stands_still_can_wait_for_going_on(runs: list[Path], how: str):
    tell(runs[0], [started(), epoch(1)])
    if how == "paused":
        control.request(runs[0], Wanted.PAUSE)
    elif how == "failed":
        tell(runs[0], [events.Failed(reason="full disk")])
    enqueue(runs[0])
    assert waiting(runs[0].parent) == [runs[0]]


def test_what_cannot_train_any_more_cannot_wait(runs: list[Path]):
    tell(runs[0], WHOLE)
    with pytest.raises(BadInput, match="is over"):
        enqueue(runs[0])
    (runs[1] / "config.json").write_text("{")
    with pytest.raises(BadInput, match=r"config\.json"):
        enqueue(runs[1])
    with pytest.raises(BadInput, match="not a run folder"):
        enqueue(runs[0].parent / "gone")
    assert waiting(runs[0].parent) == []
