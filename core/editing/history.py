"""Undo and redo of mask edits, as compressed before and after pixels of what changed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from core.editing.box import Box, union

TILE = 256
"""Edits are compared and kept in tiles, so that a long thin stroke costs what it covers."""

_OVERHEAD = 256  # bytes of Python objects a patch


@dataclass(frozen=True, slots=True)
class Patch:
    """The changed box inside one tile: its pixels before and after, packed.

    Packed is one byte, where all pixels hold that value, or else zlib-compressed rows.
    """

    box: Box
    before: bytes
    after: bytes

    def pixels_before(self) -> np.ndarray:
        """The pixels before the edit: uint8, box height x box width, read-only."""
        return _unpack(self.before, self.box)

    def pixels_after(self) -> np.ndarray:
        """The pixels after the edit: uint8, box height x box width, read-only."""
        return _unpack(self.after, self.box)


@dataclass(frozen=True, slots=True)
class Edit:
    """One undoable change: its title ("Brush"), its bounding box, the changed pixels."""

    title: str
    box: Box
    patches: tuple[Patch, ...]

    @property
    def nbytes(self) -> int:
        return sum(len(p.before) + len(p.after) + _OVERHEAD for p in self.patches)

    @property
    def boxes(self) -> list[Box]:
        """The boxes that change, one a tile."""
        return [patch.box for patch in self.patches]

    def apply(self, mask: np.ndarray) -> None:
        """Make the change in ``mask`` (uint8, height x width), in place."""
        for patch in self.patches:
            x0, y0, x1, y1 = patch.box
            mask[y0:y1, x0:x1] = patch.pixels_after()

    def revert(self, mask: np.ndarray) -> None:
        """Take the change back in ``mask`` (uint8, height x width), in place."""
        for patch in self.patches:
            x0, y0, x1, y1 = patch.box
            mask[y0:y1, x0:x1] = patch.pixels_before()


@dataclass(frozen=True, slots=True)
class Step:
    """An edit that was made (or made again), or taken back."""

    edit: Edit
    back: bool = False

    def packed(self) -> Iterator[tuple[Box, bytes]]:
        """Each box that changed with the pixels it holds now, packed as in ``Patch``."""
        for patch in self.edit.patches:
            yield patch.box, patch.before if self.back else patch.after


class History:
    """The edits of one mask, oldest first.

    It holds no mask: it is handed the mask to change, which must be as the last push, undo or
    redo left it. So it outlives the mask's stay in memory.
    """

    def __init__(self) -> None:
        self.on_step: Callable[[Step], None] | None = None
        """Is told of every edit that is made, taken back or made again."""
        self.forgot = False
        """Whether undo can no longer go back to the first edit."""
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
    def done_titles(self) -> list[str]:
        """The titles of the edits that undo would take back, the oldest first."""
        return [edit.title for edit in self._done]

    @property
    def undone_titles(self) -> list[str]:
        """The titles of the edits that redo would repeat, the next one first."""
        return [edit.title for edit in reversed(self._undone)]

    @property
    def to_undo(self) -> Edit | None:
        """The edit that undo would take back, None where there is none."""
        return self._done[-1] if self._done else None

    @property
    def to_redo(self) -> Edit | None:
        """The edit that redo would repeat, None where there is none."""
        return self._undone[-1] if self._undone else None

    @property
    def nbytes(self) -> int:
        """The memory that the edits hold, done and undone."""
        return self._nbytes

    @property
    def steps(self) -> int:
        """How many edits are held, done and undone."""
        return len(self._done) + len(self._undone)

    def push(self, edit: Edit) -> None:
        """Remember an edit that has just been made; what was undone can no longer be redone."""
        self._nbytes += edit.nbytes - sum(e.nbytes for e in self._undone)
        self._undone.clear()
        self._done.append(edit)
        self._tell(Step(edit))

    def forget_oldest(self) -> None:
        """Free the memory of the edit that undo would come to last (else redo would)."""
        edits = self._done or self._undone
        self.forgot = self.forgot or bool(self._done)
        if edits:
            self._nbytes -= edits.pop(0).nbytes

    def undo(self, mask: np.ndarray) -> Box | None:
        """Take the last edit back in ``mask`` (uint8, height x width), in place.

        Returns the changed box, or None where there is nothing to undo.
        """
        if not self._done:
            return None
        edit = self._done.pop()
        self._undone.append(edit)
        edit.revert(mask)
        self._tell(Step(edit, back=True))
        return edit.box

    def redo(self, mask: np.ndarray) -> Box | None:
        """Repeat the edit last undone in ``mask`` (uint8, height x width), in place.

        Returns the changed box, or None where there is nothing to redo.
        """
        if not self._undone:
            return None
        edit = self._undone.pop()
        self._done.append(edit)
        edit.apply(mask)
        self._tell(Step(edit))
        return edit.box

    def _tell(self, step: Step) -> None:
        if self.on_step is not None:
            self.on_step(step)


def keep_tiles(mask: np.ndarray, box: Box, kept: dict[Box, np.ndarray]) -> None:
    """Add the tiles that a box inside ``mask`` touches to ``kept``, as they are now.

    mask: uint8, height x width; kept: by their boxes on the grid; those it holds stay. A tile of
    a single value takes no memory.
    """
    x0, y0, x1, y1 = box
    for y in range(y0 // TILE * TILE, y1, TILE):
        columns = range(x0 // TILE * TILE, x1, TILE)
        missing = [x for x in columns if (x, y, x + TILE, y + TILE) not in kept]
        if not missing:
            continue
        # A row of tiles at once: each call of NumPy's may have to wait for other threads.
        left = missing[0]
        row = mask[y : y + TILE, left : missing[-1] + TILE]
        lowest, highest = row.min(axis=0), row.max(axis=0)
        for x in missing:
            at = slice(x - left, x - left + TILE)
            tile = row[:, at]
            flat = lowest[at].min() == highest[at].max()
            compact = np.broadcast_to(tile[0, 0].copy(), tile.shape) if flat else tile.copy()
            kept[x, y, x + TILE, y + TILE] = compact


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
    if _is_flat(before) and _is_flat(after):  # most tiles of a large edit: no need to look closer
        if before[0, 0] == after[0, 0]:
            return None
        height, width = before.shape
        return Patch((x, y, x + width, y + height), pack(before), pack(after))
    differs = before != after
    rows = np.flatnonzero(differs.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(differs.any(axis=0))
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    return Patch(
        (x + x0, y + y0, x + x1, y + y1),
        pack(before[y0:y1, x0:x1]),
        pack(after[y0:y1, x0:x1]),
    )


def edit_of(patches: list[Patch], title: str) -> Edit | None:
    """One edit of some patches, or None of none."""
    if not patches:
        return None
    return Edit(title, reduce(union, (p.box for p in patches)), tuple(patches))


def pack(pixels: np.ndarray) -> bytes:
    """Pixels (uint8, height x width) as a patch keeps them."""
    if _is_flat(pixels):
        return bytes((pixels[0, 0],))
    return zlib.compress(pixels.tobytes(), 1)


def _is_flat(pixels: np.ndarray) -> bool:
    """Whether all pixels have one value."""
    if not any(pixels.strides):  # one value shown many times over: see ``keep_tiles``
        return True
    flat: bool = pixels.min() == pixels.max()
    return flat


def _unpack(data: bytes, box: Box) -> np.ndarray:
    x0, y0, x1, y1 = box
    shape = y1 - y0, x1 - x0
    if len(data) == 1:  # no zlib stream is that short
        return np.broadcast_to(np.uint8(data[0]), shape)
    return np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)
