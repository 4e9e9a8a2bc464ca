"""The runs of a project, and how each stands.

A run folder may come from anywhere and hold anything: what is damaged is listed as such and hurts
no other.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.errors import BadInput
from core.inference.catalogue import RUN_MODEL
from core.modelfile import onnx_path
from core.training import control
from core.training.config import RunConfig, Sample
from core.training.control import Wanted
from core.training.events import Epoch
from core.training.progress import RunState
from core.training.reading import RunReader

LONGEST_NAME = 200


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
    return _info(RunReader(run))


class RunShelf:
    """A folder's runs, read again and again: of what was read before only what is new is read.

    Not to be used by two threads at once.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._readers: dict[str, RunReader] = {}

    def read(self) -> list[RunInfo]:
        """As ``list_runs``."""
        names = run_names(self._runs)
        self._readers = {n: self._readers.get(n) or RunReader(self._runs / n) for n in names}
        infos = [_info(reader) for reader in self._readers.values()]
        return sorted(infos, key=lambda i: (i.created, i.folder.name), reverse=True)


def masks_of(info: RunInfo) -> MasksOf:
    """Which masks a run was given; nothing of a damaged one."""
    config = info.config
    if config is None:
        return MasksOf((), ())

    def used(samples: Sequence[Sample]) -> list[UsedMask]:
        return [UsedMask(config.sources[s.source].folder, s.image) for s in samples]

    joined = [Sample(source=0, image=n) for event in info.progress.joined for n in event.images]
    train = dict.fromkeys([*used(config.train_samples), *used(joined)])
    return MasksOf(tuple(train), tuple(used(config.val_samples)))


def run_names(runs: Path) -> list[str]:
    """The folders in a folder of runs, hidden ones left out. Raises OSError."""
    if not runs.is_dir():
        return []
    with os.scandir(runs) as entries:
        return [e.name for e in entries if not e.name.startswith(".") and e.is_dir()]


def _info(reader: RunReader) -> RunInfo:
    """What has become known of a run, and how it stands now."""
    run = reader.run
    # First whether it lives, then what it says: so its last words are never missed.
    alive = control.worker_alive(run)
    reader.look()
    told, config = reader.told, reader.config
    if config is None:
        created, damage = _changed(run), reader.damage
        return RunInfo(run, State.DAMAGED, None, told, created=created, problem=damage)
    state = _standing(run, told, alive)
    model = run / RUN_MODEL
    kept = state is not State.DISCARDED and told.best is not None and _size(model) is not None
    return RunInfo(
        folder=run,
        state=state,
        config=config,
        progress=told,
        created=_timestamp(config.created),
        queued=_changed(run / "control.json") if state is State.QUEUED else 0.0,
        model=model if kept else None,
        model_bytes=sum(_size(p) or 0 for p in (model, onnx_path(model))) if kept else 0,
        problem=_problem(state, told),
    )


def _standing(run: Path, told: RunState, alive: bool) -> State:
    if told.finished is not None:
        ends = {"stopped": State.STOPPED, "discarded": State.DISCARDED}
        return ends.get(told.finished.reason, State.DONE)
    if alive:
        return State.SILENT if control.worker_silent(run) else State.TRAINING
    wanted = _wanted(run)
    if wanted is Wanted.QUEUE:
        return State.QUEUED
    if told.failed is not None:
        return State.FAILED
    return State.PAUSED if told.paused or wanted is Wanted.PAUSE else State.INTERRUPTED


def _problem(state: State, told: RunState) -> str:
    if state is State.FAILED and told.failed is not None:
        return told.failed.reason
    if state is State.INTERRUPTED:
        return "Its process ended before it was done: resume the training."
    return ""


def _wanted(run: Path) -> Wanted:
    try:
        return control.read_request(run)[0]
    except BadInput:
        return Wanted.RUN


def _size(path: Path) -> int | None:
    """A plain file's bytes, None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _timestamp(created: str) -> float:
    try:
        return datetime.fromisoformat(created).timestamp()
    except (OverflowError, OSError):  # in the year 1
        return 0.0
