"""Follows what other programs do in the open folder: images and masks that come, go and change.

The folders' times of change are looked at every few seconds, in a thread. That needs no watch on
each of thousands of folders, works on network disks too, and keeps no disk from being unplugged.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QTimer, Signal

from core.files import file_stamp
from core.project.following import Changes, keeping
from core.project.project import FolderGone, Project
from core.project.reviews import Status
from petseg_gui.log import LOG
from petseg_gui.session import Session
from petseg_gui.tasks import Job, Lane, Task, Tasks

_SOONEST_S = 2.0
_LATEST_S = 60.0
_REST = 50  # times as long as a look took: 2 % of one processor at most


@dataclass(frozen=True)
class _Look:
    """What a look found. stamp: of the open image's file; gone: why the folder is not there."""

    name: str
    seconds: float
    changes: Changes | None = None
    statuses: Mapping[str, Status] = field(default_factory=dict)
    stamp: tuple[int, int] | None = None
    gone: str = ""


class Follower(QObject):
    """Looks at the folder from ``begin`` on, and tells the session what it finds."""

    lost = Signal(str)
    """The folder is not there any more: why. Its images stay listed."""
    found_again = Signal()
    looked = Signal()
    """A look has ended."""

    def __init__(self, tasks: Tasks, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.strays: Collection[str] = frozenset()
        """The images that are listed although their files are gone."""
        self._tasks = tasks
        self._session = session
        self._project: Project | None = None
        self._task: Task | None = None
        self._lost = self._closed = False
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self.look)

    def begin(self, project: Project) -> None:
        """Follow this folder."""
        self.stop()
        if self._closed:
            return
        self._project, self._lost, self.strays = project, False, frozenset()
        self._soon.start(round(_SOONEST_S * 1000))

    def stop(self) -> None:
        """Follow nothing any more."""
        self._soon.stop()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._project = None

    def close(self) -> None:
        """Follow nothing ever again: the window closes."""
        self._closed = True
        self.stop()

    def look(self) -> None:
        """Look now, unless a look is under way."""
        project, session = self._project, self._session
        if project is None or self._task is not None or project is not session.project:
            return
        self._soon.stop()
        kept, name = session.kept, session.name
        self._task = self._tasks.run(
            Lane.FOLLOW,
            lambda job: _look(job, project, kept, name),
            lambda look: self._landed(look, kept),
            self._failed,
        )

    def _landed(self, look: _Look, kept: Set[str]) -> None:
        session = self._session
        changes = look.changes
        if changes is not None and self._project is not None:
            # Another image may have been opened meanwhile.
            changes = keeping(changes, self._project.names, session.kept - kept)
            self.strays = changes.strays
            session.take_changes(changes, look.statuses)
        if look.gone and not self._lost:
            self.lost.emit(look.gone)
        elif self._lost and not look.gone:
            self.found_again.emit()
        self._lost = bool(look.gone)
        if look.name == session.name:
            session.check_photo(look.stamp)
        self._rest(look.seconds)

    def _failed(self, reason: str) -> None:
        LOG.warning("The folder was not looked at: %s", reason)
        self._rest(_LATEST_S)

    def _rest(self, seconds: float) -> None:
        self._task = None
        wait = min(max(_SOONEST_S, _REST * seconds), _LATEST_S)
        self._soon.start(round(wait * 1000))
        self.looked.emit()


class _Cancelled(Exception):
    """Nobody waits for this look any more."""


def _look(job: Job, project: Project, kept: Collection[str], name: str) -> _Look:
    def alive() -> None:
        if job.cancelled:
            raise _Cancelled

    start = time.monotonic()
    stamp = file_stamp(project.image_path(name)) if name else None
    try:
        changes = project.look_around(kept, alive)
    except FolderGone as error:
        return _Look(name, time.monotonic() - start, gone=str(error))
    statuses = {}
    if changes is not None:
        statuses = {name: project.status(name) for name in changes.come}
    return _Look(name, time.monotonic() - start, changes, statuses, stamp)
