"""How well the border of a class was met: Boundary IoU and the distances of two outlines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_BAND_SHARE = 0.02  # of the image's diagonal: Cheng et al. 2021
_PERCENTILE = 95
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


@dataclass(frozen=True)
class BorderMatch:
    """shared, either: pixels in both and in any of the two boundary bands (Boundary IoU = shared /
    either); hd95, distance: of the outlines, in pixels."""

    shared: int
    either: int
    hd95: float
    distance: float


def match_borders(truth: np.ndarray, said: np.ndarray) -> BorderMatch | None:
    """Compare the borders of one class; None where neither mask holds it.

    truth, said: bool, height x width: the pixels of the class. Where only one of them has any,
    both distances are the image's diagonal: the largest that there can be.

    Boundary IoU (Cheng et al. 2021, their published code): the band of a mask are its pixels with
    a pixel that is not in it, or that lies outside of the image, at most d away in any of the
    eight directions (Chebyshev); d = 2 % of the image's diagonal, rounded, at least 1.

    Distances: an outline are a mask's pixels with one of their four neighbours not in it or
    outside of the image; from each outline pixel to the nearest of the other outline (Euclidean,
    exact). hd95: the larger of the two directions' 95th percentiles (linear interpolation), as in
    MONAI; distance: the mean over the pixels of both (average symmetric surface distance).
    """
    box = _box(truth, said)
    if box is None:
        return None
    diagonal = float(np.hypot(*truth.shape))
    # All that counts lies in the box of both masks, and what is outside of it is in neither.
    ours, theirs = (np.ascontiguousarray(mask[box]).view(np.uint8) for mask in (truth, said))
    shared, either = _bands(ours, theirs, max(1, round(_BAND_SHARE * diagonal)))
    if not ours.any() or not theirs.any():
        return BorderMatch(shared, either, diagonal, diagonal)
    ours, theirs = _outline(ours), _outline(theirs)
    there, back = _distances(ours, theirs), _distances(theirs, ours)
    return BorderMatch(
        shared,
        either,
        float(max(np.percentile(there, _PERCENTILE), np.percentile(back, _PERCENTILE))),
        float((there.sum() + back.sum()) / (there.size + back.size)),
    )


def _box(truth: np.ndarray, said: np.ndarray) -> tuple[slice, slice] | None:
    """The smallest box that holds all pixels of both masks."""
    rows = np.flatnonzero(truth.any(1) | said.any(1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(truth.any(0) | said.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _bands(ours: np.ndarray, theirs: np.ndarray, width: int) -> tuple[int, int]:
    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    ours, theirs = ours - _eroded(ours, square), theirs - _eroded(theirs, square)
    return int(np.count_nonzero(ours & theirs)), int(np.count_nonzero(ours | theirs))


def _outline(mask: np.ndarray) -> np.ndarray:
    outline: np.ndarray = mask - _eroded(mask, _CROSS)
    return outline


def _eroded(mask: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    eroded: np.ndarray = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return eroded


def _distances(outline: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From each pixel of an outline to the nearest of the other: float64."""
    away = cv2.distanceTransform(1 - other, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Their squares are whole numbers: OpenCV's last bits differ from call to call.
    found: np.ndarray = np.sqrt(np.rint(np.square(away[outline.view(bool)], dtype=np.float64)))
    return found
