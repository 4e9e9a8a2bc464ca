"""What happens when a person asks for a mask, or an unlabelled image is opened."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from core.project.reviews import Status
from petseg_gui.prediction.batch import Batch, BatchReport
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.segmenter import Segmented, Segmenter
from petseg_gui.session import Session


class PredictionDesk(QObject):
    """Brings the open image, the chosen model and the segmenter together."""

    told = Signal(str)
    failed = Signal(str)
    segmented = Signal(str)
    """An image that a person asked for (or opened) has its prediction."""

    def __init__(
        self,
        session: Session,
        models: ModelChoice,
        segmenter: Segmenter,
        batch: Batch,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._models = models
        self._segmenter = segmenter
        self._batch = batch
        self._asked: set[str] = set()
        self.on_opening = True
        """Whether an unlabelled image is segmented as soon as it is shown."""
        segmenter.segmented.connect(self._arrived)
        segmenter.failed.connect(self._failed)
        batch.segmented.connect(self._from_batch)
        session.project_changed.connect(self._project_changed)

    def segment(self) -> None:
        """Segment the open image with the chosen model."""
        session = self._session
        if session.project is None or session.document is None or session.name in self._asked:
            return
        self._asked.add(session.name)
        self.told.emit("Segmenting…")
        self._segmenter.segment(
            session.project, session.name, self._models.path, session.document.pixels
        )

    def segment_if_new(self) -> None:
        """Segment the open image if nobody has said anything of it yet."""
        session = self._session
        if (
            self.on_opening
            and session.takes_predictions
            and session.status(session.name) is Status.UNLABELLED
        ):
            self.segment()

    def segment_all(self) -> None:
        """Segment every image whose mask is no person's."""
        project = self._session.project
        if project is None:
            return
        names = self._session.named(Status.UNLABELLED, Status.PREDICTED)
        if names:
            self._batch.start(project, names, self._models.path)
        else:
            self.told.emit("Every image has a mask of yours: there is nothing to segment.")

    def _project_changed(self) -> None:
        self._asked.clear()
        self._batch.cancel()

    def _arrived(self, result: Segmented) -> None:
        session = self._session
        self._asked.discard(result.name)
        if result.project is not session.project:
            return
        shown = session.take_prediction(result.name, result.mask, result.model)
        if result.name != session.name:
            return
        if shown:
            self.told.emit(f"Segmented in {result.seconds:.2f} s.")
        else:
            self.told.emit(
                "The prediction is stored and your mask kept. "
                "Mask > Replace mask with prediction takes it over."
            )
        self.segmented.emit(result.name)

    def _failed(self, name: str, reason: str) -> None:
        self._asked.discard(name)
        if name == self._session.name:
            self.failed.emit(reason)

    def _from_batch(self, result: Segmented) -> None:
        if result.project is self._session.project:
            self._session.take_prediction(result.name, result.mask, result.model)


def batch_words(report: BatchReport) -> str:
    """How far a batch is, for the status bar."""
    words = f"Segmenting {report.done} of {report.total}"
    return f"{words} · {report.images_per_second:.1f} images/s" if report.done else words


def batch_result(report: BatchReport) -> str:
    """How a batch ended."""
    good = report.done - len(report.problems)
    noun = "image" if good == 1 else "images"
    words = f"{good} {noun} segmented, {report.images_per_second:.1f} images/s"
    return f"Cancelled: {words}." if report.cancelled else f"{words}."
