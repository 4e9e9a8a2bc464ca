"""Asking a model for masks, in one background thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.project.project import Project
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Tasks

if TYPE_CHECKING:
    from core.inference.predictor import Predictor


@dataclass(frozen=True)
class Segmented:
    """What a model said of an image. mask: uint8, height x width, in the project's classes."""

    project: Project
    name: str
    mask: np.ndarray
    model: str
    seconds: float
    """Time for the prediction, without reading the file or loading the model."""


class PredictorShelf:
    """The predictor used last, so that a model is loaded once. For any thread but the window's."""

    def __init__(self) -> None:
        self.threads = 0
        """Processor threads for the predictor, 0 for all cores; counts from the next ``take``."""
        self._key: tuple[Path, int, int] | None = None
        self._predictor: Predictor | None = None
        self._lock = Lock()

    def take(self, path: Path) -> Predictor:
        """The predictor of a model file. Raises ModelFileError."""
        # ONNX Runtime and OpenCV take most of a second to import: not at the window's start.
        with HEAVY:
            from core.inference.predictor import Predictor

        threads = self.threads
        key = (path, path.stat().st_mtime_ns if path.is_file() else 0, threads)
        with self._lock:
            if self._predictor is None or self._key != key:
                self._predictor = Predictor(path, threads)
                self._key = key
            return self._predictor


class Segmenter(QObject):
    """Segments images one at a time and stores each prediction."""

    segmented = Signal(object)
    failed = Signal(str, str)
    """An image's name, and why it could not be segmented."""

    def __init__(self, tasks: Tasks, shelf: PredictorShelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._shelf = shelf

    def segment(
        self, project: Project, name: str, model: Path, pixels: np.ndarray | None = None
    ) -> None:
        """Segment an image; ``segmented`` or ``failed`` follows.

        pixels: uint8 RGB, height x width x 3, where they are at hand already.
        """
        shelf = self._shelf

        def work(job: Job) -> Segmented:
            predictor = shelf.take(model)
            image = project.read_image(name).pixels if pixels is None else pixels
            start = time.perf_counter()
            prediction = predictor.predict(image)
            mask = prediction.mask(project.settings.scheme, project.settings.border_rule)
            seconds = time.perf_counter() - start
            if project.writable and not job.cancelled:
                project.save_prediction(name, mask)
            return Segmented(project, name, mask, prediction.model, seconds)

        self._tasks.run(
            Lane.PREDICT, work, self.segmented.emit, lambda reason: self.failed.emit(name, reason)
        )
