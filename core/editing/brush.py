"""A round brush: every pixel whose centre lies within half the size of the stroke's line.

A stroke's segment is convex, so each row of it is one run of pixels: the runs are computed
exactly, and no image of the brush is ever drawn.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from core.editing.box import Box, intersection
from core.editing.change import open_classes

MAX_SIZE = 2000

Point = tuple[float, float]

# Centres on the very edge of the brush count, whatever the rounding of the last digit.
_EPSILON = 1e-6


def snap(x: float, y: float, size: int) -> Point:
    """Where a brush of this size really paints: odd sizes at pixel centres, even ones between.

    So the brush keeps one shape as it moves, and size 1 is exactly the pixel under the pointer.
    """
    if size % 2:
        return math.floor(x) + 0.5, math.floor(y) + 0.5
    return float(math.floor(x + 0.5)), float(math.floor(y + 0.5))


def segment_box(shape: tuple[int, ...], start: Point, end: Point, size: int) -> Box | None:
    """The box that a segment paints in, inside a mask of ``shape``; None where it is outside."""
    (ax, ay), (bx, by) = snap(*start, size), snap(*end, size)
    radius = size / 2
    height, width = shape[:2]
    box = (
        math.ceil(min(ax, bx) - radius - 0.5),
        math.ceil(min(ay, by) - radius - 0.5),
        math.floor(max(ax, bx) + radius - 0.5) + 1,
        math.floor(max(ay, by) + radius - 0.5) + 1,
    )
    return intersection(box, (0, 0, width, height))


def paint_segment(
    mask: np.ndarray,
    start: Point,
    end: Point,
    size: int,
    value: int,
    locked: Collection[int] = (),
) -> Box | None:
    """Paint one segment of a stroke into ``mask`` (uint8, height x width), in place.

    start, end: image coordinates (pixel (0, 0) spans 0 to 1), anywhere; size: the diameter in
    pixels, 1 to MAX_SIZE; value: the class id; locked: classes whose pixels stay as they are.
    Returns the box it painted in, None outside.
    """
    box = segment_box(mask.shape, start, end, size)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    left, right = _edges(np.arange(y0, y1) + 0.5, snap(*start, size), snap(*end, size), size / 2)
    first = np.ceil(left - 0.5 - _EPSILON).clip(x0, x1).astype(np.intp)
    last = np.floor(right + 0.5 + _EPSILON).clip(x0, x1).astype(np.intp)
    may_change = open_classes(locked)
    for row, a, b in zip(mask[y0:y1], first.tolist(), last.tolist(), strict=True):
        if locked:
            run = row[a:b]
            run[may_change[run]] = value
        else:
            row[a:b] = value
    return box


def _edges(rows: np.ndarray, a: Point, b: Point, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the thick line from a to b begins and ends on each row (inf, -inf where it is not).

    Its outline is two circles and two straight sides; on every row the outermost points count.
    """
    left = np.full(rows.shape, np.inf)
    right = np.full(rows.shape, -np.inf)
    for x, y in (a, b):
        squared = radius * radius - (rows - y) ** 2
        half = np.sqrt(np.maximum(squared, 0.0))
        inside = squared >= 0.0
        left = np.where(inside, np.minimum(left, x - half), left)
        right = np.where(inside, np.maximum(right, x + half), right)
    dx, dy = b[0] - a[0], b[1] - a[1]
    if dy:
        length = math.hypot(dx, dy)
        nx, ny = -dy / length * radius, dx / length * radius
        for side in (1.0, -1.0):
            # How far along the side each row crosses it.
            along = (rows - (a[1] + side * ny)) / dy
            x_on_side = a[0] + side * nx + along * dx
            inside = (along >= 0.0) & (along <= 1.0)
            left = np.where(inside, np.minimum(left, x_on_side), left)
            right = np.where(inside, np.maximum(right, x_on_side), right)
    return left, right
