"""Importing annotations: read, previewed, made aside, put in their places, taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.project.project import Project
from petseg_gui.exchange.calm import calmly
from petseg_gui.garbage import nothing_collected
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.formats.importing import Imported, Staged, TakenBack
    from core.formats.planning import ImportPlan


WRITING = "Writing masks"
UNDOING = "Undoing the import"
"""Words of what cannot be cancelled."""


@dataclass(frozen=True)
class Made:
    """An import that was made in a folder; title: what it was read from."""

    project: Project
    title: str
    imported: Imported


class ImportDesk(QObject):
    """One thing at a time; what is newer takes the place of what is under way."""

    progressed = Signal(str, int, int)
    """Words, steps done, and how many there are (0: it begins)."""
    planned = Signal(object)
    """The ImportPlan of what was read."""
    imported = Signal(object)
    """The Made that has just been."""
    ids_needed = Signal()
    """The folder's masks cannot hold what is to be imported."""
    taken_back = Signal(object)
    """The TakenBack that has just been."""
    cancelled = Signal()
    failed = Signal(str)

    def __init__(
        self, tasks: Tasks, when_saved: Callable[[Callable[[], None]], None], parent: QObject
    ) -> None:
        """when_saved: calls what it is given once the masks that were painted are on the disk."""
        super().__init__(parent)
        self._tasks = tasks
        self._when_saved = when_saved
        self._project: Project | None = None
        self._task: Task | None = None

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    def set_project(self, project: Project | None) -> None:
        """Another folder is open: what was read for the one before is of no use."""
        self.cancel()
        self._project = project

    def read(self, path: Path, format_id: str) -> None:
        """Read annotations ("": their format is found out); ``planned`` or ``failed`` follows."""
        project = self._project
        if project is None:
            return

        def work(job: Job) -> ImportPlan | None:
            with HEAVY:
                from core.formats.planning import plan_import, read_source
                from core.formats.source import ReadOptions

            with nothing_collected():
                source = read_source(path, format_id, ReadOptions(any_colours=True))
                return plan_import(
                    project, source, calmly(job, "Comparing with the folder"), lambda: job.cancelled
                )

        self._start(f"Reading {path.name}", work, self.planned.emit)

    def apply(self, plan: ImportPlan) -> None:
        """Do what a plan says; ``imported``, ``ids_needed`` or ``failed`` follows."""
        project = self._project
        if project is None:
            return
        from core.formats.importing import NeedsIds, stage_import

        def work(job: Job) -> Staged | None:
            try:
                return stage_import(
                    project, plan, calmly(job, "Making masks"), lambda: job.cancelled
                )
            except NeedsIds:
                return None

        def landed(staged: Staged | None) -> None:
            if staged is None:
                self.ids_needed.emit()
            else:
                self._when_saved(lambda: self._commit(project, plan.source.path.name, staged))

        if plan.needs_ids(project):
            self.ids_needed.emit()
        else:
            self._start("Making masks", work, landed)

    def undo(self, import_id: str) -> None:
        """Take an import back; ``taken_back`` or ``failed`` follows."""
        project = self._project
        if project is None:
            return
        from core.formats.importing import undo_import

        def work(job: Job) -> TakenBack:
            return undo_import(project, import_id, calmly(job, UNDOING))

        def begin() -> None:
            self._start(UNDOING, work, self.taken_back.emit, Lane.SAVE)

        self._when_saved(begin)

    def cancel(self) -> None:
        """Leave what is under way, unless masks are being written: that is the work of a moment."""
        task = self._task
        if task is not None and not task.kept:
            task.cancel()
            self._task = None
            self.cancelled.emit()

    def _commit(self, project: Project, title: str, staged: Staged) -> None:
        from core.formats.importing import commit_import, drop_staged

        if project is not self._project:
            self._tasks.run(Lane.EXCHANGE, lambda job: drop_staged(staged), kept=True)
            return

        def work(job: Job) -> Made:
            imported = commit_import(project, staged, calmly(job, WRITING))
            return Made(project, title, imported)

        # In the lane of the saves: none of them may come between.
        self._start(WRITING, work, self.imported.emit, Lane.SAVE)

    def _start(
        self,
        words: str,
        work: Callable[[Job], object],
        landed: Callable[..., object],
        lane: Lane = Lane.EXCHANGE,
    ) -> None:
        self.cancel()

        def done(result: object) -> None:
            self._task = None
            landed(result)

        def failed(reason: str) -> None:
            self._task = None
            self.failed.emit(reason)

        self._task = self._tasks.run(
            lane,
            work,
            done,
            failed,
            lambda step: self.progressed.emit(*step),
            kept=lane is Lane.SAVE,
        )
        self.progressed.emit(words, 0, 0)
