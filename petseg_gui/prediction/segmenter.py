"""Asking a model for masks, in one background thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.project.predictions import PredictionRecord
from core.project.project import Project
from petseg_gui.document import Document
from petseg_gui.heavy import HEAVY
from petseg_gui.prediction.inference import Inference
from petseg_gui.tasks import Job, Lane, Tasks


@dataclass(frozen=True)
class Answer:
    """A mask (uint8, height x width) as the project wants it, and who made it how."""

    mask: np.ndarray
    record: PredictionRecord


def ask(
    inference: Inference,
    project: Project,
    name: str,
    model: Path,
    stop: Event,
    document: Document | None = None,
) -> Answer | None:
    """What a model says of an image under the project's options; None where it was stopped.

    document: the image's, where it is open. Not for the window's thread. Raises ImageError,
    ModelFileError, BadInput (the model's classes are not the project's).
    """
    with HEAVY:
        from core.inference.predictor import PredictionStopped

    settings = project.settings
    options = settings.prediction
    try:
        if document is None:
            said = inference.of_image(project, name, model, options, stop)
        else:
            said = inference.of_document(project, document, model, options, stop)
    except PredictionStopped:
        return None
    mask = said.mask(settings.scheme, settings.border_rule, options)
    if stop.is_set():
        return None
    title = inference.shelf.take(model).description.name
    record = PredictionRecord(name, said.model, title, said.uncertainty, options.threshold)
    return Answer(mask, record)


@dataclass(frozen=True)
class Segmented:
    """What a model said of an image. mask: uint8, height x width, in the project's classes."""

    project: Project
    name: str
    mask: np.ndarray
    model: str
    seconds: float
    """Time for the mask; without storing it."""


class Segmenter(QObject):
    """Segments images in the order in which it is asked to, and stores each prediction."""

    segmented = Signal(object)
    failed = Signal(str, str)
    """An image's name, and why it could not be segmented."""
    stopped = Signal()
    """``stop`` came before an image was done: it is heard of no more."""

    def __init__(self, tasks: Tasks, inference: Inference, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._inference = inference
        self._stops: set[Event] = set()

    @property
    def busy(self) -> bool:
        """Whether an image is being segmented, or waits for its turn."""
        return bool(self._stops)

    def segment(
        self, project: Project, name: str, model: Path, document: Document | None = None
    ) -> None:
        """Segment an image; ``segmented``, ``failed`` or ``stopped`` follows.

        document: the image's, where it is open.
        """
        stop = Event()
        self._stops.add(stop)

        def work(job: Job) -> Segmented | None:
            start = time.perf_counter()
            said = ask(self._inference, project, name, model, stop, document)
            if said is None:
                return None
            seconds = time.perf_counter() - start
            if project.writable:
                project.save_prediction(name, said.mask, said.record)
            return Segmented(project, name, said.mask, said.record.model, seconds)

        def ended(result: Segmented | None) -> None:
            self._stops.discard(stop)
            if result is None:
                self.stopped.emit()
            else:
                self.segmented.emit(result)

        def failed(reason: str) -> None:
            self._stops.discard(stop)
            if stop.is_set():
                self.stopped.emit()
            else:
                self.failed.emit(name, reason)

        self._tasks.run(Lane.PREDICT, work, ended, failed)

    def stop(self) -> None:
        """End what is under way, and what waits."""
        for stop in self._stops:
            self._inference.shelf.stop_it(stop)
