"""Fill: the connected pixels of one class, as inside an outline that was just drawn."""

from __future__ import annotations

import numpy as np

from core.editing.box import Box
from core.editing.brush import Point
from core.editing.flood import flood, pixel_at
from core.editing.region import Region


def fill_at(mask: np.ndarray, point: Point) -> Region | None:
    """The pixels of the class at ``point`` that are connected with it by their four neighbours.

    So a closed outline holds, also where it is only one pixel thick and runs diagonally.
    mask: uint8, height x width, not written. None where the point is outside.
    """
    height, width = mask.shape
    seed = pixel_at(point, mask.shape)
    if seed is None:
        return None
    value = mask[seed[1], seed[0]]

    def like(box: Box) -> np.ndarray:
        x0, y0, x1, y1 = box
        same: np.ndarray = mask[y0:y1, x0:x1] == value
        return same

    return flood(like, seed, (0, 0, width, height))
