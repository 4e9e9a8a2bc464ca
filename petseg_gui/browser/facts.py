"""What is known of the images, gathered in the background in small steps."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from PySide6.QtCore import QObject, Signal

from core.errors import BadInput
from core.evaluation.triage import Known
from core.files import file_stamp
from core.project.facts import Facts
from core.project.index import INDEX_NAME, Index
from core.project.project import Project
from core.project.reviews import Status
from core.project.split import Subset
from petseg_gui.heavy import HEAVY
from petseg_gui.log import LOG
from petseg_gui.session import Session
from petseg_gui.tasks import Job, Lane, Task, Tasks

_STEP_S = 0.2
_SOME = 1000  # images at most that a step looks at
_MOST_DIVIDED = 10_000  # images: each time, all of their photos' files are looked at
_RARELY_S = 60.0
_FILES = 50  # that are looked at before the clock is


class _Later(Exception):
    """The rest of it is another step's."""


@dataclass
class _Folder:
    """The folder whose images are measured; its index and stamps are the lane's alone."""

    project: Project
    index: Index
    stamps: dict[str, str] = field(default_factory=dict)
    split_stamp: tuple[int, int] | None = None


@dataclass(frozen=True)
class _Step:
    """What a step found. left: what it did not come to; split: None where it is as it was."""

    facts: dict[str, Facts]
    left: list[str]
    split: Mapping[str, Subset] | None


class FactsKeeper(QObject):
    """Keeps ``known`` up to date."""

    changed = Signal(object)
    """The facts of these images (a list of names) are other ones now."""
    gathered = Signal()
    """All images are measured, for now."""

    def __init__(self, tasks: Tasks, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.known = Known(session.status)
        self._tasks = tasks
        self._folder: _Folder | None = None
        self._changed: dict[str, None] = {}  # comes first: a person may be waiting for it
        self._waiting: deque[str] = deque()
        self._task: Task | None = None
        self._begun = False
        self._gathered = 0.0  # when all were measured
        self._undivided = False  # whether masks may have been approved since they were divided

    @property
    def index(self) -> Index | None:
        """The open folder's index, for work in the lane INDEX."""
        return None if self._folder is None else self._folder.index

    @property
    def gathering(self) -> bool:
        """Whether some images are not measured yet."""
        return self._task is not None or not self._begun

    def set_project(self, project: Project) -> None:
        """Forget all; another folder is open. Nothing is measured before ``begin``."""
        self.close()
        path = project.store / INDEX_NAME if project.writable else None
        self._folder = _Folder(project, Index(path))
        self.known = Known(self.known.status)

    def begin(self) -> None:
        """Measure all images that changed since they were measured last."""
        folder = self._folder
        if folder is None or self._begun:
            return
        self._begun = self._undivided = True
        self._waiting.extend(folder.project.names)
        self._task = self._tasks.run(
            Lane.INDEX,
            lambda job: _recall(job, folder),
            lambda _: self._landed(folder, None),
            lambda reason: self._landed(folder, None),
            lambda facts: self._take(folder, facts),
        )

    def look_again(self, *names: str) -> None:
        """These images' masks or predictions may be other ones."""
        if names and self._begun and self._folder is not None:
            self._changed |= dict.fromkeys(names)
            self._undivided = True
            self._go_on()

    def look_at_all(self) -> None:
        """What masks mean, or who trains, may be different: look at every image again."""
        if self._begun and self._folder is not None:
            self._waiting = deque(self._folder.project.names)
            self._undivided = True
            self._go_on()

    def look_at_some_time(self) -> None:
        """As ``look_at_all``, if that was not done in the last minute: files may have changed."""
        if self._task is None and time.monotonic() - self._gathered > _RARELY_S:
            self.look_at_all()

    def close(self) -> None:
        """Measure nothing more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._folder = None
        self._changed.clear()
        self._waiting.clear()
        self._begun = self._undivided = False

    def _go_on(self) -> None:
        folder = self._folder
        if folder is None or self._task is not None:
            return
        if not (self._changed or self._waiting):
            self._divide(folder)
            return
        some = min(_SOME, len(self._waiting))
        names = [*self._changed, *(self._waiting.popleft() for _ in range(some))]
        self._changed.clear()
        self._task = self._tasks.run(
            Lane.INDEX,
            lambda job: _measure(job, folder, names),
            lambda step: self._landed(folder, step),
            lambda reason: self._landed(folder, None),
        )

    def _divide(self, folder: _Folder) -> None:
        """Work out where masks will be that were approved since the split was written down."""
        if not self._undivided:
            return
        self._undivided = False

        def landed(split: Mapping[str, Subset] | None) -> None:
            if folder is self._folder:
                self._undivided |= split is None
                self._landed(folder, _Step({}, [], split))

        known = self.known.split
        self._task = self._tasks.run(
            Lane.INDEX,
            lambda job: _divide(job, folder.project, known),
            landed,
            lambda reason: self._landed(folder, None),
        )

    def _landed(self, folder: _Folder, step: _Step | None) -> None:
        if folder is not self._folder:
            return
        self._task = None
        if step is not None:
            self._waiting.extendleft(reversed(step.left))
            if step.split is not None:
                self._take_split(step.split)
            self._take(folder, step.facts)
        self._go_on()
        if self._task is None:
            self._gathered = time.monotonic()
            self.gathered.emit()

    def _take(self, folder: _Folder, facts: dict[str, Facts]) -> None:
        if folder is self._folder and facts:
            self.known.facts.update(facts)
            self.changed.emit(list(facts))

    def _take_split(self, split: Mapping[str, Subset]) -> None:
        before, self.known.split = self.known.split, split
        changed = [n for n in {**before, **split} if before.get(n) is not split.get(n)]
        if changed:
            self.changed.emit(changed)


def _recall(job: Job, folder: _Folder) -> None:
    """Report what was measured before, some thousand images at a time."""
    with HEAVY:
        from core.evaluation.measuring import facts_of

    known = set(folder.project.names)
    gone: list[str] = []
    for rows in folder.index.measured():
        job.give_way()
        if job.cancelled:
            return
        here = [row for row in rows if row.name in known]
        gone += [row.name for row in rows if row.name not in known]
        folder.stamps.update((row.name, row.stamp) for row in here)
        job.report({row.name: facts_of(folder.project, row) for row in here})
    if gone:
        folder.index.forget(gone)
    _tell_problem(folder)


def _measure(job: Job, folder: _Folder, names: list[str]) -> _Step:
    """Measure some of these images, those that changed, for a moment."""
    with HEAVY:
        from core.evaluation.measuring import facts_of, measure, stamp_of

    project, end = folder.project, time.monotonic() + _STEP_S
    measured = []
    done = 0
    for done, name in enumerate(names, 1):
        job.give_way()
        stamp = stamp_of(project, name)
        if folder.stamps.get(name) != stamp:
            measured.append(measure(project, name, stamp))
        if job.cancelled or (time.monotonic() > end and (measured or done % _FILES == 0)):
            break
    folder.index.keep(measured)
    folder.stamps.update((one.name, one.stamp) for one in measured)
    _tell_problem(folder)
    split = _split(folder)
    return _Step({m.name: facts_of(project, m) for m in measured}, names[done:], split)


def _divide(job: Job, project: Project, known: Mapping[str, Subset]) -> Mapping[str, Subset] | None:
    """The split with all approved masks in it; None where more photos are to be compared first.

    As it is written down where there are many: whoever trains divides them.
    """
    fresh = [name for name in project.named([Status.APPROVED]) if name not in known]
    if not fresh or len(known) + len(fresh) > _MOST_DIVIDED:
        return known
    end, photos = time.monotonic() + _STEP_S, count()

    def alive() -> None:
        # Some at least: those of the steps before have to be found unchanged first.
        if job.cancelled or (next(photos) > _FILES and time.monotonic() > end):
            raise _Later

    try:
        return project.whole_split(alive)
    except _Later:
        return None  # what was read is remembered
    except BadInput:
        return {}  # whoever trains is told


def _split(folder: _Folder) -> Mapping[str, Subset] | None:
    """The split as it is written down, where it is another one than when it was read last."""
    stamp = file_stamp(folder.project.store / "split.json")
    if stamp == folder.split_stamp:
        return None
    folder.split_stamp = stamp
    try:
        return folder.project.known_split()
    except BadInput:
        return {}  # whoever trains is told


def _tell_problem(folder: _Folder) -> None:
    if folder.index.problem:
        LOG.warning("%s", folder.index.problem)
        folder.index.problem = ""
