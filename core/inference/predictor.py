"""Segmentation with a model file on ONNX Runtime: no torch."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Lock
from typing import Any

import numpy as np

from core.errors import PetSegError
from core.inference.prediction import Prediction
from core.inference.tiles import ask_in_windows, longer_side
from core.inference.view import fit_whole
from core.modelfile import ModelFileError, read_description, read_onnx
from core.runtime import onnxruntime

ort = onnxruntime.capi.onnxruntime_pybind11_state

ORT_ERRORS = (
    RuntimeError,
    ValueError,
    ort.EPFail,
    ort.Fail,
    ort.InvalidArgument,
    ort.InvalidGraph,
    ort.InvalidProtobuf,
    ort.NotImplemented,
    ort.RuntimeException,
)
"""What ONNX Runtime raises for graphs that it cannot load or run."""


class PredictionStopped(PetSegError):
    """A prediction that was ended before it was done."""


class Predictor:
    """A loaded model. ``predict`` may be called from several threads at once."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """threads: CPU threads of one prediction, 0 for all cores. Raises ModelFileError."""
        self.description = read_description(path)
        self._name = path.name
        self._lock = Lock()
        self._running: list[tuple[Any, Event | None]] = []
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                read_onnx(path, self.description),
                options,
                providers=providers(),
            )
        except ORT_ERRORS as error:
            raise ModelFileError(f"{path.name}: its ONNX twin cannot be run ({error}).") from error

    def predict(
        self, pixels: np.ndarray, flip: bool = False, tiles: int = 1, stop: Event | None = None
    ) -> Prediction:
        """Segment an image of any size. pixels: uint8 RGB, height x width x 3.

        flip: average with the mirrored image: twice the time, a little better. tiles: so many
        parts across the longer side are looked at one by one, for objects that are small in a
        large image; a model of the view ``crops`` looks at all of it at its own scale anyway.
        stop: ends it where it is set before it begins; see ``stop``.
        Raises PredictionStopped, ModelFileError (a twin that fails on the way).
        """
        description = self.description
        height, width = pixels.shape[:2]
        # Its terminate flag is what ends a prediction from another thread.
        run = onnxruntime.RunOptions()
        with self._lock:
            self._running.append((run, stop))
        if stop is not None and stop.is_set():
            run.terminate = True  # it was set too early for ``stop`` to find this run
        try:
            if description.view == "whole":
                side = longer_side(max(height, width), description.size, tiles)
                pixels = fit_whole(height, width, side).scaled(pixels)
            planes = ask_in_windows(
                pixels,
                description.size,
                len(description.scheme.classes),
                lambda window: self._ask(window, flip, run),
            )
        finally:
            with self._lock:
                self._running.remove((run, stop))
        return Prediction(planes, (width, height), description.scheme, description.id)

    def stop(self, which: Event | None = None) -> None:
        """End the predictions that are running now, from any other thread.

        which: only those that were given this event.
        """
        with self._lock:
            for run, stop in self._running:
                if which is None or stop is which:
                    run.terminate = True

    def _ask(self, image: np.ndarray, flip: bool, run: Any) -> np.ndarray:
        probabilities = self._run(image, run)
        if flip:
            probabilities = (probabilities + self._run(image[:, ::-1], run)[..., ::-1]) / 2
        return probabilities

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """What the network itself says of an image as it is: no view, no temperature.

        pixels: uint8 RGB, height x width x 3. Returns float32, C x height x width (C = 1 for
        sigmoid). Raises ModelFileError.
        """
        return self._logits(pixels, onnxruntime.RunOptions())

    def _run(self, image: np.ndarray, run: Any) -> np.ndarray:
        logits = self._logits(image, run) / self.description.temperature
        return _probabilities(logits, self.description.activation)

    def _logits(self, image: np.ndarray, run: Any) -> np.ndarray:
        if run.terminate:
            raise PredictionStopped("The prediction was stopped.")
        tensor = np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32)
        description = self.description
        try:
            (logits,) = self._session.run(None, {"image": tensor}, run)
        except ORT_ERRORS as error:
            if run.terminate:
                raise PredictionStopped("The prediction was stopped.") from error
            raise ModelFileError(f"{self._name}: its ONNX twin cannot be run ({error}).") from error
        channels = 1 if description.activation == "sigmoid" else len(description.scheme.classes)
        if logits.shape != (1, channels, *image.shape[:2]):
            raise ModelFileError(
                f"{self._name}: its ONNX twin gives {logits.shape}, not {channels} classes for "
                "each pixel."
            )
        if not np.isfinite(logits).all():
            raise ModelFileError(f"{self._name}: its ONNX twin gives NaN or infinite numbers.")
        said: np.ndarray = logits[0]
        return said


def providers() -> list[str]:
    """What ONNX Runtime can run models on here, the fastest first."""
    # Azure's stands for a remote service, not for this machine.
    return [p for p in onnxruntime.get_available_providers() if p != "AzureExecutionProvider"]


def _probabilities(logits: np.ndarray, activation: str) -> np.ndarray:
    if activation == "sigmoid":
        foreground = 1 / (1 + np.exp(-np.clip(logits[0], -80, 80)))
        return np.stack([1 - foreground, foreground])
    exponent = np.exp(logits - logits.max(0, keepdims=True))
    probabilities: np.ndarray = exponent / exponent.sum(0, keepdims=True)
    return probabilities
