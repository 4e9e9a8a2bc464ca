"""Outlines drawn by hand: exactly the pixels whose centre is inside.

A centre on the very edge counts on the left and the top, not on the right and the bottom, so that
two outlines that share a side share no pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.editing.box import Box, intersection
from core.editing.brush import Point
from core.editing.region import Region, region_of

# Coordinates are cut to this, far outside of any image, so that no product of them overflows.
_FAR = 1e9

# Rows at a time: bounds the memory that an outline of many long edges takes.
_BAND = 256


def polygon(points: Sequence[Point], shape: tuple[int, ...]) -> Region | None:
    """The inside of a closed outline, by the even-odd rule, within an image of ``shape``.

    points: the corners in image coordinates, anywhere; the last is joined to the first. A lasso is
    a polygon of many corners. Costs its box (bool) and what it crosses of each row. None where no
    pixel's centre is inside.
    """
    if len(points) < 3:
        return None
    corners = np.clip(np.array(points, np.float64), -_FAR, _FAR)
    box = _centres_within(corners.min(axis=0), corners.max(axis=0), shape)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    width = x1 - x0
    inside = np.zeros((y1 - y0, width), bool)
    edges = _edges(corners)
    for top in range(y0, y1, _BAND):
        rows, columns = _crossings(edges, top, min(top + _BAND, y1))
        at = (rows - top) * width + (columns - x0).clip(0, width)
        at.sort()
        # Every row is crossed an even number of times: from each odd crossing to the next it is in.
        band = inside[top - y0 : top - y0 + _BAND].reshape(-1)
        for first, last in zip(at[::2].tolist(), at[1::2].tolist(), strict=True):
            band[first:last] = True
    return region_of(inside, x0, y0)


def rectangle(a: Point, b: Point, shape: tuple[int, ...]) -> Region | None:
    """The rectangle between two opposite corners, within an image of ``shape``."""
    box = _centres_within(np.minimum(a, b), np.maximum(a, b), shape)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return Region(box, np.ones((y1 - y0, x1 - x0), bool))


def ellipse(a: Point, b: Point, shape: tuple[int, ...]) -> Region | None:
    """The ellipse that fits between two opposite corners, within an image of ``shape``."""
    low = np.clip(np.minimum(a, b), -_FAR, _FAR)
    high = np.clip(np.maximum(a, b), -_FAR, _FAR)
    box = _centres_within(low, high, shape)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    (cx, cy), (rx, ry) = (low + high) / 2, (high - low) / 2
    down = (np.arange(y0, y1) + 0.5 - cy) / ry
    half = rx * np.sqrt(np.maximum(1.0 - down * down, 0.0))[:, None]
    first = np.ceil(cx - half - 0.5).clip(x0, x1).astype(np.int32)
    last = np.ceil(cx + half - 0.5).clip(x0, x1).astype(np.int32)
    columns = np.arange(x0, x1, dtype=np.int32)
    return region_of((columns >= first) & (columns < last), x0, y0)


def _centres_within(low: np.ndarray, high: np.ndarray, shape: tuple[int, ...]) -> Box | None:
    """The box of the pixels whose centres lie between two corners (x, y)."""
    height, width = shape[:2]
    x0, y0 = np.ceil(np.clip(low, -_FAR, _FAR) - 0.5).astype(int).tolist()
    x1, y1 = np.ceil(np.clip(high, -_FAR, _FAR) - 0.5).astype(int).tolist()
    return intersection((x0, y0, x1, y1), (0, 0, width, height))


def _edges(corners: np.ndarray) -> np.ndarray:
    """The sides of a closed outline, each from top to bottom: float64, N x (x, y, x, y)."""
    ends = np.roll(corners, -1, axis=0)
    down = (corners[:, 1] <= ends[:, 1])[:, None]
    return np.hstack([np.where(down, corners, ends), np.where(down, ends, corners)])


def _crossings(edges: np.ndarray, top: int, bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the sides cross the middle of the rows from top to bottom (exclusive).

    Returns the row of each crossing and the first pixel whose centre is not left of it.
    """
    first = np.ceil(edges[:, 1] - 0.5).clip(top, bottom).astype(np.intp)
    last = np.ceil(edges[:, 3] - 0.5).clip(top, bottom).astype(np.intp)
    counts = last - first
    which = np.repeat(np.arange(len(edges)), counts)
    # 0, 1, 2, ... within each side.
    rows = first[which] + np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    ax, ay, bx, by = edges[which].T
    crossing = ax + (rows + 0.5 - ay) / (by - ay) * (bx - ax)
    return rows, np.ceil(crossing - 0.5).astype(np.intp)
