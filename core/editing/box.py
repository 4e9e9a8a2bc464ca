"""Boxes of pixels: (x0, y0, x1, y1), the end exclusive."""

from __future__ import annotations

Box = tuple[int, int, int, int]


def union(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def intersection(a: Box, b: Box) -> Box | None:
    """What both boxes hold, or None where they share no pixel."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
