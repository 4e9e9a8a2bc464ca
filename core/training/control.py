"""control.json (the wanted state) and worker.json (who works on a run)."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import BadInput, PetSegError
from core.files import read_json, write_json

SILENCE = 30.0
"""Seconds; a worker that lives says so every five."""


class Wanted(StrEnum):
    """What a person wants of a run. ``queue``: it waits for its turn, no worker has it."""

    QUEUE = "queue"
    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"
    DISCARD = "discard"


class AlreadyRunning(PetSegError):
    """Another worker has this run."""


def request(run: Path, wanted: Wanted) -> int:
    """Write the wanted state; returns the counter that is answered. Raises WriteError."""
    counter = read_request(run)[1] + 1
    write_json(run / "control.json", {"wanted": wanted, "counter": counter})
    return counter


def read_request(run: Path) -> tuple[Wanted, int]:
    """The wanted state and its counter; (run, 0) where nobody asked for anything."""
    path = run / "control.json"
    if not path.exists():
        return Wanted.RUN, 0
    raw = read_json(path)
    try:
        return Wanted(raw["wanted"]), int(raw["counter"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is damaged.") from error


def worker_alive(run: Path) -> bool:
    """Whether a worker process has this run now."""
    return _worker(run) is not None


def worker_silent(run: Path, seconds: float = SILENCE) -> bool:
    """Whether a live worker has not said for so long that it lives: it hangs, or is stopped."""
    try:
        touched = (run / "worker.json").stat().st_mtime
    except OSError:
        return False
    return time.time() - touched > seconds and worker_alive(run)


def kill_worker(run: Path) -> bool:
    """End a worker that hangs; its run can go on from its checkpoint. Whether there was one."""
    pid = _worker(run)
    if pid is None:
        return False
    try:
        # Windows knows one way to end a process only.
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    except ProcessLookupError:
        return False
    return True


@contextmanager
def taken(run: Path) -> Iterator[None]:
    """Make this process the run's only worker. Raises AlreadyRunning, WriteError."""
    try:
        lock = FileLock(run / "worker.lock").acquire(timeout=0)
    except Timeout as error:
        raise AlreadyRunning(f"{run.name} is being trained by another process.") from error
    with lock:
        write_json(run / "worker.json", {"pid": os.getpid()})
        try:
            yield
        finally:
            (run / "worker.json").unlink(missing_ok=True)


def touch(run: Path) -> None:
    """Say that the worker lives."""
    os.utime(run / "worker.json")


def _worker(run: Path) -> int | None:
    """The process id of the run's worker, where one lives."""
    try:
        pid = int(json.loads((run / "worker.json").read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return pid if pid > 0 and _alive(pid, run) else None


def _alive(pid: int, run: Path) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    # After a restart of the machine the number may be another process's.
    command = Path(f"/proc/{pid}/cmdline")
    try:
        words = command.read_bytes()
    except OSError:
        return True  # no /proc here
    return b"core.training" in words and os.fsencode(run.name) in words
