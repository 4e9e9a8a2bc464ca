"""What happens when a person asks for masks, or an unlabelled image is opened."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from core.project.reviews import Status
from petseg_gui.prediction.batch import Batch, BatchReport
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.segmenter import Segmented, Segmenter
from petseg_gui.session import Session
from petseg_gui.words import count, duration

_TELLING = 3  # images after which a batch's speed says something


class PredictionDesk(QObject):
    """Brings the open image, the chosen model and the segmenter together."""

    told = Signal(str)
    failed = Signal(str)
    asked = Signal()
    """A person waits for the open image's prediction."""
    segmented = Signal(str)
    """This image has a new prediction, which somebody asked for."""
    ended = Signal()
    """Nobody waits for the open image's prediction any more."""

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

    @property
    def busy(self) -> bool:
        """Whether somebody waits for a prediction."""
        return bool(self._asked) or self._batch.running

    def segment(self) -> None:
        """Segment the open image with the chosen model."""
        session = self._session
        if session.project is None or session.document is None or session.name in self._asked:
            return
        self._asked.add(session.name)
        self.told.emit("Segmenting…")
        self.asked.emit()
        self._segmenter.segment(session.project, session.name, self._models.path, session.document)

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
        self._start(
            to_segment(self._session, self._models),
            "Every image has a mask of yours: there is nothing to segment.",
        )

    def segment_these(self, names: Sequence[str]) -> None:
        """Segment these images; the masks that are a person's stay as they are."""
        self._start(names, "Select images in the list first.")

    def segment_anew(self) -> None:
        """Bring all predictions up to date with what is set now."""
        self._start(self._session.named(Status.PREDICTED), "There is no prediction yet.")

    def stop(self) -> None:
        """End whatever a person asked for."""
        self._segmenter.stop()
        self._batch.cancel()
        if self._asked:
            self._asked.clear()
            self.told.emit("Segmenting was cancelled.")
            self.ended.emit()

    def _start(self, names: Sequence[str], nothing: str) -> None:
        project = self._session.project
        if project is None:
            return
        if self._batch.running:
            self.told.emit("Images are being segmented already.")
        elif names:
            self._batch.start(project, names, self._models.path)
        else:
            self.told.emit(nothing)

    def _project_changed(self) -> None:
        if self._asked:
            self._asked.clear()  # nobody waits any more who would have to be told
            self.ended.emit()
        self.stop()

    def _arrived(self, result: Segmented) -> None:
        session = self._session
        if result.project is not session.project:
            return
        self._end(result.name)
        shown = session.take_prediction(result.name, result.mask, result.model)
        self.segmented.emit(result.name)
        if result.name != session.name:
            return
        if shown:
            self.told.emit(f"Segmented in {result.seconds:.2f} s.")
        else:
            self.told.emit(
                "The prediction is stored and your mask kept. "
                "Mask > Replace mask with prediction takes it over."
            )

    def _failed(self, name: str, reason: str) -> None:
        self._end(name)
        if name == self._session.name:
            self.failed.emit(reason)

    def _end(self, name: str) -> None:
        self._asked.discard(name)
        if not self._asked:
            self.ended.emit()

    def _from_batch(self, result: Segmented) -> None:
        if result.project is self._session.project:
            self._session.take_prediction(result.name, result.mask, result.model)
            self.segmented.emit(result.name)


def to_segment(session: Session, models: ModelChoice) -> list[str]:
    """The images, in order, whose mask is no person's.

    A rejected one only where another model is chosen than the one whose prediction it was.
    """
    project, model = session.project, chosen_model(models)

    def waits(name: str) -> bool:
        if session.status(name) is not Status.REJECTED:
            return True
        review = None if project is None else project.review(name)
        return bool(model) and review is not None and review.model != model

    names = session.named(Status.UNLABELLED, Status.PREDICTED, Status.REJECTED)
    return [name for name in names if waits(name)]


def chosen_model(models: ModelChoice) -> str:
    """The id of the chosen model, "" while the models are not read yet."""
    chosen = (entry for entry in models.entries if entry.path == models.path)
    return next((entry.description.id for entry in chosen), "")


def batch_words(report: BatchReport) -> str:
    """How far a batch is, for the status bar."""
    words = f"Segmenting {report.done} of {report.total}"
    if report.done < _TELLING:
        return words
    left = duration(report.seconds_left)
    return f"{words} · {report.images_per_second:.1f} images/s · {left} left"


def batch_result(report: BatchReport) -> str:
    """How a batch ended."""
    good = report.done - len(report.problems)
    words = f"{count(good, 'image')} segmented, {report.images_per_second:.1f} images/s"
    return f"Cancelled: {words}." if report.cancelled else f"{words}."
