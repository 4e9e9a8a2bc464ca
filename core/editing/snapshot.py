"""A mask as of now, for another thread to read later while the window goes on painting it.

Making one costs nothing, whatever the size of the mask: the one who paints keeps a tile just
before it changes, and only until the reader has come past it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock

import numpy as np

from core.editing.box import Box
from core.editing.history import TILE, keep_tiles

_BAND = TILE // 4  # rows; a painter waits for no more
_PAUSE = 0.0002  # seconds between two bands, in which a waiting painter gets the lock


class Snapshot:
    """One mask (uint8, height x width) as it was when this was made.

    ``protect`` belongs to the thread that changes the mask, ``pixels`` to any other.
    """

    def __init__(self, mask: np.ndarray, kept: Mapping[Box, np.ndarray] | None = None) -> None:
        """kept: of tiles that an unfinished edit has changed already, how they were before it.

        See ``Draft.kept``: with it the snapshot is the mask as of the last committed edit.
        """
        self._mask = mask
        self._kept = dict(kept or {})
        self._copied = 0  # rows, from the top, that need no protection any more
        self._pixels: np.ndarray | None = None
        self._lock = Lock()  # held for one band, or one change, at a time
        self._reading = Lock()

    @property
    def taken(self) -> bool:
        """Whether the pixels have been read, so that ``protect`` has nothing left to do."""
        return bool(self._copied >= self._mask.shape[0])

    def protect(self, box: Box) -> None:
        """Keep what a box inside the mask holds; call it before each change of those pixels."""
        x0, y0, x1, y1 = box
        with self._lock:
            y0 = max(y0, self._copied)
            if y0 < y1:
                keep_tiles(self._mask, (x0, y0, x1, y1), self._kept)

    def pixels(self) -> np.ndarray:
        """The mask as it was: uint8, height x width, read-only. Copied by the first call."""
        with self._reading:
            if self._pixels is None:
                self._pixels = self._copy()
            return self._pixels

    def _copy(self) -> np.ndarray:
        height, width = self._mask.shape
        copy = np.empty((height, width), np.uint8)
        while self._copied < height:
            start = self._copied
            stop = min(start + _BAND, height)
            with self._lock:
                copy[start:stop] = self._mask[start:stop]
                top = start // TILE * TILE
                for x in range(0, width, TILE):
                    before = self._kept.get((x, top, x + TILE, top + TILE))
                    if before is not None:
                        copy[start:stop, x : x + TILE] = before[start - top : stop - top]
                self._copied = stop
            time.sleep(_PAUSE)
        self._kept.clear()
        copy.setflags(write=False)
        return copy
