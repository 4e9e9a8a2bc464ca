"""Regions: some pixels of an image, as a box and which of its pixels are inside.

What every outline, smart tool and clean-up speaks of; an empty region is None.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.editing.box import Box, intersection


@dataclass(frozen=True, eq=False)
class Region:
    """box: within the image; inside: bool, box height x box width, at least one True."""

    box: Box
    inside: np.ndarray

    @property
    def count(self) -> int:
        """How many pixels are inside."""
        return int(np.count_nonzero(self.inside))

    def within(self, box: Box) -> np.ndarray:
        """The region as seen in another box: bool, box height x box width."""
        x0, y0, x1, y1 = box
        seen = np.zeros((y1 - y0, x1 - x0), bool)
        shared = intersection(self.box, box)
        if shared is not None:
            a, b, c, d = shared
            left, top = self.box[:2]
            seen[b - y0 : d - y0, a - x0 : c - x0] = self.inside[
                b - top : d - top, a - left : c - left
            ]
        return seen


def region_of(inside: np.ndarray, x: int = 0, y: int = 0) -> Region | None:
    """The region of the True pixels (bool, height x width), in the smallest box; None of none.

    x, y: where the array's first pixel lies in the image.
    """
    rows = np.flatnonzero(inside.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(inside.any(axis=0))
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    return Region((x + x0, y + y0, x + x1, y + y1), inside[y0:y1, x0:x1])
