"""The images beside the open one, segmented ahead of time: they open with their mask."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from core.project.reviews import Status
from petseg_gui.prediction.desk import PredictionDesk
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.segmenter import Segmented, Segmenter
from petseg_gui.session import Session


class Neighbours(QObject):
    """One after the other, and only while nobody waits for another prediction."""

    segmented = Signal(str)

    def __init__(
        self,
        session: Session,
        models: ModelChoice,
        segmenter: Segmenter,
        desk: PredictionDesk,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._models = models
        self._segmenter = segmenter
        self._desk = desk
        self._waiting: deque[str] = deque()
        segmenter.segmented.connect(self._arrived)
        segmenter.failed.connect(lambda *_: self._next())
        segmenter.stopped.connect(self._next)
        desk.asked.connect(segmenter.stop)
        desk.ended.connect(self._next)
        session.project_changed.connect(self.stop)

    def make_ready(self, names: Iterable[str]) -> None:
        """Segment these images if nobody has said anything of them yet."""
        self._waiting = deque(names)
        self._next()

    def stop(self) -> None:
        """Leave them as they are."""
        self._waiting.clear()
        self._segmenter.stop()

    def _next(self) -> None:
        project = self._session.project
        if project is None or self._desk.busy or self._segmenter.busy or not self._desk.on_opening:
            return
        while self._waiting:
            name = self._waiting.popleft()
            if self._waits(name):
                self._segmenter.segment(project, name, self._models.path)
                return

    def _waits(self, name: str) -> bool:
        session = self._session
        return (
            name not in ("", session.name, session.wanted)
            and session.status(name) is Status.UNLABELLED
            and session.saver.unsaved(session.project, name) is None
        )

    def _arrived(self, result: Segmented) -> None:
        if result.project is self._session.project:
            self._session.take_prediction(result.name, result.mask, result.model)
            self.segmented.emit(result.name)
        self._next()
