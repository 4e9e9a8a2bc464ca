"""Segmentation with a model file on ONNX Runtime: no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from core.errors import BadInput
from core.inference.view import fit_whole
from core.labels import BorderRule, LabelScheme, decide, listed
from core.modelfile import ModelFileError, read_description, read_onnx

_BAND = 1 << 20  # probabilities that are held at the image's own size at a time


@dataclass(frozen=True)
class Prediction:
    """What a model says of one image.

    small: float32, C x h x w, class probabilities at the model's resolution; size: (width,
    height) of the image.
    """

    small: np.ndarray
    size: tuple[int, int]
    scheme: LabelScheme
    model: str

    @property
    def probabilities(self) -> np.ndarray:
        """Class probabilities at the image's own size: float32, C x height x width."""
        return np.stack([_resize(p, self.size) for p in self.small])

    def mask(self, wanted: LabelScheme, rule: BorderRule) -> np.ndarray:
        """The mask in the classes of a project: uint8, height x width.

        A trimap model serves a project of two classes under ``rule``; a model of two classes
        serves any project of two, and a trimap without its border. Raises BadInput where the
        classes have nothing to do with each other.
        """
        rule = mask_rule(self.scheme, wanted, rule)
        width, height = self.size
        wide = np.stack([_resize(p, (width, len(p))) for p in self.small])
        mask = np.empty((height, width), np.uint8)
        # Band by band: all probabilities of 100 megapixels would take gigabytes.
        rows = max(1, _BAND // (len(wide) * width))
        for top in range(0, height, rows):
            band = _stretch_rows(wide, height, top, min(top + rows, height))
            mask[top : top + rows] = decide(band, self.scheme, rule)
        return mask

    def probability_of(self, value: int, wanted: LabelScheme, rule: BorderRule) -> np.ndarray:
        """P(a class of a project) over the whole image: float32, h x w, the model's resolution.

        value: the id in ``wanted``; classes map as in ``mask``. Zeros where the model does not
        know the class. Raises BadInput as ``mask`` does.
        """
        rule = mask_rule(self.scheme, wanted, rule)
        if self.scheme.border_id is None or rule is BorderRule.CLASS:
            return self.small[value] if value < len(self.small) else np.zeros_like(self.small[0])
        background, pet = self.small[0], self.small[1]
        if value not in (0, 1):
            return np.zeros_like(background)
        foreground: np.ndarray = {
            BorderRule.FOREGROUND: 1 - background,
            BorderRule.BACKGROUND: pet,
            BorderRule.IGNORE: pet / np.maximum(pet + background, 1e-7),
        }[rule]
        return foreground if value else 1 - foreground

    @property
    def uncertainty(self) -> float:
        """Mean entropy of the pixels as a share of the largest possible one: 0 to 1."""
        entropy = -(self.small * np.log(np.clip(self.small, 1e-7, 1))).sum(0)
        return float(entropy.mean() / np.log(len(self.small)))


class Predictor:
    """A loaded model. ``predict`` may be called from any one thread at a time."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """threads: CPU threads, 0 for all cores. Raises ModelFileError."""
        self.description = read_description(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                read_onnx(path, self.description),
                options,
                providers=providers(),
            )
        except _ORT_ERRORS as error:
            raise ModelFileError(f"{path.name}: its ONNX twin cannot be run ({error}).") from error

    def predict(self, pixels: np.ndarray, flip: bool = False) -> Prediction:
        """Segment an image of any size. pixels: uint8 RGB, height x width x 3.

        flip: average with the mirrored image: twice the time, a little better.
        """
        fitted = fit_whole(pixels.shape[0], pixels.shape[1], self.description.size)
        image = fitted.place(pixels)
        probabilities = self._run(image)
        if flip:
            probabilities = (probabilities + self._run(image[:, ::-1])[..., ::-1]) / 2
        return Prediction(
            np.ascontiguousarray(fitted.cut(probabilities)),
            (pixels.shape[1], pixels.shape[0]),
            self.description.scheme,
            self.description.id,
        )

    def _run(self, image: np.ndarray) -> np.ndarray:
        tensor = np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32)
        (logits,) = self._session.run(None, {"image": tensor})
        return _probabilities(logits[0] / self.description.temperature, self.description.activation)


def providers() -> list[str]:
    """What ONNX Runtime can run models on here, the fastest first."""
    # Azure's stands for a remote service, not for this machine.
    return [p for p in onnxruntime.get_available_providers() if p != "AzureExecutionProvider"]


def mask_rule(scheme: LabelScheme, wanted: LabelScheme, rule: BorderRule) -> BorderRule:
    """The border rule by which a model's classes become a project's. Raises BadInput."""
    if len(scheme.classes) == len(wanted.classes):
        return BorderRule.CLASS
    if scheme.border_id is not None and len(wanted.classes) == 2:
        return BorderRule.FOREGROUND if rule is BorderRule.CLASS else rule
    if len(scheme.classes) == 2 and wanted.border_id is not None:
        return BorderRule.CLASS
    raise BadInput(
        f"This model knows {listed(scheme.names)}; the project has "
        f"{listed(wanted.names)}. Train a model on this project, or choose another one."
    )


def _probabilities(logits: np.ndarray, activation: str) -> np.ndarray:
    if activation == "sigmoid":
        foreground = 1 / (1 + np.exp(-np.clip(logits[0], -80, 80)))
        return np.stack([1 - foreground, foreground])
    exponent = np.exp(logits - logits.max(0, keepdims=True))
    probabilities: np.ndarray = exponent / exponent.sum(0, keepdims=True)
    return probabilities


def _resize(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)


def _stretch_rows(planes: np.ndarray, height: int, start: int, stop: int) -> np.ndarray:
    """Rows start to stop of planes (C x h x W) stretched to ``height`` rows, bilinear as above."""
    rows = planes.shape[1]
    at = ((np.arange(start, stop) + 0.5) * (rows / height) - 0.5).clip(0, rows - 1)
    low = at.astype(np.intp)
    share = (at - low).astype(np.float32)[:, None]
    stretched: np.ndarray = planes[:, low] * (1 - share)
    stretched += planes[:, np.minimum(low + 1, rows - 1)] * share
    return stretched


_ORT_ERRORS = (
    RuntimeError,
    ValueError,
    onnxruntime.capi.onnxruntime_pybind11_state.Fail,
    onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument,
    onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph,
    onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf,
    onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented,
)
