"""One window a folder: the first may change it, others look on and are told who has it."""

from __future__ import annotations

import errno
import os
import platform
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from core.errors import BadInput, PetSegError
from core.files import WriteError, read_json, write_json

_LOCK_FILE = "window.lock"
_HOLDER_FILE = "window.json"
_LONGEST = 1 << 16  # bytes of the holder's file
_TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)

# The system's own lock, which ends with its process. The filelock package does the same, but its
# import (asyncio comes along) would delay the first photo by 40 ms.
if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True)
class Holder:
    """Who has a folder open. since: local time, ISO 8601; "" and 0 where it is not known."""

    user: str = ""
    host: str = ""
    pid: int = 0
    since: str = ""

    def __str__(self) -> str:
        who = f"{self.user} on {self.host}" if self.user and self.host else "Another window"
        return f"{who} (process {self.pid}, since {self.since})" if self.pid and self.since else who


class FolderTaken(PetSegError):
    """Another window has the folder."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(f"{holder} has this folder open.")
        self.holder = holder


class WindowLock:
    """The lock on a project's store, until it is released or its process ends."""

    def __init__(self, store: Path, descriptor: int) -> None:
        self.store = store
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let another window have the folder."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # The lock itself is what counts; the folder may be gone by now.
            with suppress(OSError):
                (self.store / _HOLDER_FILE).unlink(missing_ok=True)
            os.close(descriptor)


def take(store: Path) -> WindowLock:
    """Make this process the one whose window may change a project.

    Raises FolderTaken (with who has it), WriteError (read-only, or a disk that has no locks).
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(store / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise WriteError(f"Cannot lock {store}: {error.strerror or error}.") from error
    try:
        _lock(descriptor)
        write_json(store / _HOLDER_FILE, asdict(_this_process()))
    except OSError as error:
        os.close(descriptor)
        if error.errno not in _TAKEN:
            raise WriteError(f"Cannot lock {store}: {error.strerror or error}.") from error
        raise FolderTaken(_read_holder(store)) from error
    except WriteError:
        os.close(descriptor)
        raise
    return WindowLock(store, descriptor)


def _this_process() -> Holder:
    user = os.environ.get("USER") or os.environ.get("USERNAME", "")
    since = datetime.now().isoformat(sep=" ", timespec="minutes")
    return Holder(user, platform.node(), os.getpid(), since)


def _read_holder(store: Path) -> Holder:
    try:
        raw = read_json(store / _HOLDER_FILE, _LONGEST)
        user, host, since = (str(raw[key])[:60] for key in ("user", "host", "since"))
        return Holder(user, host, int(raw["pid"]), since)
    except (BadInput, KeyError, TypeError, ValueError, OverflowError):
        return Holder()  # just being written, or damaged: the lock itself is what counts
