"""Evaluations of the open folder: one under way in a child process, and those that are kept."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.errors import PetSegError
from core.evaluation.kept import Kept, delete_kept, list_kept, new_folder
from core.evaluation.result import FILE_NAME, Evaluation, read_evaluation
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.child import Child
from petseg_gui.tasks import Job, Lane, Task, Tasks
from petseg_gui.words import duration


@dataclass(frozen=True)
class Wish:
    """What is to be evaluated. threshold: of P(object), where two classes are scored."""

    model: Path
    subset: str
    border: str
    flip: bool
    threshold: float


@dataclass(frozen=True)
class Shown:
    """An evaluation with the folder it lies in."""

    folder: Path
    evaluation: Evaluation


class EvaluationDesk(QObject):
    """Starts, reads, lists and deletes. Everything heavy happens elsewhere."""

    progressed = Signal(int, int, str)
    """Done, total (0: unknown), what is being done."""
    arrived = Signal(object)
    """An evaluation was made or read: Shown."""
    made = Signal()
    """The one under way is made; it is read next."""
    failed = Signal(str)
    """Why the one under way has come to nothing."""
    told = Signal(str)
    """Why something else could not be done."""
    listed = Signal(list)
    counted = Signal(dict)
    """Subset -> how many approved masks there are in it."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self._child = Child("core.evaluation", self)
        self._out: Path | None = None  # where the one under way goes
        self._since = 0.0
        self._reading: Task | None = None
        self._counting: Task | None = None
        self._scratch: Path | None = None  # of a folder where nothing can be written
        self._child.progressed.connect(self._progressed)
        self._child.finished.connect(self._finished)
        self._child.failed.connect(self._failed)

    @property
    def running(self) -> bool:
        return self._child.running

    def set_project(self, project: Project | None) -> None:
        """Another folder is open."""
        self.end()
        self._project = project
        self.refresh()

    def start(self, wish: Wish) -> None:
        """Evaluate in the background; ``arrived`` or ``failed`` follows unless it is cancelled."""
        project = self._project
        if project is None:
            return
        self.cancel()
        self._out = new_folder(project) if project.writable else self._scratch_folder()
        self._since = time.monotonic()
        self._child.start(
            {
                "folder": str(project.folder),
                "store": str(project.store),
                "encoding": project.settings.mask_encoding.value,
                "model": str(wish.model),
                "subset": wish.subset,
                "border": wish.border,
                "flip": wish.flip,
                "threshold": wish.threshold,
                "out": str(self._out),
            }
        )
        self.progressed.emit(0, 0, "Starting")

    def cancel(self) -> None:
        """End the one under way; nothing is kept of it."""
        self._child.cancel()
        self._drop_out()

    def end(self) -> None:
        """Let go of everything: another folder is opened, or the window closes."""
        self.cancel()
        self._child.wait()
        for task in (self._reading, self._counting):
            if task is not None:
                task.cancel()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def show(self, folder: Path) -> None:
        """Read one; ``arrived`` or ``told`` follows."""

        def work(job: Job) -> Shown:
            return Shown(folder, read_evaluation(folder / FILE_NAME))

        if self._reading is not None:
            self._reading.cancel()
        self._reading = self._tasks.run(Lane.LOAD, work, self.arrived.emit, self.told.emit)

    def delete(self, folder: Path) -> None:
        """Delete one that is kept; ``listed`` follows."""
        project = self._project
        if project is None:
            return

        def work(job: Job) -> None:
            delete_kept(project, folder)

        self._tasks.run(Lane.SAVE, work, lambda _: self.refresh(), self.told.emit, kept=True)

    def refresh(self) -> None:
        """List those that are kept."""
        project = self._project
        if project is None:
            self.listed.emit([])
            return

        def work(job: Job) -> list[Kept]:
            return list_kept(project)

        def landed(found: list[Kept]) -> None:
            if project is self._project:
                self.listed.emit(found)

        self._tasks.run(Lane.INDEX, work, landed, self.told.emit)

    def count(self) -> None:
        """Count the approved masks of each subset; ``counted`` follows."""
        project = self._project
        if self._counting is not None:
            self._counting.cancel()
        if project is None:
            return

        def work(job: Job) -> dict[str, int]:
            names = project.named([Status.APPROVED])

            def alive() -> None:
                if job.cancelled:
                    raise PetSegError("The masks are not counted any more.")

            split = project.split(names, alive)
            counts = {"all": len(names), "train": 0, "val": 0, "test": 0}
            for subset in split.values():
                counts[subset] += 1
            return counts

        def landed(counts: dict[str, int]) -> None:
            if project is self._project:
                self.counted.emit(counts)

        self._counting = self._tasks.run(Lane.INDEX, work, landed, self.told.emit)

    def _progressed(self, done: int, total: int, words: str) -> None:
        if total and 0 < done < total:
            left = (time.monotonic() - self._since) / done * (total - done)
            words = f"{done} of {total} · {duration(left)} left"
        self.progressed.emit(done, total, words)

    def _finished(self, result: dict[str, str]) -> None:
        out, self._out = self._out, None
        if out is not None:
            self.made.emit()
            self.refresh()
            self.show(out)

    def _failed(self, reason: str) -> None:
        self._drop_out()
        self.failed.emit(reason)

    def _drop_out(self) -> None:
        """What is half made of an evaluation is no use to anybody."""
        out, self._out = self._out, None
        if out is not None:
            self._child.wait()
            shutil.rmtree(out, ignore_errors=True)

    def _scratch_folder(self) -> Path:
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="petseg-evaluation-"))
        return self._scratch / str(time.monotonic_ns())
