"""An edit in progress: the pixels as they were, kept tile by tile just before they change.

Nothing is copied when a stroke starts and nothing outside the tiles it touches is looked at when
it ends, so that a stroke costs the same on a 100-megapixel mask as on a small one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np

from core.editing.box import Box, intersection, union
from core.editing.history import Edit, edit_of, keep_tiles, patch_between


class Draft:
    """Guards one mask (uint8, height x width) while a tool changes it in place."""

    def __init__(self, mask: np.ndarray) -> None:
        self._mask = mask
        self._kept: dict[Box, np.ndarray] = {}

    @property
    def kept(self) -> Mapping[Box, np.ndarray]:
        """The tiles that may have changed, as they were before this edit, for a ``Snapshot``."""
        return self._kept

    def protect(self, box: Box) -> None:
        """Keep what a box inside the mask holds; call it before each change of those pixels."""
        keep_tiles(self._mask, box, self._kept)

    def finish(self, title: str) -> Edit | None:
        """What has changed since the first ``protect``, or None where nothing has."""
        patches = []
        for (x0, y0, x1, y1), before in self._kept.items():
            patch = patch_between(before, self._mask[y0:y1, x0:x1], x0, y0)
            if patch is not None:
                patches.append(patch)
        return edit_of(patches, title)

    def restore(self) -> Box | None:
        """Put every pixel back; returns the box that may have changed, None where none has."""
        if not self._kept:
            return None
        for (x0, y0, x1, y1), before in self._kept.items():
            self._mask[y0:y1, x0:x1] = before
        height, width = self._mask.shape
        return intersection(reduce(union, self._kept), (0, 0, width, height))
