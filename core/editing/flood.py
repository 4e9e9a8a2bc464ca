"""The connected pixels around a point, found in a window that grows only as far as they reach."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from core.editing.box import Box, intersection
from core.editing.brush import Point
from core.editing.region import Region

_FIRST = 512  # half the side of the first window


def pixel_at(point: Point, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """The pixel (x, y) under a point in image coordinates; None outside the image."""
    height, width = shape[:2]
    x, y = point
    return (math.floor(x), math.floor(y)) if 0 <= x < width and 0 <= y < height else None


def flood(like: Callable[[Box], np.ndarray], seed: tuple[int, int], within: Box) -> Region | None:
    """The pixels that belong together with the pixel ``seed`` (x, y), by their four neighbours.

    like: says of the pixels of a box whether they are of the kind (a new array, bool or uint8, not
    0 where they are); within: the box to stay in, which holds the seed. None where the seed itself
    is not of the kind. The cost follows the box of what is found: two bytes a pixel of it.
    """
    x, y = seed
    reach = _FIRST
    while True:
        box = intersection((x - reach, y - reach, x + reach, y + reach), within)
        if box is None:
            return None
        x0, y0 = box[:2]
        kind = like(box).view(np.uint8)
        if not kind[y - y0, x - x0]:
            return None
        np.minimum(kind, 1, out=kind)
        left, top, width, height = cv2.floodFill(kind, None, (x - x0, y - y0), 2)[3]
        found = (x0 + left, y0 + top, x0 + left + width, y0 + top + height)
        if not _reaches_further(found, box, within):
            inside = kind[top : top + height, left : left + width] == 2
            return Region(found, inside)
        reach *= 2


def _reaches_further(found: Box, window: Box, within: Box) -> bool:
    """Whether the pixels found touch a side of the window that could still be moved out."""
    return any(f == w != b for f, w, b in zip(found, window, within, strict=True))
