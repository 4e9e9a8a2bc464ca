"""What comes of an explanation. Imports nothing heavy: a window shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.editing.box import Box
from core.editing.probability import ProbabilityMap

_LONGEST = 2048  # of a map over an image, in its pixels


@dataclass(frozen=True, eq=False)
class Explanation:
    """How much each place mattered: values (float32, h x w, 0 to 1) over a box of the image.

    1: as much as ``peak``, the largest there is; about: what was asked about, in words; grain: how
    many image pixels wide one independent value is.
    """

    values: np.ndarray
    box: Box
    peak: float
    about: str
    grain: float

    def over_image(self, size: tuple[int, int]) -> np.ndarray:
        """The values over the whole image: uint8, 0 to 255; 0 where the network did not look.

        size: (width, height) of the image. Neither side of the result is longer than 2048.
        """
        width, height = size
        if self.box == (0, 0, width, height):
            return to_steps(self.values)
        by = max(1.0, max(size) / _LONGEST)
        whole = np.zeros((max(1, round(height / by)), max(1, round(width / by))), np.uint8)
        x0, y0, x1, y1 = (round(side / by) for side in self.box)
        part = whole[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
        seen = ProbabilityMap(self.box, self.values).over(self.box, part.shape[::-1])
        part[:] = to_steps(seen)
        return whole


def to_steps(values: np.ndarray) -> np.ndarray:
    """0 to 1 -> uint8, 0 to 255."""
    steps: np.ndarray = (values * 255 + 0.5).astype(np.uint8)
    return steps
