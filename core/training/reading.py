"""Reading a run folder again and again: of what was read before only what is new is read.

The folder may come from anywhere and hold anything.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import NamedTuple

from core.errors import BadInput
from core.training import events
from core.training.config import RunConfig, read_run_config
from core.training.events import Event, Resumed, Started
from core.training.progress import RunState

_LARGEST = 256 * 2**20  # bytes of events.jsonl: weeks of training
_LARGE = 64 * 2**20  # bytes of any other file
_LONGEST_LINE = 16 * 2**20
_READ = ("config.json", events.FILE_NAME, "control.json", "worker.json")
_STEP = b'"type":"step"'


class _Stamp(NamedTuple):
    """What changes where a file does."""

    inode: int
    size: int
    mtime_ns: int


class _Damaged(Exception):
    """Why a run folder cannot be read."""


class RunReader:
    """What was read of one run, and how far.

    config: None before the first ``look``, and where the folder is damaged. told: what its events
    say, of the steps the newest only; it never changes, but is another after new events. damage:
    why the folder cannot be read, or "".
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._forget()

    def _forget(self) -> None:
        self.config: RunConfig | None = None
        self.told = RunState(self.run)
        self.damage = ""
        self._seen: dict[str, _Stamp] | None = None
        self._state = RunState(self.run)
        self._offset = 0
        self._step: bytes | None = None

    def look(self) -> None:
        """Read what is new."""
        stamps = None
        try:
            stamps = self._stamps()
            if self.damage:
                if stamps == self._seen:
                    return
                self._forget()
            seen, self._seen = self._seen or {}, stamps
            if self.config is None or stamps.get("config.json") != seen.get("config.json"):
                self.config = read_run_config(self.run)
            self._read_events(seen.get(events.FILE_NAME), stamps.get(events.FILE_NAME))
        except (_Damaged, BadInput) as error:
            self._give_up(str(error), stamps)
        except OSError as error:
            self._give_up(f"Cannot read {self.run}: {error.strerror or error}.", stamps)

    def _give_up(self, reason: str, seen: dict[str, _Stamp] | None) -> None:
        """Until another file stands there than those that were seen, if they were."""
        self._forget()
        self._seen, self.damage = seen, reason

    def _stamps(self) -> dict[str, _Stamp]:
        """Of each file that is read: inode, time, size. Raises _Damaged."""
        if self.run.is_symlink():
            raise _Damaged(f"{self.run.name} is a link to another folder.")
        stamps = {}
        for name in _READ:
            try:
                found = (self.run / name).lstat()
            except FileNotFoundError:
                continue
            # A pipe would block, a link lead anywhere.
            if not stat.S_ISREG(found.st_mode):
                raise _Damaged(f"{name} in {self.run.name} is no plain file.")
            limit = _LARGEST if name == events.FILE_NAME else _LARGE
            if found.st_size > limit:
                raise _Damaged(f"{name} is larger than {limit // 2**20} MB.")
            stamps[name] = _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
        return stamps

    def _read_events(self, seen: _Stamp | None, stamp: _Stamp | None) -> None:
        if stamp is None or (seen is not None and stamp.inode != seen.inode):
            self.told = self._state = RunState(self.run)
            self._offset = 0
        if stamp is None or stamp.size == self._offset:
            return
        with open(self.run / events.FILE_NAME, "rb") as file:
            file.seek(self._offset)
            while line := file.readline(_LONGEST_LINE):
                if not line.endswith(b"\n"):
                    if len(line) == _LONGEST_LINE:
                        raise _Damaged(f"{events.FILE_NAME} holds a line that is no event.")
                    break  # torn: it waits until it is whole
                self._offset += len(line)
                self._take(line)
        self._take_step()
        self.told = self._state.copy()

    def _take(self, line: bytes) -> None:
        # Nearly all events are steps: only a worker's last one is looked at.
        if _STEP in line:
            self._step = line
            return
        event = events.parse_event(line)
        if isinstance(event, Started | Resumed):
            self._take_step()
        if event is not None:
            self._learn(event)

    def _take_step(self) -> None:
        line, self._step = self._step, None
        event = events.parse_event(line) if line is not None else None
        if event is not None:
            self._learn(event)

    def _learn(self, event: Event) -> None:
        known = {"", self.run.name, self.config.run if self.config is not None else ""}
        if event.run not in known:
            raise _Damaged(f"{events.FILE_NAME} tells of another run, {event.run[:80]!r}.")
        self._state.take(event)
        del self._state.steps[:-1]
