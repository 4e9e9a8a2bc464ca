"""How the open folder's images are segmented: set at once, written down after a pause."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from core.inference.options import PredictOptions
from core.project.project import Project
from petseg_gui.tasks import Job, Lane, Tasks

_PAUSE_MS = 500


class FolderOptions(QObject):
    """``changed`` follows each change; those of a read-only folder last as long as it is open."""

    changed = Signal()
    classes_changed = Signal()
    """The folder has other classes now."""
    failed = Signal(str)
    """They could not be written down; they count all the same."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self.options = PredictOptions()
        self._unwritten = False
        self._soon = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._soon.timeout.connect(self.write)

    def set_project(self, project: Project | None) -> None:
        """Take over a folder's options; those of the one before are written down."""
        self.write()
        self._project = project
        self.options = PredictOptions() if project is None else project.settings.prediction
        self.changed.emit()

    def set(self, options: PredictOptions) -> None:
        """Segment so from now on."""
        if self._project is None or options == self.options:
            return
        self.options = options
        self._project.adjust_settings(prediction=options)
        if self._project.writable:
            self._unwritten = True
            self._soon.start()
        self.changed.emit()

    def follow_classes(self) -> None:
        """The folder has other classes now: all may appear, since ids may mean others."""
        self.classes_changed.emit()
        self.set(replace(self.options, classes=None))

    def write(self) -> None:
        """Write down now what is not written yet."""
        self._soon.stop()
        if not self._unwritten or self._project is None:
            return
        self._unwritten = False
        project = self._project

        def work(job: Job) -> None:
            project.keep_settings()  # as they are by then

        self._tasks.run(Lane.SAVE, work, None, self.failed.emit, kept=True)
