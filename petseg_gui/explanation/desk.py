"""Asks why: Seg-Grad-CAM in a process of its own, occlusion in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from core.editing.region import Region
from core.project.project import Project
from petseg_gui.child import Child
from petseg_gui.document import Document
from petseg_gui.heavy import HEAVY
from petseg_gui.prediction.shelf import PredictorShelf
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.explanation.answer import Explanation
    from core.explanation.occlusion import Covered

_SHOWN_EVERY = 0.2  # seconds between two unfinished maps


class Method(StrEnum):
    """How it is found out what mattered."""

    GRADCAM = "gradcam"
    OCCLUSION = "occlusion"


@dataclass(frozen=True, eq=False)
class Wish:
    """What a person wants explained. value: the class; detail: coarse, medium or fine."""

    project: Project
    document: Document
    model: Path
    method: Method
    value: int
    detail: str
    region: Region | None = None


class ExplanationDesk(QObject):
    """Works on one wish at a time; a newer one takes the older one's place."""

    progressed = Signal(int, int)
    """Done, total (0: unknown)."""
    explained = Signal(object, bool)
    """An Explanation, and whether it is finished."""
    failed = Signal(str)
    changed = Signal()
    """Whether something is under way."""

    def __init__(self, tasks: Tasks, shelf: PredictorShelf, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._shelf = shelf
        self.wish: Wish | None = None
        """What is explained, until that is cancelled."""
        self._stop = Event()
        self._task: Task | None = None
        self._child = Child("core.explanation", self)
        self._child.progressed.connect(lambda done, total, _: self.progressed.emit(done, total))
        self._child.finished.connect(self._child_done)
        self._child.failed.connect(self._refused)

    @property
    def busy(self) -> bool:
        return self._task is not None or self._child.running

    def start(self, wish: Wish) -> None:
        """Explain this; ``explained`` or ``failed`` follows unless it is cancelled."""
        self._end()
        self.wish = wish
        (self._ask_child if wish.method is Method.GRADCAM else self._cover)(wish)
        self.changed.emit()

    def cancel(self) -> None:
        """Leave what is under way."""
        was_busy = self.busy
        self._end()
        if was_busy:
            self.changed.emit()

    def close(self) -> None:
        """End everything, and wait until it has ended."""
        self._end()
        self._child.wait()

    def _end(self) -> None:
        self.wish = None  # it holds the document's pixels
        self._child.cancel()
        if self._task is not None:
            self._task.cancel()
            self._shelf.stop_it(self._stop)
            self._task = None

    def _ask_child(self, wish: Wish) -> None:
        from core.explanation.parcel import packed_region

        settings = wish.project.settings
        self._child.start(
            {
                "image": str(wish.project.image_path(wish.document.name)),
                "model": str(wish.model),
                "value": wish.value,
                "classes": settings.scheme.names,
                "rule": settings.border_rule.value,
                "region": packed_region(wish.region),
                "detail": wish.detail,
            }
        )

    def _child_done(self, result: dict[str, Any]) -> None:
        from core.explanation.parcel import unpacked

        self.explained.emit(unpacked(result), True)
        self.changed.emit()

    def _cover(self, wish: Wish) -> None:
        shelf, stop = self._shelf, Event()

        def work(job: Job) -> Explanation | None:
            return _covered(shelf, wish, stop, job.report)

        def step(found: Covered) -> None:
            self.progressed.emit(found.done, found.total)
            self.explained.emit(found.explanation, False)

        def done(found: Explanation | None) -> None:
            self._task = None
            if found is not None:
                self.explained.emit(found, True)
            self.changed.emit()

        self._stop = stop
        self._task = self._tasks.run(Lane.EXPLAIN, work, done, self._refused, step)

    def _refused(self, reason: str) -> None:
        self._task = None
        self.failed.emit(reason)
        self.changed.emit()


def _covered(
    shelf: PredictorShelf, wish: Wish, stop: Event, report: Callable[[object], None]
) -> Explanation | None:
    """The occlusion map of a wish; None where it was stopped."""
    with HEAVY:
        from core.explanation.look import Detail, Question, look_at
        from core.explanation.occlusion import explain_by_occlusion
        from core.inference.options import PredictOptions
        from core.inference.predictor import PredictionStopped

    settings, found, shown = wish.project.settings, None, time.monotonic()
    question = Question(wish.value, settings.scheme, settings.border_rule)
    options = PredictOptions()
    try:
        look = look_at(wish.document.pixels, shelf.take(wish.model).description, wish.region)
        for step in explain_by_occlusion(
            lambda pixels: shelf.predict(wish.model, pixels, options, stop),
            look,
            question,
            Detail(wish.detail),
        ):
            found = step.explanation
            if time.monotonic() - shown > _SHOWN_EVERY:
                shown = time.monotonic()
                report(step)
    except PredictionStopped:
        return None
    return found
