"""The runs of a project: what is known of each, and how one is renamed or deleted.

A run folder may come from anywhere and hold anything: what is damaged is listed as such and hurts
no other.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from core import files
from core.errors import BadInput
from core.inference.catalogue import RUN_MODEL
from core.modelfile import onnx_path, renamed
from core.project.project import Project
from core.training import control, events
from core.training.config import RunConfig, Sample, read_run_config
from core.training.control import AlreadyRunning, Wanted
from core.training.events import Epoch, Event, Resumed, Started
from core.training.progress import RunState

LONGEST_NAME = 200
_LARGEST = 256 * 2**20  # bytes of events.jsonl: weeks of training
_LARGE = 64 * 2**20  # bytes of any other file
_LONGEST_LINE = 16 * 2**20
_READ = ("config.json", events.FILE_NAME, "control.json", "worker.json")
_STEP = b'"type":"step"'
_DELETED = ".deleted-"


class State(StrEnum):
    """How a run stands."""

    QUEUED = "queued"
    TRAINING = "training"
    SILENT = "silent"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    DISCARDED = "discarded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class RunInfo:
    """A run as it stood when it was looked at.

    config: None only where the folder is damaged. progress: holds all but the steps, of which it
    has the newest only. created, queued: seconds since the epoch (queued 0.0 where it does not
    wait). seconds: trained, without pauses. model: the best model's file, where there is one;
    model_bytes: with its ONNX twin. problem: why it failed or is damaged, or "".
    """

    folder: Path
    state: State
    config: RunConfig | None
    progress: RunState
    created: float = 0.0
    queued: float = 0.0
    model: Path | None = None
    model_bytes: int = 0
    problem: str = ""

    @property
    def name(self) -> str:
        """The run's name, fit to be shown."""
        name = self.config.name if self.config is not None else self.folder.name
        return "".join(c if c.isprintable() else " " for c in name[:LONGEST_NAME])

    @property
    def seconds(self) -> float:
        return self.progress.seconds

    @property
    def best(self) -> Epoch | None:
        return self.progress.best

    @property
    def live(self) -> bool:
        """Whether a worker has it now."""
        return self.state in (State.TRAINING, State.SILENT)

    @property
    def resumable(self) -> bool:
        """Whether a worker could take it up again."""
        return self.state in (State.PAUSED, State.INTERRUPTED, State.FAILED, State.QUEUED)


@dataclass(frozen=True)
class UsedMask:
    """A mask that a run used: its image's folder and name."""

    folder: str
    image: str


@dataclass(frozen=True)
class MasksOf:
    """What a run learnt from, masks that joined included, and what it was checked on."""

    train: tuple[UsedMask, ...]
    val: tuple[UsedMask, ...]


def list_runs(runs: Path) -> list[RunInfo]:
    """The runs in a folder, newest first. Raises OSError where the folder cannot be listed."""
    return RunShelf(runs).read()


def read_run(run: Path) -> RunInfo:
    """One run. A folder that is none, or not there, is a damaged one."""
    return _Book(run).look()


class RunShelf:
    """A folder's runs, read again and again: of what was read before only what is new is read.

    Not to be used by two threads at once.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._books: dict[str, _Book] = {}

    def read(self) -> list[RunInfo]:
        """As ``list_runs``."""
        names = _run_names(self._runs)
        self._books = {n: self._books.get(n) or _Book(self._runs / n) for n in names}
        infos = [book.look() for book in self._books.values()]
        return sorted(infos, key=lambda i: (i.created, i.folder.name), reverse=True)


def masks_of(info: RunInfo) -> MasksOf:
    """Which masks a run was given; nothing of a damaged one."""
    config = info.config
    if config is None:
        return MasksOf((), ())

    def used(samples: Sequence[Sample]) -> list[UsedMask]:
        known = range(len(config.sources))
        there = [s for s in samples if s.source in known]
        return [UsedMask(config.sources[s.source].folder, s.image) for s in there]

    joined = [Sample(source=0, image=n) for event in info.progress.joined for n in event.images]
    train = dict.fromkeys([*used(config.train_samples), *used(joined)])
    return MasksOf(tuple(train), tuple(used(config.val_samples)))


def rename_run(run: Path, name: str) -> None:
    """Give a run and its model another name.

    Raises BadInput (no name, or a damaged run), AlreadyRunning (a worker has it), WriteError.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"A training's name has 1 to {LONGEST_NAME} printable characters.")
    if control.worker_alive(run):
        raise AlreadyRunning(f"{run.name} is being trained: rename it when it is over.")
    config = read_run_config(run).model_copy(update={"name": name})
    text = json.dumps(config.model_dump(mode="json"), indent=2) + "\n"
    contents = {run / "config.json": text.encode()}
    model = run / RUN_MODEL
    if model.exists():
        contents[model] = renamed(model, name)
    files.write_together(contents)


def delete_run(project: Project, run: Path, *, even_chosen: bool = False) -> None:
    """Delete a run of the project with everything in it.

    A crash leaves the run whole or gone. Raises BadInput (none of the project's runs; a worker has
    it; its model is the one that segments, unless ``even_chosen``), WriteError.
    """
    runs = project.runs
    if run.parent.resolve() != runs.resolve() or run.name not in _run_names(runs):
        raise BadInput(f"{run} is none of the trainings in {runs}; nothing was deleted.")
    chosen = project.store / project.settings.model
    if chosen.parent.resolve() == run.resolve() and not even_chosen:
        raise BadInput(f"The model of {run.name} is the one that segments: choose another first.")
    try:
        if run.is_symlink():
            run.unlink()  # the link alone: what it leads to is none of ours
            return
        if control.worker_alive(run):
            raise BadInput(f"{run.name} is being trained: stop it first.")
        run.rename(runs / f"{_DELETED}{uuid.uuid4().hex}")
    except OSError as error:
        raise files.WriteError(f"Cannot delete {run}: {error.strerror or error}.") from error
    for left in runs.glob(f"{_DELETED}*"):  # this one's, and what a crash left
        shutil.rmtree(left, ignore_errors=True)


def _run_names(runs: Path) -> list[str]:
    if not runs.is_dir():
        return []
    with os.scandir(runs) as entries:
        return [e.name for e in entries if not e.name.startswith(".") and e.is_dir()]


class _Stamp(NamedTuple):
    """What changes where a file does."""

    inode: int
    size: int
    mtime_ns: int


class _Damaged(Exception):
    """Why a run folder cannot be read."""


class _Book:
    """What was read of one run, and how far."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._forget()

    def _forget(self) -> None:
        self._seen: dict[str, _Stamp] = {}
        self._config: RunConfig | None = None
        self._state = RunState(self._run)
        self._told = self._state
        self._offset = 0
        self._step: bytes | None = None
        self._damage = ""

    def look(self) -> RunInfo:
        """Read what is new."""
        try:
            stamps = self._stamps()
            if stamps != self._seen or not self._damage:
                if self._damage:
                    self._forget()
                self._read(stamps)
        except _Damaged as error:
            self._forget()
            self._damage = str(error)
        if self._config is None or self._damage:
            return self._damaged()
        return self._info(self._config)

    def _read(self, stamps: dict[str, _Stamp]) -> None:
        seen, self._seen = self._seen, stamps
        try:
            if self._config is None or stamps.get("config.json") != seen.get("config.json"):
                self._config = read_run_config(self._run)
            self._read_events(seen.get(events.FILE_NAME), stamps.get(events.FILE_NAME))
        except (_Damaged, BadInput) as error:
            self._damage = str(error)
        except OSError as error:
            self._damage = f"Cannot read {self._run}: {error.strerror or error}."

    def _stamps(self) -> dict[str, _Stamp]:
        """Of each file that is read: inode, time, size. Raises _Damaged."""
        if self._run.is_symlink():
            raise _Damaged(f"{self._run.name} is a link to another folder.")
        stamps = {}
        for name in _READ:
            try:
                found = (self._run / name).lstat()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _Damaged(f"Cannot read {self._run}: {error.strerror or error}.") from error
            # A pipe would block, a link lead anywhere.
            if not stat.S_ISREG(found.st_mode):
                raise _Damaged(f"{name} in {self._run.name} is no plain file.")
            limit = _LARGEST if name == events.FILE_NAME else _LARGE
            if found.st_size > limit:
                raise _Damaged(f"{name} is larger than {limit // 2**20} MB.")
            stamps[name] = _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
        return stamps

    def _read_events(self, seen: _Stamp | None, stamp: _Stamp | None) -> None:
        if stamp is None or (seen is not None and stamp.inode != seen.inode):
            self._state, self._offset = RunState(self._run), 0
            self._told = self._state
        if stamp is None or stamp.size == self._offset:
            return
        with open(self._run / events.FILE_NAME, "rb") as file:
            file.seek(self._offset)
            while line := file.readline(_LONGEST_LINE):
                if not line.endswith(b"\n"):
                    if len(line) == _LONGEST_LINE:
                        raise _Damaged(f"{events.FILE_NAME} holds a line that is no event.")
                    break  # torn: it waits until it is whole
                self._offset += len(line)
                self._take(line)
        self._take_step()
        self._told = self._state.copy()

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
        known = {"", self._run.name, self._config.run if self._config is not None else ""}
        if event.run not in known:
            raise _Damaged(f"{events.FILE_NAME} tells of another run, {event.run[:80]!r}.")
        self._state.take(event)
        del self._state.steps[:-1]

    def _damaged(self) -> RunInfo:
        return RunInfo(
            self._run,
            State.DAMAGED,
            None,
            RunState(self._run),
            created=_changed(self._run),
            problem=self._damage,
        )

    def _info(self, config: RunConfig) -> RunInfo:
        state = self._standing()
        model = _plain(self._told.model or self._run / RUN_MODEL)
        if state is State.DISCARDED or self._told.best is None:
            model = None
        sizes = [p.lstat().st_size for p in (model, onnx_path(model)) if _plain(p)] if model else []
        return RunInfo(
            folder=self._run,
            state=state,
            config=config,
            progress=self._told,
            created=_timestamp(config.created) or _changed(self._run),
            queued=_changed(self._run / "control.json") if state is State.QUEUED else 0.0,
            model=model,
            model_bytes=sum(sizes),
            problem=self._problem(state),
        )

    def _standing(self) -> State:
        told = self._told
        if told.finished is not None:
            ends = {"stopped": State.STOPPED, "discarded": State.DISCARDED}
            return ends.get(told.finished.reason, State.DONE)
        if control.worker_alive(self._run):
            return State.SILENT if control.worker_silent(self._run) else State.TRAINING
        wanted = _wanted(self._run)
        if wanted is Wanted.QUEUE:
            return State.QUEUED
        if told.failed is not None:
            return State.FAILED
        return State.PAUSED if told.paused or wanted is Wanted.PAUSE else State.INTERRUPTED

    def _problem(self, state: State) -> str:
        if state is State.FAILED and self._told.failed is not None:
            return self._told.failed.reason
        if state is State.INTERRUPTED:
            return "Its process ended before it was done: resume the training."
        return ""


def _wanted(run: Path) -> Wanted:
    try:
        return control.read_request(run)[0]
    except BadInput:
        return Wanted.RUN


def _plain(path: Path | None) -> Path | None:
    try:
        return path if path is not None and stat.S_ISREG(path.lstat().st_mode) else None
    except OSError:
        return None


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _timestamp(created: str) -> float:
    try:
        return datetime.fromisoformat(created).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
