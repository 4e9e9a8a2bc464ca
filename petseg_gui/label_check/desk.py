"""The check of the open folder's masks: runs it in a child process, keeps its review queue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.errors import PetSegError
from core.project.project import Project
from petseg_gui.child import Child
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.label_check.findings import Finding


@dataclass(frozen=True)
class Entry:
    """A mask of the review queue. changed: it is another one now than the one that was judged."""

    finding: Finding
    changed: bool = False

    @property
    def image(self) -> str:
        return self.finding.image


@dataclass(frozen=True)
class Looked:
    """What lies on the disk: the last check (None: none yet), whether it is done, its queue.

    right: how many masks were said to be right. start: what networks begin from unless told.
    doubt: why there is no queue though masks were judged, "" where there is one.
    """

    check: Path | None
    done: bool
    entries: tuple[Entry, ...]
    right: int
    start: str
    doubt: str = ""


class CheckDesk(QObject):
    """One check at a time. What it finds changes nothing: a person does, image by image."""

    changed = Signal()
    """Whether one runs, or what it has found."""
    progressed = Signal(int, int, str)
    ended = Signal(str)
    """A check is over; why it could not be done, or ""."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._child = Child("core.label_check", self)
        self._looking: Task | None = None
        self._project: Project | None = None
        self.looked: Looked | None = None
        """None while it is read."""
        self.problem = ""
        self._child.progressed.connect(self.progressed)
        self._child.finished.connect(lambda _: self._ended(""))
        self._child.failed.connect(self._ended)

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def project(self) -> Project | None:
        return self._project

    def set_project(self, project: Project | None) -> None:
        """Another folder is open. What runs for the one before is paused."""
        self._child.cancel()
        self._project, self.looked, self.problem = project, None, ""
        self.look()

    def look(self) -> None:
        """Read what the last check has found, in the background."""
        if self._looking is not None:
            self._looking.cancel()
        project = self._project
        if project is not None:
            self._looking = self._tasks.run(
                Lane.INDEX, lambda job: _look(job, project), self._take, self._refuse
            )
        self.changed.emit()

    def begin(self, start: str, folds: int) -> None:
        """Check all approved masks anew, with networks that begin from ``start``."""
        self._run({"check": "", "start": start, "folds": folds})

    def go_on(self) -> None:
        """Take up the check that was paused, or broke off."""
        if self.looked is not None and self.looked.check is not None:
            self._run({"check": str(self.looked.check)})

    def pause(self) -> None:
        """Leave off; it can be taken up where the last epoch ended."""
        self._child.cancel()
        self.look()

    def close(self) -> None:
        """The window closes: no process is left."""
        self._child.cancel()
        self._child.wait()

    def say_right(self, entry: Entry) -> None:
        """A person says that this mask is right as it is: it is never suspected again."""
        project, looked = self._project, self.looked
        if project is None or looked is None:
            return
        rest = tuple(e for e in looked.entries if e.image != entry.image)
        self.looked = replace(looked, entries=rest, right=looked.right + 1)

        def work(job: Job) -> None:
            from core.label_check.findings import say_right

            say_right(project, entry.finding)

        def said(problem: str) -> None:
            if project is not self._project or self.looked is None:
                return
            self.problem = problem
            # What was read meanwhile may not know of it.
            if problem or self._looking or any(e.image == entry.image for e in self.looked.entries):
                self.look()

        self._tasks.run(Lane.SAVE, work, lambda _: said(""), said, kept=True)
        self.changed.emit()

    def mask_saved(self, name: str, digest: str) -> None:
        """An image's mask file is another one now; digest: its SHA-256."""
        looked = self.looked
        if self._looking is not None:
            self.look()  # it may have read the file before
        if looked is None or all(e.image != name for e in looked.entries):
            return
        self.looked = replace(
            looked,
            entries=tuple(
                replace(e, changed=e.finding.mask != digest) if e.image == name else e
                for e in looked.entries
            ),
        )
        self.changed.emit()

    def _run(self, request: dict[str, object]) -> None:
        project = self._project
        if project is None:
            return
        self.problem = ""
        where = {
            "folder": str(project.folder),
            "store": str(project.store),
            "encoding": project.settings.mask_encoding.value,
        }
        self._child.start({**where, **request})
        self.changed.emit()

    def _ended(self, problem: str) -> None:
        self.problem = problem
        self.look()
        self.ended.emit(problem)

    def _take(self, looked: Looked) -> None:
        self._looking, self.looked = None, looked
        self.changed.emit()

    def _refuse(self, reason: str) -> None:
        self._looking, self.problem = None, reason
        self.changed.emit()


def _look(job: Job, project: Project) -> Looked:
    with HEAVY:
        from core.label_check import plan
        from core.label_check.findings import (
            LEARNT_TOO_LITTLE,
            learnt_too_little,
            read_findings,
            said_right,
        )
    check = plan.last_check(project)
    start = plan.default_start(project)
    if check is None:
        return Looked(None, False, (), 0, start)
    said = said_right(project)
    found = read_findings(check)
    open_ = [f for f in found if (f.image, f.mask) not in said]
    done, right = plan.is_done(check), len(found) - len(open_)
    if learnt_too_little(found):
        return Looked(check, done, (), right, start, LEARNT_TOO_LITTLE)
    known = set(project.names)
    entries = tuple(
        Entry(f, _digest(job, project, f.image) != f.mask) for f in open_ if f.image in known
    )
    return Looked(check, done, entries, right, start)


def _digest(job: Job, project: Project, name: str) -> str:
    if job.cancelled:
        return ""
    try:
        return project.mask_digest(name)
    except PetSegError:
        return ""
