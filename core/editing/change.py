"""From what a tool wants to the edit that does it: classes that are locked never change."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from core.editing.box import Box
from core.editing.history import Edit, edit_of, patch_between, tiles_of
from core.editing.region import Region
from core.labels import MAX_CLASSES

UNCHANGED = MAX_CLASSES
"""No class has this id, and void has another."""


def unlocked(mask: np.ndarray, locked: Collection[int]) -> np.ndarray:
    """Which pixels of ``mask`` (uint8, any shape) may change: bool, of the same shape."""
    allowed: np.ndarray = open_classes(locked)[mask]
    return allowed


def open_classes(locked: Collection[int]) -> np.ndarray:
    """By class id whether its pixels may change: bool, 256."""
    open_ = np.ones(256, bool)
    open_[list(locked)] = False
    return open_


def fill(
    mask: np.ndarray,
    region: Region,
    value: int,
    title: str,
    locked: Collection[int] = (),
    only: int | None = None,
) -> Edit | None:
    """The edit that gives a region's pixels the class ``value``; None where none would change.

    mask: uint8, height x width, not written; only: change nothing but pixels of this class.
    """
    x0, y0, x1, y1 = region.box
    before = mask[y0:y1, x0:x1]
    wanted = region.inside if only is None else region.inside & (before == only)
    return replace(mask, region.box, np.where(wanted, np.uint8(value), before), title, locked)


def replace(
    mask: np.ndarray, box: Box, pixels: np.ndarray, title: str, locked: Collection[int] = ()
) -> Edit | None:
    """The edit that gives a box these pixels (uint8, box height x box width); None of none.

    mask: uint8, height x width, not written. Pixels of locked classes keep their class, and no
    other pixel is given one of them.
    """
    left, top = box[:2]
    patches = []
    for tile in tiles_of(box):
        x0, y0 = max(tile[0], box[0]), max(tile[1], box[1])
        x1, y1 = min(tile[2], box[2]), min(tile[3], box[3])
        before = mask[y0:y1, x0:x1]
        after = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
        if locked:
            after = np.where(unlocked(before, locked) & unlocked(after, locked), after, before)
        patch = patch_between(before, after, x0, y0)
        if patch is not None:
            patches.append(patch)
    return edit_of(patches, title)


def changes(edit: Edit) -> np.ndarray:
    """What an edit changes, to be shown: uint8, the size of its box.

    The new class where a pixel changes, UNCHANGED elsewhere.
    """
    x0, y0, x1, y1 = edit.box
    pixels = np.full((y1 - y0, x1 - x0), UNCHANGED, np.uint8)
    for patch in edit.patches:
        a, b, c, d = patch.box
        after = patch.pixels_after()
        differs = patch.pixels_before() != after
        pixels[b - y0 : d - y0, a - x0 : c - x0][differs] = after[differs]
    return pixels
