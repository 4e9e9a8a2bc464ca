"""Exporting masks in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.formats.items import WriteOptions
from core.formats.registry import Format
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.exchange.calm import calmly
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.formats.exporting import Exported


@dataclass(frozen=True)
class Wish:
    """What is to be exported, and where to. among: only these images, None for all."""

    known: Format
    target: Path
    statuses: Sequence[Status]
    subset: str
    among: Sequence[str] | None
    options: WriteOptions
    replacing: bool = False


class ExportDesk(QObject):
    """One export at a time."""

    progressed = Signal(str, int, int)
    """Words, images done, and how many there are (0: it begins)."""
    exported = Signal(object)
    """The Exported that has just been made."""
    taken = Signal(object, str)
    """The Wish whose target holds something that could be replaced, and what that is."""
    cancelled = Signal()
    failed = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self._task: Task | None = None

    @property
    def busy(self) -> bool:
        """Whether an export is under way."""
        return self._task is not None

    def set_project(self, project: Project | None) -> None:
        """Another folder is open."""
        self.cancel()
        self._project = project

    def start(self, wish: Wish) -> None:
        """Export; ``exported``, ``taken`` or ``failed`` follows."""
        project = self._project
        if project is None or self.busy:
            return

        def work(job: Job) -> Exported | str | None:
            with HEAVY:
                from core.formats import exporting

            try:
                names = exporting.choose(project, wish.statuses, wish.subset, wish.among)
                return exporting.export(
                    project,
                    names,
                    wish.known,
                    wish.target,
                    wish.options,
                    calmly(job, f"Exporting {wish.known.title}"),
                    lambda: job.cancelled,
                    wish.replacing,
                    wish.subset,
                )
            except exporting.TargetTaken as error:
                return str(error)

        def done(result: Exported | str | None) -> None:
            self._task = None
            if isinstance(result, str):
                self.taken.emit(wish, result)
            elif result is not None:
                self.exported.emit(result)

        def failed(reason: str) -> None:
            self._task = None
            self.failed.emit(reason)

        self._task = self._tasks.run(
            Lane.EXCHANGE, work, done, failed, lambda step: self.progressed.emit(*step)
        )
        self.progressed.emit(f"Exporting {wish.known.title}", 0, 0)

    def cancel(self) -> None:
        """Leave the export that is under way; nothing of it stays."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self.cancelled.emit()
