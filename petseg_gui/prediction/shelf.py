"""The model in use: loaded once, and stopped at any moment."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from petseg_gui.heavy import HEAVY

if TYPE_CHECKING:
    import numpy as np

    from core.inference.options import PredictOptions
    from core.inference.prediction import Prediction
    from core.inference.predictor import Predictor

_PAUSE = 2.0  # seconds between two moves of a hand at work
_TIMED = 3  # predictions that tell how quick a model is


class PredictorShelf:
    """Keeps the model used last. ``take`` and ``predict`` are for any thread but the window's."""

    def __init__(self) -> None:
        self.threads = 0
        """Processor threads for the model, 0 for all cores; counts from the next ``take``."""
        self._moved = -_PAUSE
        self._key: tuple[Path, int] | None = None
        self._loaded: dict[int, Predictor] = {}  # by their threads: a session keeps its own
        self._loading = Lock()
        self._asked: dict[Event, Predictor] = {}
        self._telling = Lock()
        self._closed = False
        self._times: dict[Path, deque[float]] = {}  # seconds, of each model's last predictions

    def hand_moved(self) -> None:
        """A person works with the image: for a while one core is left to the window."""
        self._moved = time.monotonic()

    def take(self, path: Path) -> Predictor:
        """The predictor of a model file. Raises ModelFileError."""
        # ONNX Runtime and OpenCV take most of a second to import: not at the window's start.
        with HEAVY:
            from core.inference.predictor import Predictor

        threads = self._threads_now()
        key = (path, path.stat().st_mtime_ns if path.is_file() else 0)
        with self._loading:
            if self._key != key:
                self._key, self._loaded = key, {}
            if threads not in self._loaded:
                self._loaded[threads] = Predictor(path, threads)
            return self._loaded[threads]

    def predict(
        self, path: Path, pixels: np.ndarray, options: PredictOptions, stop: Event
    ) -> Prediction:
        """What a model says of an image (uint8 RGB, height x width x 3).

        Raises ModelFileError, and PredictionStopped once ``stop_it`` or ``close`` was called.
        """
        predictor = self.take(path)
        with self._telling:
            self._asked[stop] = predictor
            if self._closed:
                stop.set()
        begun = time.perf_counter()
        try:
            said = predictor.predict(pixels, options.flip, options.tiles, stop)
        finally:
            with self._telling:
                del self._asked[stop]
        if not options.flip and options.tiles == 1:
            with self._telling:
                times = self._times.setdefault(path, deque(maxlen=_TIMED))
                times.append(time.perf_counter() - begun)
        return said

    def quickest(self, path: Path) -> float | None:
        """Seconds that a model takes for a photo, at its best of the last three.

        None before it was asked so often. Flips and tiles do not count. For any thread.
        """
        with self._telling:
            times = self._times.get(path, ())
            return min(times) if len(times) == _TIMED else None

    def stop_it(self, stop: Event) -> None:
        """End what was asked for with ``stop``, now or as soon as it begins. For any thread."""
        stop.set()
        with self._telling:
            predictor = self._asked.get(stop)
        if predictor is not None:
            predictor.stop(stop)

    def close(self) -> None:
        """The window closes: end whatever is asked, and what would be asked after it."""
        with self._telling:
            self._closed = True
            asked = list(self._asked)
        for stop in asked:
            self.stop_it(stop)

    def _threads_now(self) -> int:
        """As many as were set, less one where a person needs it; 0 stands for all cores."""
        if time.monotonic() - self._moved > _PAUSE:
            return self.threads
        cores = os.cpu_count() or 1
        return max(1, min(self.threads or cores, cores - 1))
