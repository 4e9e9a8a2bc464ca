"""How confidently a network that never saw a mask disagrees with it, in one number.

Two things make a mask suspicious, and the stronger counts. Its outline runs where the network sees
no edge: the mask is shifted, too wide or too tight. Or the network is sure that a part of it, away
from the outline, is something else: an animal was forgotten, or is of another class. The second is
confident disagreement as in confident learning (Northcutt, Jiang and Chuang 2021); averaged over
pixels it misses what is wrong by a few pixels all around, and so does the published softmin (Lad
and Mueller 2023). docs/decisions/0024 has the figures by which this was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.labels import VOID

TOLERANCE = 0.02
"""Of the longer side: the width of the band on each side of an outline."""

SURE = 0.8
"""A network is sure of what it gives at least this probability."""


@dataclass(frozen=True)
class Suspicion:
    """What speaks against a mask.

    outline, inside: 0 to 1, see ``outline_doubt`` and ``sure_share``. wrong: the share of the
    labelled pixels (0 to 1) where the network is sure of another class, away from outlines; given,
    said: the ids of the mask's class and the network's that meet in most of those, given None
    where there are none.
    """

    outline: float
    inside: float
    wrong: float
    given: int | None
    said: int

    @property
    def score(self) -> float:
        """0 to 1, the higher the more suspicious."""
        return max(self.outline, self.inside)


def suspicion_of(mask: np.ndarray, probabilities: np.ndarray) -> Suspicion:
    """Compare a mask with what a network says.

    mask: uint8 h x w, class ids and VOID, which counts for nothing; probabilities: float32
    C x h x w, sums of 1.
    """
    bands = {c: outline_bands(mask, c, len(probabilities)) for c in _present(mask, probabilities)}
    labelled = mask < len(probabilities)
    far = labelled.copy()
    for inner, outer in bands.values():
        far &= ~(inner | outer)
    said = probabilities.argmax(0).astype(np.uint8)
    sure = far & (said != mask) & (probabilities.max(0) >= SURE)
    pairs = np.bincount(mask[sure].astype(np.intp) * 256 + said[sure], minlength=1)
    top = int(pairs.argmax())
    return Suspicion(
        outline=outline_doubt(mask, probabilities, bands),
        inside=sure_share(mask, said, sure),
        wrong=float(sure.sum() / max(labelled.sum(), 1)),
        given=top // 256 if sure.any() else None,
        said=top % 256,
    )


def outline_bands(mask: np.ndarray, value: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixels just inside and just outside of a class's outline, void left out: bool, h x w."""
    width = max(1, round(max(mask.shape) * TOLERANCE))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    own = mask == value
    other = (mask < classes) & ~own
    near_own, near_other = (
        cv2.dilate(pixels.view(np.uint8), kernel).astype(bool) for pixels in (own, other)
    )
    return own & near_other, other & near_own


def outline_doubt(
    mask: np.ndarray,
    probabilities: np.ndarray,
    bands: dict[int, tuple[np.ndarray, np.ndarray]],
) -> float:
    """0: the network's probabilities step from 1 to 0 across each outline; 0.5: they do not
    change; 1: the other way round. Without any outline: what it gives to other classes.

    bands: class id -> its ``outline_bands``.
    """
    doubts, sizes = [], []
    for value, (inner, outer) in bands.items():
        if inner.any():
            step = probabilities[value][inner].mean() - probabilities[value][outer].mean()
            doubts.append((1 - float(step)) / 2)
            sizes.append(int(inner.sum() + outer.sum()))
    if doubts:
        return float(np.average(doubts, weights=sizes))
    shares = [float((1 - probabilities[c][mask == c]).mean()) for c in bands]
    return max(shares, default=0.0)


def sure_share(mask: np.ndarray, said: np.ndarray, sure: np.ndarray) -> float:
    """The pixels where the network is ``sure`` of another class, as a share of the objects that
    the mask or the network sees: 0 to 1. said: uint8 h x w, its likeliest classes."""
    objects = (mask != VOID) & ((mask > 0) | (said > 0))
    return min(1.0, float(sure.sum()) / max(int(objects.sum()), 1))


def _present(mask: np.ndarray, probabilities: np.ndarray) -> list[int]:
    return [int(c) for c in np.unique(mask) if c < len(probabilities)]
