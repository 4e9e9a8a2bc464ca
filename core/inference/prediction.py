"""What a model said of an image, and the masks that it gives. Runs no model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, sqrt

import cv2
import numpy as np

from core.editing.cleanup import CLEAN_UPS
from core.errors import BadInput
from core.inference.options import PredictOptions
from core.labels import BACKGROUND, BorderRule, LabelScheme, decide, listed

MOST_FLOATS = 1 << 25
"""Probabilities that are held as float32 at a time: 128 MB."""
MOST_BYTES = 1 << 29
"""Probabilities that a Prediction holds at all, as uint8."""
_BAND = 1 << 20  # probabilities that are held at the image's own size at a time
_PLAIN = PredictOptions()
_CLEAN_UPS = {clean_up.id: clean_up for clean_up in CLEAN_UPS}


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of one image.

    planes: C x h x w, class probabilities over the whole image at the model's resolution: float32,
    0 to 1, or uint8, 0 to 255; size: (width, height) of the image; model: its id.
    """

    planes: np.ndarray
    size: tuple[int, int]
    scheme: LabelScheme
    model: str

    @property
    def small(self) -> np.ndarray:
        """Class probabilities at the model's resolution: float32, C x h x w, 0 to 1.

        At a lower one where they would take more than 128 MB.
        """
        planes = self.planes
        if planes.size > MOST_FLOATS:
            by = ceil(sqrt(planes.size / MOST_FLOATS))
            planes = np.stack([shrunk(p, by) for p in planes])
        return _floats(planes)

    @property
    def probabilities(self) -> np.ndarray:
        """Class probabilities at the image's own size: float32, C x height x width."""
        return self._rows(0, self.size[1])

    def quantised(self) -> Prediction:
        """The same in steps of 1/255, a quarter of the memory: what a ProbabilityCache keeps."""
        return replace(self, planes=to_bytes(self.planes))

    def mask(
        self, wanted: LabelScheme, rule: BorderRule, options: PredictOptions = _PLAIN
    ) -> np.ndarray:
        """The mask in the classes of a project: uint8, height x width.

        A trimap model serves a project of two classes under ``rule``; a model of two classes
        serves any project of two, and a trimap without its border. Of the options threshold,
        classes and clean-ups count here. Raises BadInput where the classes have nothing to do with
        each other.
        """
        rule = mask_rule(self.scheme, wanted, rule)
        width, height = self.size
        mask = np.empty((height, width), np.uint8)
        # Band by band: all probabilities of 100 megapixels would take gigabytes.
        one = _deciding(self.scheme, rule)
        rows = max(1, _BAND // (width * (1 if one is not None else len(self.planes))))
        for top in range(0, height, rows):
            band = self._rows(top, min(top + rows, height), one)
            mask[top : top + rows] = decide(band, self.scheme, rule, options.threshold)
        return _finished(mask, options)

    def probability_of(self, value: int, wanted: LabelScheme, rule: BorderRule) -> np.ndarray:
        """P(a class of a project) over the whole image: float32, h x w, as ``small``.

        value: the id in ``wanted``; classes map as in ``mask``. Zeros where the model does not
        know the class. Raises BadInput as ``mask`` does.
        """
        rule = mask_rule(self.scheme, wanted, rule)
        small = self.small
        if self.scheme.border_id is None or rule is BorderRule.CLASS:
            return small[value] if value < len(small) else np.zeros_like(small[0])
        background, pet = small[0], small[1]
        if value not in (0, 1):
            return np.zeros_like(background)
        foreground: np.ndarray = {
            BorderRule.FOREGROUND: 1 - background,
            BorderRule.BACKGROUND: pet,
            BorderRule.IGNORE: pet / np.maximum(pet + background, 1e-7),
        }[rule]
        return foreground if value else 1 - foreground

    @property
    def uncertainty_map(self) -> np.ndarray:
        """Entropy of each pixel as a share of the largest possible: float32, h x w, as ``small``.

        0: sure; 1: all classes alike.
        """
        small = self.small
        entropy = np.zeros_like(small[0])
        for plane in small:
            entropy -= plane * np.log(np.maximum(plane, 1e-7))
        share: np.ndarray = (entropy / np.float32(np.log(len(small)))).clip(0, 1)
        return share

    @cached_property
    def uncertainty(self) -> float:
        """The mean of ``uncertainty_map``: 0 to 1."""
        return float(self.uncertainty_map.mean(dtype=np.float64))

    def _rows(self, start: int, stop: int, one: int | None = None) -> np.ndarray:
        """Rows of the image: float32, C x (stop - start) x width, bilinear between the planes'.

        one: the only plane that is wanted; it stands in the place of all others, too.
        """
        if one is not None:
            alone = replace(self, planes=self.planes[one : one + 1])._rows(start, stop)
            return np.broadcast_to(alone, (len(self.planes), *alone.shape[1:]))
        width, height = self.size
        rows = self.planes.shape[1]
        at = ((np.arange(start, stop) + 0.5) * (rows / height) - 0.5).clip(0, rows - 1)
        first, last = int(at[0]), min(int(at[-1]) + 1, rows - 1)
        part = _floats(self.planes[:, first : last + 1])
        if (start, stop) == (0, height):
            return np.stack([_resized(p, width, height) for p in part])
        wide = np.stack([_resized(p, width, len(p)) for p in part])
        if rows == height:
            return wide[:, : stop - start]
        at -= first
        low = at.astype(np.intp)
        share = (at - low).astype(np.float32)[:, None]
        stretched: np.ndarray = wide[:, low] * (1 - share)
        stretched += wide[:, np.minimum(low + 1, last - first)] * share
        return stretched


def _deciding(scheme: LabelScheme, rule: BorderRule) -> int | None:
    """The one plane that ``decide`` looks at under a rule; None where it looks at several.

    Stretching planes is what takes the time.
    """
    if scheme.border_id is not None and rule is not BorderRule.CLASS:
        return {BorderRule.FOREGROUND: 0, BorderRule.BACKGROUND: 1}.get(rule)
    return 1 if len(scheme.classes) == 2 else None


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


def to_bytes(planes: np.ndarray) -> np.ndarray:
    """Probabilities (float32, 0 to 1) in steps of 1/255 (uint8); uint8 as it is."""
    if planes.dtype == np.uint8:
        return planes
    steps: np.ndarray = (planes * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return steps


def shrunk(plane: np.ndarray, by: int) -> np.ndarray:
    """A plane ``by`` times smaller each way, by area; what is left over makes a pixel too."""
    height, width = plane.shape
    size = -(-width // by), -(-height // by)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _finished(mask: np.ndarray, options: PredictOptions) -> np.ndarray:
    """The mask with the classes that are left out as background, cleaned up."""
    if options.classes is not None:
        kept = np.full(256, BACKGROUND, np.uint8)
        kept[list(options.classes)] = options.classes
        mask = cv2.LUT(mask, kept)
    amounts = {
        "fill_holes": options.fill_holes,
        "remove_islands": options.remove_islands,
        "keep_largest": int(options.keep_largest),
    }
    for name, amount in amounts.items():
        if amount:
            _, mask = _CLEAN_UPS[name].apply(mask, None, amount)
    return mask


def _floats(planes: np.ndarray) -> np.ndarray:
    if planes.dtype == np.uint8:
        return planes * np.float32(1 / 255)
    return planes


def _resized(plane: np.ndarray, width: int, height: int) -> np.ndarray:
    if plane.shape == (height, width):
        return plane
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
