"""The open folder's trainings, read again every few seconds while somebody looks at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from core.project.project import Project
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.training.compare import Row
    from core.training.runs import RunInfo, RunShelf

_READ_MS = 2000


class RunList(QObject):
    """``changed`` whenever ``infos`` were read; newest first."""

    changed = Signal()
    failed = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self._shelf: tuple[Path, RunShelf] | None = None  # of the lane's thread only
        self._reading: Task | None = None
        self._again = False
        self._timer = QTimer(self, interval=_READ_MS)
        self._timer.timeout.connect(self.refresh)
        self.infos: list[RunInfo] = []
        self.rows: list[Row] = []
        """What a table says of ``infos``, in the same order."""

    def set_project(self, project: Project | None) -> None:
        """Read another folder's trainings from now on."""
        self._project, self.infos, self.rows = project, [], []
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self.changed.emit()
        if self._timer.isActive():
            self.refresh()

    def watch(self, on: bool) -> None:
        """Whether somebody looks: then they are read every two seconds."""
        if on:
            self._timer.start()
            self.refresh()
        else:
            self._timer.stop()

    def refresh(self) -> None:
        """Read them in the background."""
        project = self._project
        if project is None:
            return
        if self._reading is not None:
            self._again = True
            return
        self._again = False

        def work(job: Job) -> tuple[list[RunInfo], list[Row]]:
            with HEAVY:
                from core.training.compare import row

            infos = self.read(project)
            return infos, [row(info) for info in infos]

        def read(found: tuple[list[RunInfo], list[Row]]) -> None:
            self._reading = None
            self.infos, self.rows = found
            self.changed.emit()
            if self._again:
                self.refresh()

        def failed(reason: str) -> None:
            self._reading = None
            self.failed.emit(reason)

        self._reading = self._tasks.run(Lane.TRAIN, work, read, failed)

    def read(self, project: Project) -> list[RunInfo]:
        """The trainings as they are now. For the thread of the lane TRAIN only."""
        with HEAVY:
            from core.training.runs import RunShelf

        if self._shelf is None or self._shelf[0] != project.runs:
            self._shelf = project.runs, RunShelf(project.runs)
        return self._shelf[1].read()
