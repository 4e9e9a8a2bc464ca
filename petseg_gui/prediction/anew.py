"""A better model has taken over: images that wait are segmented anew, unnoticed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.project.reviews import Status
from petseg_gui.prediction.batch import Batch, BatchReport
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.segmenter import Segmented
from petseg_gui.session import Session

# What was rejected was another model's prediction: the new one has not spoken yet.
_WAITING = (Status.UNLABELLED, Status.PREDICTED, Status.REJECTED)


class Anew(QObject):
    """Segments what has no mask of a person's, in a batch of its own that shows no progress.

    The open image stays as it is shown; its turn comes when it is left. ``loud`` is the batch that
    a person starts: it is waited for, what it does with the same model is done here, too, and who
    cancels it ends both.
    """

    segmented = Signal(str)

    def __init__(
        self,
        session: Session,
        models: ModelChoice,
        batch: Batch,
        loud: Batch,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._models = models
        self._batch = batch
        self._loud = loud
        self._model: Path | None = None
        self._names: dict[str, None] = {}  # what is to be segmented yet, in order
        batch.segmented.connect(self._arrived)
        batch.finished.connect(self._finished)
        loud.progressed.connect(self._loud_progressed)
        loud.segmented.connect(self._loud_segmented)
        loud.finished.connect(self._loud_finished)
        models.changed.connect(self._model_changed)
        session.document_changed.connect(self._go_on)
        session.project_changed.connect(self.stop)

    def start(self) -> int:
        """Segment the images that wait with the chosen model; returns how many there are."""
        self._model = self._models.path
        names = self._session.named(*_WAITING)
        self._names = dict.fromkeys(names)
        self._batch.cancel()
        self._go_on()
        return len(names)

    def stop(self) -> None:
        """Leave the rest as it is."""
        self._model, self._names = None, {}
        self._batch.cancel()

    def _go_on(self) -> None:
        project = self._session.project
        if project is None or self._model is None or self._loud.running or self._batch.running:
            return
        names = [n for n in self._names if self._waits(n)]
        self._batch.start(project, names, self._model, self._waits)

    def _waits(self, name: str) -> bool:
        session = self._session
        return (
            name not in (session.name, session.wanted)
            and session.status(name) in _WAITING
            and session.saver.unsaved(session.project, name) is None
        )

    def _model_changed(self) -> None:
        if self._model is not None and self._models.path != self._model:
            self.stop()

    def _loud_progressed(self, report: BatchReport) -> None:
        if not report.done:
            self._batch.cancel()

    def _loud_segmented(self, result: Segmented) -> None:
        if self._loud.model == self._model:
            self._names.pop(result.name, None)

    def _loud_finished(self, report: BatchReport) -> None:
        if report.cancelled:
            self.stop()
        else:
            self._go_on()

    def _finished(self, report: BatchReport) -> None:
        for name in report.problems:
            self._names.pop(name, None)
        self._go_on()

    def _arrived(self, result: Segmented) -> None:
        session = self._session
        if result.project is not session.project:
            return
        self._names.pop(result.name, None)
        session.take_prediction(result.name, result.mask, result.model)
        self.segmented.emit(result.name)
