"""Moving the border of a class: grow, shrink, smooth. Tile by tile: memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from core.editing.box import Box, intersection, part
from core.labels import VOID

_TILE = 1024


def grow(pixels: np.ndarray, value: int, radius: int, within: Box) -> None:
    """Give the class every pixel whose centre is at most ``radius`` px from one of its own.

    pixels: uint8, height x width, changed in place, in the box ``within`` only. The other classes
    and void give way.
    """
    for box, before, core in _tiles(pixels, within, radius):
        own = before == value
        if own.any() and not own.all():
            part(pixels, box)[_near(own, radius)[core]] = value


def shrink(pixels: np.ndarray, value: int, radius: int, within: Box) -> None:
    """Take from the class every pixel at most ``radius`` px from one that is not of the class.

    It becomes what is nearest. The image's edge is no border: an animal cut off by it stays so.
    pixels: uint8, height x width, changed in place, in the box ``within`` only.
    """
    for box, before, core in _tiles(pixels, within, radius):
        own = before == value
        if own.any() and not own.all():
            lost = own & _near(~own, radius)
            if lost[core].any():
                after = np.where(lost, nearest_other(before, value), before)
                part(pixels, box)[:] = after[core]


def smooth(pixels: np.ndarray, value: int | None, radius: int, within: Box) -> None:
    """Round off what is finer than ``radius`` px: each pixel becomes what most around it are.

    Around it: a Gaussian of ``radius`` / 2 px, cut at ``radius``. value: redraw the border of
    this class only (what it loses becomes the nearest other class), or every border (None): then
    void neither gains nor loses a pixel.
    pixels: uint8, height x width, changed in place, in the box ``within`` only.
    """
    for box, before, core in _tiles(pixels, within, radius):
        if before.min() == before.max():
            continue
        after = _majority(before, radius) if value is None else _smoothed(before, value, radius)
        part(pixels, box)[:] = after[core]


def nearest_other(pixels: np.ndarray, value: int) -> np.ndarray:
    """What each pixel of a class would be without it: the class of the nearest other pixel.

    pixels: uint8, height x width, not all of the class ``value``. Pixels of other classes keep
    theirs. Nearest up to 3 per cent (a 5 x 5 chamfer distance).
    """
    own = pixels == value
    _, nearest = cv2.distanceTransformWithLabels(
        own.view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    class_of = np.zeros(int(nearest.max()) + 1, np.uint8)
    class_of[nearest[~own]] = pixels[~own]
    return class_of[nearest]


def _near(inside: np.ndarray, radius: int) -> np.ndarray:
    """The pixels at most ``radius`` from one inside (bool, height x width, some True)."""
    distance = cv2.distanceTransform((~inside).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squares of distances are whole numbers: half of one above the limit is never reached.
    near: np.ndarray = distance * distance <= radius * radius + 0.5
    return near


def _smoothed(before: np.ndarray, value: int, radius: int) -> np.ndarray:
    own = before == value
    if not own.any():
        return before
    share = _share(own, radius)
    # An even split leaves the pixel as it is.
    stays = np.where(own, share >= 0.5, share > 0.5)
    return np.where(stays, np.uint8(value), nearest_other(before, value))


def _majority(before: np.ndarray, radius: int) -> np.ndarray:
    after = before.copy()
    most = np.zeros(before.shape, np.float32)
    own_share = np.zeros(before.shape, np.float32)
    for value in np.unique(before[before != VOID]).tolist():
        own = before == value
        share = _share(own, radius)
        np.copyto(own_share, share, where=own)
        more = share > most
        after[more] = value
        most[more] = share[more]
    # An even split leaves the pixel as it is.
    return np.where((own_share >= most) | (before == VOID), before, after)


def _share(inside: np.ndarray, radius: int) -> np.ndarray:
    """How much of what is around each pixel is inside: float32, 0 to 1."""
    side = 2 * radius + 1
    return cv2.GaussianBlur(inside.astype(np.float32), (side, side), radius / 2)


def _tiles(
    pixels: np.ndarray, within: Box, halo: int
) -> Iterator[tuple[Box, np.ndarray, tuple[slice, slice]]]:
    """The tiles of a box, each as it was before any changed, with ``halo`` px around it.

    Yields the tile's box, its surroundings and where in them the tile lies.
    """
    source = pixels.copy()
    height, width = pixels.shape
    x0, y0, x1, y1 = within
    for top in range(y0, y1, _TILE):
        for left in range(x0, x1, _TILE):
            right, bottom = min(left + _TILE, x1), min(top + _TILE, y1)
            around = intersection(
                (left - halo, top - halo, right + halo, bottom + halo), (0, 0, width, height)
            )
            if around is not None:
                rows = slice(top - around[1], bottom - around[1])
                columns = slice(left - around[0], right - around[0])
                yield (left, top, right, bottom), part(source, around), (rows, columns)
