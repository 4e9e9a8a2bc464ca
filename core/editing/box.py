"""Boxes of pixels: (x0, y0, x1, y1), the end exclusive."""

from __future__ import annotations

import numpy as np

Box = tuple[int, int, int, int]


def union(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def intersection(a: Box, b: Box) -> Box | None:
    """What both boxes hold, or None where they share no pixel."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def part(pixels: np.ndarray, box: Box) -> np.ndarray:
    """A box of an array (height x width, or x channels): a view, not a copy."""
    x0, y0, x1, y1 = box
    return pixels[y0:y1, x0:x1]
