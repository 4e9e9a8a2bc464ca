"""The open image's prediction, brought up to date while a person sets how it is made."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from PySide6.QtCore import QObject, QTimer, Signal

from core.inference.options import PredictOptions
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.document import Document
from petseg_gui.prediction.inference import Inference
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.options import FolderOptions
from petseg_gui.prediction.segmenter import Answer, ask
from petseg_gui.session import Session
from petseg_gui.tasks import Job, Lane, Tasks

_PAUSE_MS = 400
_SLOW = ("flip", "tiles")
"""What only the model itself can say anew."""


@dataclass(frozen=True)
class _Revised:
    """What the model says of a document's image now."""

    project: Project
    document: Document
    said: Answer


class LivePrediction(QObject):
    """Of many changes in a row the latest wins; once they pause, the prediction is stored."""

    changed = Signal()
    """``working`` or ``differs`` changed."""
    failed = Signal(str)
    segmented = Signal(str)
    """This image's stored prediction is another one now."""

    def __init__(
        self,
        tasks: Tasks,
        session: Session,
        models: ModelChoice,
        inference: Inference,
        options: FolderOptions,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._session = session
        self._models = models
        self._inference = inference
        self._options = options
        self._stop: Event | None = None  # of what is being worked out
        self._asked = PredictOptions()  # what it is worked out for
        self._unstored: _Revised | None = None
        self.differs = False
        """Whether the open image's prediction changed, but not its mask, which is a person's."""
        self._soon = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._soon.timeout.connect(self.store)
        options.changed.connect(self._follow)
        session.leaving.connect(self.store)
        session.document_changed.connect(self._document_changed)

    @property
    def working(self) -> bool:
        """Whether the prediction is being worked out."""
        return self._stop is not None

    def stop(self) -> None:
        """Leave the prediction as it is."""
        if self._stop is not None:
            self._inference.shelf.stop_it(self._stop)

    def store(self) -> None:
        """Write down now what is not written yet."""
        self._soon.stop()
        revised, self._unstored = self._unstored, None
        if revised is None:
            return
        project, name, said = revised.project, revised.document.name, revised.said

        def stored(_: object) -> None:
            session = self._session
            if project is session.project:
                if revised.document is not session.document:
                    # It may have been read again, or opened, as it was before.
                    session.take_prediction(name, said.mask, said.record.model)
                self.segmented.emit(name)

        self._tasks.run(
            Lane.SAVE,
            lambda job: project.save_prediction(name, said.mask, said.record),
            stored,
            self.failed.emit,
            kept=True,
        )

    def _follow(self) -> None:
        session = self._session
        project, document = session.project, session.document
        if project is None or document is None or not self._predicted(project, document):
            return
        options, model = self._options.options, self._models.path
        if self._stop is not None:
            if any(getattr(options, name) != getattr(self._asked, name) for name in _SLOW):
                self.stop()
            return  # it is asked again once this has ended
        stop = self._stop = Event()
        self._asked = options

        def work(job: Job) -> _Revised | None:
            said = ask(self._inference, project, document.name, model, stop, document)
            return None if said is None else _Revised(project, document, said)

        self._tasks.run(Lane.REVISE, work, self._arrived, self._failed)
        self.changed.emit()

    def _arrived(self, revised: _Revised | None) -> None:
        self._stop = None
        session = self._session
        if revised is not None and revised.project is session.project:
            if self._unstored is not None and self._unstored.document is not revised.document:
                self.store()
            here = revised.document is session.document
            name, said = revised.document.name, revised.said
            shown = session.take_prediction(name, said.mask, said.record.model)
            if here:
                self.differs = not shown
            if revised.project.writable:
                self._unstored = revised
                self._soon.start(_PAUSE_MS if here else 0)
        if self._asked != self._options.options:
            self._follow()
        self.changed.emit()

    def _failed(self, reason: str) -> None:
        self._stop = None
        self.failed.emit(reason)
        self.changed.emit()

    def _document_changed(self) -> None:
        self.differs = False
        self.changed.emit()

    def _predicted(self, project: Project, document: Document) -> bool:
        """Whether a model has spoken of the image, now or before."""
        return (
            self._session.status(document.name) is Status.PREDICTED
            or document.prediction is not None
            or project.prediction(document.name) is not None
            or bool(self._session.predicted_by(document.name))
        )
