"""What a model thinks of one class, over a part of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.editing.box import Box


@dataclass(frozen=True, eq=False)
class ProbabilityMap:
    """P(class) over a box of an image, at any resolution.

    box: in image pixels; values: float32, h x w, 0 to 1, spread evenly over the box.
    """

    box: Box
    values: np.ndarray

    def over(self, box: Box, size: tuple[int, int]) -> np.ndarray:
        """The probabilities over another box of the image, sampled at (width, height) points.

        float32, height x width, bilinear between values; the nearest value where the map ends.
        """
        height, width = self.values.shape
        columns = _positions(box[0], box[2], size[0], self.box[0], self.box[2], width)
        rows = _positions(box[1], box[3], size[1], self.box[1], self.box[3], height)
        # Bilinear is separable: rows first, then columns, and nothing as large as the image.
        return _sample(_sample(self.values, rows).T, columns).T


def _positions(start: int, end: int, steps: int, left: int, right: int, cells: int) -> np.ndarray:
    """Where the centres of ``steps`` equal parts of start to end lie on a row of cells."""
    centres = start + (np.arange(steps) + 0.5) * ((end - start) / steps)
    at: np.ndarray = ((centres - left) * (cells / (right - left)) - 0.5).clip(0, cells - 1)
    return at


def _sample(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rows of ``values`` at fractional positions, blended."""
    low = at.astype(np.intp)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low).astype(np.float32)[:, None]
    blended: np.ndarray = values[low] * (1 - share) + values[high] * share
    return blended
