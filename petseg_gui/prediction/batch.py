"""Many images: one after the other, so that a single image may come in between."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.project.project import Project
from petseg_gui.prediction.segmenter import Segmented, Segmenter


@dataclass
class BatchReport:
    """How far a batch is. problems: image name -> why it was left out."""

    total: int
    done: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    cancelled: bool = False

    @property
    def images_per_second(self) -> float:
        return self.done / max(time.monotonic() - self.started, 1e-3)

    @property
    def seconds_left(self) -> float:
        """At the speed until now; something is done."""
        return (self.total - self.done) / self.images_per_second


class Batch(QObject):
    """Segments many images through a Segmenter of its own."""

    progressed = Signal(object)
    finished = Signal(object)
    segmented = Signal(object)

    def __init__(self, segmenter: Segmenter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._segmenter = segmenter
        self._waiting: deque[str] = deque()
        self._current = ""
        self._project: Project | None = None
        self.model = Path()
        """The file of the model that segments, or did last."""
        self._waits: Callable[[str], bool] = lambda name: True
        self.report: BatchReport | None = None
        segmenter.segmented.connect(self._on_segmented)
        segmenter.failed.connect(self._on_failed)

    @property
    def running(self) -> bool:
        return self.report is not None

    def start(
        self,
        project: Project,
        names: Sequence[str],
        model: Path,
        waits: Callable[[str], bool] = lambda name: True,
    ) -> None:
        """Segment these images; a batch under way goes on instead.

        waits: whether an image, when its turn comes, is still to be segmented.
        """
        if self.running or not names:
            return
        self._project, self.model, self._waits = project, model, waits
        self._waiting = deque(names)
        self.report = BatchReport(len(names))
        self.progressed.emit(self.report)
        self._next()

    def cancel(self) -> None:
        """End at once; what was segmented stays."""
        if self.report is not None:
            self.report.cancelled = True
            self._waiting.clear()
            self._segmenter.stop()
            self._end()

    def _next(self) -> None:
        while self._waiting and not self._waits(self._waiting[0]):
            self._waiting.popleft()
            if self.report is not None:
                self.report.total -= 1
        if self._project is None or not self._waiting:
            self._end()
            return
        self._current = self._waiting.popleft()
        self._segmenter.segment(self._project, self._current, self.model)

    def _on_segmented(self, result: Segmented) -> None:
        # An image that was done when the batch was cancelled still counts as segmented.
        self.segmented.emit(result)
        self._step(result.name)

    def _on_failed(self, name: str, reason: str) -> None:
        if self.report is not None and name == self._current:
            self.report.problems[name] = reason
        self._step(name)

    def _step(self, name: str) -> None:
        if self.report is None or name != self._current:
            return
        self.report.done += 1
        self.progressed.emit(self.report)
        self._next()

    def _end(self) -> None:
        report, self.report, self._current = self.report, None, ""
        if report is not None:
            self.finished.emit(report)
