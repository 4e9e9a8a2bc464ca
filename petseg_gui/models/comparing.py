"""Two models on the same validation images: each evaluated in a child process, then compared."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.project.project import Project
from petseg_gui.child import Child
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.evaluation.comparison import Comparison
    from core.inference.catalogue import ModelEntry

_SUBSET = "val"


@dataclass(frozen=True)
class Compared:
    """What came of it. a, b: the models' titles; border: what it counts as; "" without one."""

    a: str
    b: str
    border: str
    comparison: Comparison


class ModelComparison(QObject):
    """One comparison at a time; a new one takes the place of the one before."""

    progressed = Signal(str, int, int)
    """What is being done; done, total (0: unknown)."""
    arrived = Signal(object)
    """Compared."""
    failed = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._child = Child("core.evaluation", self)
        self._child.progressed.connect(self._child_progressed)
        self._child.finished.connect(lambda _: self._evaluated())
        self._child.failed.connect(self._failed)
        self._project: Project | None = None
        self._models: tuple[ModelEntry, ...] = ()
        self._done: list[Path] = []
        self._scratch: Path | None = None
        self._reading: Task | None = None

    def start(self, project: Project, a: ModelEntry, b: ModelEntry) -> None:
        """Compare b with a; ``arrived`` or ``failed`` follows unless it is cancelled."""
        self.cancel()
        self._project, self._models, self._done = project, (a, b), []
        self._scratch = Path(tempfile.mkdtemp(prefix="petseg-compare-"))
        self._next()

    def cancel(self) -> None:
        """Nothing is heard of it any more."""
        self._child.cancel()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self._scratch is not None:
            self._child.wait()  # else it would still write there
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def wait(self) -> None:
        """Until no process is left after ``cancel``."""
        self._child.wait()

    def _next(self) -> None:
        project, number = self._project, len(self._done)
        if project is None or self._scratch is None:
            return
        self._child_progressed(0, 0, "")
        self._child.start(
            {
                "folder": str(project.folder),
                "store": str(project.store),
                "encoding": project.settings.mask_encoding.value,
                "model": str(self._models[number].path),
                "subset": _SUBSET,
                "border": project.settings.border_rule.value,
                "out": str(self._scratch / str(number)),
            }
        )

    def _child_progressed(self, done: int, total: int, text: str) -> None:
        number = len(self._done)
        title = self._models[number].title
        self.progressed.emit(
            f"{title}: {done} of {total} images" if total else f"{title}: starting",
            number * total + done,
            2 * total,
        )

    def _evaluated(self) -> None:
        if self._scratch is None or self._project is None:
            return
        self._done.append(self._scratch / str(len(self._done)))
        if len(self._done) < len(self._models):
            self._next()
            return
        (a, b), folders = self._models, self._done
        settings = self._project.settings

        def work(job: Job) -> Compared:
            with HEAVY:
                from core.evaluation.comparison import compare
                from core.evaluation.result import FILE_NAME, read_evaluation

            one, other = (read_evaluation(folder / FILE_NAME) for folder in folders)
            bordered = settings.scheme.border_id is not None
            border = settings.border_rule.words if bordered else ""
            return Compared(a.title, b.title, border, compare(one, other))

        self._reading = self._tasks.run(Lane.LOAD, work, self._read, self._failed)

    def _read(self, compared: Compared) -> None:
        self._reading = None
        self.cancel()
        self.arrived.emit(compared)

    def _failed(self, reason: str) -> None:
        self._reading = None
        title = self._models[len(self._done)].title if len(self._done) < 2 else ""
        self.cancel()
        self.failed.emit(f"{title}: {reason}" if title else reason)
