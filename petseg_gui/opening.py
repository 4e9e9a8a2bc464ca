"""Opening folders (and drawing the demo) off the GUI thread."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.masks import MaskEncoding
from core.project.places import known_store, needs_store, remember_store
from core.project.project import EncodingUnclear, Project, open_project
from core.project.reviews import Status
from petseg_gui.tasks import Job, Lane, Task, Tasks

_SLOW_MS = 400


@dataclass(frozen=True)
class Opened:
    """A folder that was opened, with each image's status (reading them all takes a moment)."""

    project: Project
    statuses: dict[str, Status]


@dataclass(frozen=True)
class Question:
    """A folder whose masks can be read in more than one way; text says what is unclear."""

    folder: Path
    store: Path | None
    text: str


class Opener(QObject):
    """Opens one folder at a time: a newer wish replaces an older one."""

    opened = Signal(object)
    unclear = Signal(object)
    failed = Signal(str)
    slow = Signal()
    """It takes long enough that a person should be told."""
    drawing = Signal(int, int)
    """Images of the demo drawn, and how many there will be; equal when done."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._task: Task | None = None
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_SLOW_MS)
        self._slow.timeout.connect(self.slow)

    @property
    def busy(self) -> bool:
        return self._task is not None

    def open(
        self, folder: Path, store: Path | None = None, encoding: MaskEncoding | None = None
    ) -> None:
        """Open a folder; ``opened``, ``unclear`` or ``failed`` follows."""

        def work(job: Job) -> Opened | Question:
            read_only = needs_store(folder)
            place = known_store(folder) if store is None and read_only else store
            try:
                project = open_project(folder, place, encoding)
            except EncodingUnclear as error:
                return Question(folder, store, str(error))
            if store is not None and read_only:
                remember_store(folder, store)
            return Opened(project, {name: project.status(name) for name in project.names})

        self._run(work)

    def open_demo(self, folder: Path) -> None:
        """Open the demo, drawn first if it is not there yet."""
        if (folder / "images").is_dir():
            self.open(folder)
            return

        def work(job: Job) -> Opened | None:
            # The drawing's imports would delay the window's start.
            from core.demo import IMAGES, draw_demo

            # Drawn aside: a demo half drawn would look like a whole one the next time.
            aside = folder.with_name(folder.name + ".part")
            shutil.rmtree(aside, ignore_errors=True)
            for number in draw_demo(aside):
                job.report((number, IMAGES))
                if job.cancelled:
                    shutil.rmtree(aside, ignore_errors=True)
                    return None
            aside.rename(folder)
            project = open_project(folder)
            return Opened(project, {name: project.status(name) for name in project.names})

        self._run(work)

    def cancel(self) -> None:
        """Forget the folder that is being opened."""
        self._slow.stop()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _run(self, work: Callable[[Job], Any]) -> None:
        self.cancel()
        self._task = self._tasks.run(
            Lane.LOAD, work, self._landed, self._failed, lambda drawn: self.drawing.emit(*drawn)
        )
        self._slow.start()

    def _landed(self, result: Opened | Question | None) -> None:
        self._slow.stop()
        self._task = None
        if isinstance(result, Opened):
            self.opened.emit(result)
        elif isinstance(result, Question):
            self.unclear.emit(result)

    def _failed(self, reason: str) -> None:
        self._slow.stop()
        self._task = None
        self.failed.emit(reason)
