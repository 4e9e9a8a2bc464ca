"""Small pictures of the images where the masks differ most from the truth."""

from __future__ import annotations

from bisect import insort

import cv2
import numpy as np

from core.evaluation.result import WORST, ImageScores, badness
from core.images import encode_jpeg
from core.labels import VOID

SIDE = 280
"""A photo fits into so many pixels; its picture is the photo and, beside it, the difference."""

MISSED, INVENTED, OTHER, AGREED = (213, 94, 0), (0, 114, 178), (204, 121, 167), (0, 158, 115)
"""RGB, of Okabe & Ito's palette, which everybody tells apart."""

_OPACITY = 0.65
_QUALITY = 82
_GAP, _GREY = 4, 128


class Worst:
    """Tells which of the images that come are among the worst so far."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, float, str]] = []

    def takes(self, row: ImageScores) -> bool:
        """Whether an image is; it counts as met from now on."""
        if len(self._kept) == WORST and badness(row) > self._kept[-1]:
            return False
        insort(self._kept, badness(row))
        del self._kept[WORST:]
        return True


def picture_of(pixels: np.ndarray, truth: np.ndarray, said: np.ndarray) -> bytes:
    """``draw_picture`` as a JPEG."""
    return encode_jpeg(draw_picture(pixels, truth, said), _QUALITY)


def draw_picture(pixels: np.ndarray, truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Photo and difference side by side: uint8 RGB. pixels: uint8 RGB, height x width x 3."""
    height, width = truth.shape
    shrink = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    photo = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    true, guess = (cv2.resize(m, size, interpolation=cv2.INTER_NEAREST) for m in (truth, said))
    tinted = photo.copy()
    for colour, there in (
        (AGREED, (true == guess) & (true > 0)),
        (MISSED, (true > 0) & (guess == 0)),
        (INVENTED, (true == 0) & (guess > 0)),
        (OTHER, (true > 0) & (guess > 0) & (true != guess)),
    ):
        there &= true != VOID
        tint = photo[there] * (1 - _OPACITY) + np.array(colour) * _OPACITY
        tinted[there] = tint.astype(np.uint8)
    gap = np.full((size[1], _GAP, 3), _GREY, np.uint8)
    return np.hstack([photo, gap, tinted])
