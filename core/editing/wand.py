"""The magic wand: the pixels whose colour is like the colour at a point."""

from __future__ import annotations

import cv2
import numpy as np

from core.editing.box import Box
from core.editing.brush import Point
from core.editing.flood import flood, pixel_at
from core.editing.region import Region, region_of


def wand(pixels: np.ndarray, point: Point, tolerance: int, contiguous: bool) -> Region | None:
    """The pixels of which no channel differs by more than ``tolerance`` from the point's colour.

    pixels: uint8 RGB, height x width x 3, not written; tolerance: 0 to 255; the point's colour is
    the mean of its 3 x 3 pixels, or its own where the mean is not like it. contiguous: only what
    is connected with the point by four neighbours. None where the point is outside.

    Contiguous, it costs the box of what it finds; otherwise the whole image. Either takes two
    bytes a pixel of that beside what it returns.
    """
    height, width = pixels.shape[:2]
    seed = pixel_at(point, pixels.shape)
    if seed is None:
        return None
    low, high = _range(pixels, seed, tolerance)

    def like(box: Box) -> np.ndarray:
        x0, y0, x1, y1 = box
        return cv2.inRange(pixels[y0:y1, x0:x1], low, high)

    whole = (0, 0, width, height)
    return flood(like, seed, whole) if contiguous else region_of(like(whole) != 0)


def _range(
    pixels: np.ndarray, seed: tuple[int, int], tolerance: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The lowest and highest colour that is like the seed's."""
    x, y = seed
    own = pixels[y, x].astype(np.float64)
    around = pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
    mean = np.rint(around.reshape(-1, 3).mean(axis=0))
    # On a line or in a corner the mean is the colour of nothing: the pixel clicked must be in.
    centre = mean if np.abs(mean - own).max() <= tolerance else own
    return tuple((centre - tolerance).clip(0)), tuple((centre + tolerance).clip(max=255))
