"""Runs that wait for their turn: one trains at a time in a project."""

from __future__ import annotations

import subprocess
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import BadInput
from core.files import WriteError
from core.training import control
from core.training.control import AlreadyRunning, Wanted
from core.training.launch import start_worker
from core.training.runs import State, list_runs, read_run

_LOCK = "queue.lock"
_LONGEST_WAIT = 10.0  # seconds: whoever holds the lock is just starting a worker


def enqueue(run: Path) -> None:
    """Let a run wait for its turn: a new one, or one that was paused, interrupted or has failed.

    Raises AlreadyRunning (a worker has it), BadInput (it is over, or damaged), WriteError.
    """
    info = read_run(run)
    if info.live:
        raise AlreadyRunning(f"{info.name} is being trained already.")
    if info.state is State.DAMAGED:
        raise BadInput(f"{info.folder.name} cannot be queued. {info.problem}")
    if not info.resumable:
        raise BadInput(f"{info.name} is over: start a new training from its model.")
    if info.state is not State.QUEUED:  # who waits keeps its place
        control.request(run, Wanted.QUEUE)


def unqueue(run: Path) -> None:
    """Take a run out of the queue: it is paused then. Raises BadInput, WriteError."""
    if control.read_request(run)[0] is Wanted.QUEUE:
        control.request(run, Wanted.PAUSE)


def waiting(runs: Path) -> list[Path]:
    """The runs in a folder that wait, those first that have waited longest."""
    queued = [info for info in list_runs(runs) if info.state is State.QUEUED]
    return [info.folder for info in sorted(queued, key=lambda i: (i.queued, i.folder.name))]


def busy(runs: Path) -> Path | None:
    """The run in a folder that a worker has now, whoever started it."""
    folders = sorted(runs.iterdir()) if runs.is_dir() else []
    return next((run for run in folders if control.worker_alive(run)), None)


def start_next(runs: Path) -> tuple[Path, subprocess.Popen[bytes]] | None:
    """Start the worker of the run that has waited longest; None where one works or none waits.

    Windows and command lines may ask at the same time: one of them starts it. Raises BadInput,
    WriteError.
    """
    if not runs.is_dir():
        return None
    try:
        with FileLock(runs / _LOCK).acquire(timeout=_LONGEST_WAIT):
            queue = waiting(runs)
            if not queue or busy(runs) is not None:
                return None
            return queue[0], start_worker(queue[0])
    except Timeout:
        return None  # another program is at it
    except OSError as error:
        raise WriteError(f"Cannot write to {runs}: {error.strerror or error}.") from error
