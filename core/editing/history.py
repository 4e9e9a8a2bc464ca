"""Undo and redo of mask edits, as compressed before and after pixels of what changed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from core.editing.box import Box, union

TILE = 256
"""Edits are compared and kept in tiles, so that a long thin stroke costs what it covers."""

_LIMIT = 64 << 20
_OVERHEAD = 256  # bytes of Python objects a patch


@dataclass(frozen=True, slots=True)
class Patch:
    """The changed box inside one tile: its pixels before and after, zlib-compressed rows."""

    box: Box
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Edit:
    """One undoable change: its title ("Brush"), its bounding box, the changed pixels."""

    title: str
    box: Box
    patches: tuple[Patch, ...]

    @property
    def nbytes(self) -> int:
        return sum(len(p.before) + len(p.after) + _OVERHEAD for p in self.patches)


class History:
    """The edits of one mask, oldest first; the oldest are forgotten beyond ``limit`` bytes.

    It holds no mask: it is handed the mask to change, which must be as the last push, undo or
    redo left it. So it outlives the mask's stay in memory.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._nbytes = 0

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def undo_title(self) -> str:
        """The title of the edit that undo would take back, or ``""``."""
        return self._done[-1].title if self._done else ""

    @property
    def redo_title(self) -> str:
        """The title of the edit that redo would repeat, or ``""``."""
        return self._undone[-1].title if self._undone else ""

    @property
    def nbytes(self) -> int:
        """The memory that the edits hold, done and undone."""
        return self._nbytes

    def push(self, edit: Edit) -> None:
        """Remember an edit that has just been made; what was undone can no longer be redone.

        The newest edit is kept even where it alone is above the limit.
        """
        self._nbytes += edit.nbytes - sum(e.nbytes for e in self._undone)
        self._undone.clear()
        self._done.append(edit)
        while self._nbytes > self._limit and len(self._done) > 1:
            self._nbytes -= self._done.pop(0).nbytes

    def undo(self, mask: np.ndarray) -> Box | None:
        """Take the last edit back in ``mask`` (uint8, height x width), in place.

        Returns the changed box, or None where there is nothing to undo.
        """
        if not self._done:
            return None
        edit = self._done.pop()
        self._undone.append(edit)
        for patch in edit.patches:
            _write(mask, patch.box, patch.before)
        return edit.box

    def redo(self, mask: np.ndarray) -> Box | None:
        """Repeat the edit last undone in ``mask`` (uint8, height x width), in place.

        Returns the changed box, or None where there is nothing to redo.
        """
        if not self._undone:
            return None
        edit = self._undone.pop()
        self._done.append(edit)
        for patch in edit.patches:
            _write(mask, patch.box, patch.after)
        return edit.box


def tiles_of(box: Box) -> Iterator[Box]:
    """The tiles of the grid that a box (no negative coordinates) touches, at their full size."""
    x0, y0, x1, y1 = box
    for y in range(y0 // TILE * TILE, y1, TILE):
        for x in range(x0 // TILE * TILE, x1, TILE):
            yield x, y, x + TILE, y + TILE


def compare(before: np.ndarray, after: np.ndarray, title: str) -> Edit | None:
    """The edit that turns one mask into another, or None where they are equal.

    before, after: uint8, height x width, of the same shape.
    """
    height, width = before.shape
    patches = []
    for x0, y0, x1, y1 in tiles_of((0, 0, width, height)):
        patch = patch_between(before[y0:y1, x0:x1], after[y0:y1, x0:x1], x0, y0)
        if patch is not None:
            patches.append(patch)
    return edit_of(patches, title)


def patch_between(before: np.ndarray, after: np.ndarray, x: int, y: int) -> Patch | None:
    """The patch that turns one tile into another, or None where they are equal.

    before, after: uint8, of the same shape; x, y: the tile's corner in the mask.
    """
    differs = before != after
    rows = np.flatnonzero(differs.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(differs.any(axis=0))
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    return Patch(
        (x + x0, y + y0, x + x1, y + y1),
        zlib.compress(before[y0:y1, x0:x1].tobytes(), 1),
        zlib.compress(after[y0:y1, x0:x1].tobytes(), 1),
    )


def edit_of(patches: list[Patch], title: str) -> Edit | None:
    """One edit of some patches, or None of none."""
    if not patches:
        return None
    return Edit(title, reduce(union, (p.box for p in patches)), tuple(patches))


def _write(mask: np.ndarray, box: Box, data: bytes) -> None:
    x0, y0, x1, y1 = box
    pixels = np.frombuffer(zlib.decompress(data), np.uint8)
    mask[y0:y1, x0:x1] = pixels.reshape(y1 - y0, x1 - x0)
