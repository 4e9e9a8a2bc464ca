"""Cleaning up a mask: one table of what can be done, for a class or the whole mask.

Void is no class that a clean-up of the whole mask works on. It gives way where a class grows, and
where it only rims a hole: both are asked for by name. Void that lies in a class by itself was put
there to say "unlabelled", and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.editing import borders
from core.editing.box import Box, part
from core.editing.pieces import Pieces
from core.editing.region import Region
from core.labels import BACKGROUND, VOID

_MOST_PIXELS = 1_000_000
_MOST_RADIUS = 200


@dataclass(frozen=True)
class CleanUp:
    """One clean-up: what a menu shows of it, its parameter, and how it is done.

    parameter: what ``amount`` means, "" where there is none; default, range: of the amount; whole:
    whether it can also be done to the whole mask, without a class.
    """

    id: str
    title: str
    parameter: str
    default: int
    range: tuple[int, int]
    whole: bool
    function: Callable[[np.ndarray, int | None, int, Region | None], None]

    def apply(
        self, mask: np.ndarray, value: int | None, amount: int, selection: Region | None = None
    ) -> tuple[Box, np.ndarray]:
        """The pixels of a box as they would be; no pixel outside the selection differs.

        mask: uint8, height x width, not written; value: the class, or None for the whole mask
        (where ``whole``). Pieces and holes count at their full size, also where the selection cuts
        through them. Takes some two bytes a pixel of the mask, and 0.2 GB at most beside.
        """
        pixels = mask.copy()
        self.function(pixels, value, amount, selection)
        if selection is None:
            return _whole(mask), pixels
        after, before = part(pixels, selection.box), part(mask, selection.box)
        return selection.box, np.where(selection.inside, after, before)


def _fill_holes(pixels: np.ndarray, value: int | None, size: int, selection: Region | None) -> None:
    """Give the class what it encloses: at most ``size`` px, and some background among them.

    Another class that fills what is enclosed by itself is no hole, and neither is void.
    """
    for own in _classes(pixels, value, but=(BACKGROUND, VOID)):
        holes = _holes(pixels, own)
        wanted = (holes.areas <= size) & ~holes.at_edge
        empty = np.zeros_like(wanted)
        for box, numbers in holes.bands(wanted):
            empty[numbers[part(pixels, box) == BACKGROUND]] = True
        for box, numbers in holes.bands(wanted & empty):
            part(pixels, box)[numbers > 0] = own


def _remove_islands(
    pixels: np.ndarray, value: int | None, size: int, selection: Region | None
) -> None:
    """Take away the pieces of less than ``size`` px."""
    for own in _classes(pixels, value, but=(VOID,)):
        pieces = _pieces(pixels, own)
        _remove(pixels, own, pieces, pieces.areas < size)


def _keep_largest(
    pixels: np.ndarray, value: int | None, amount: int, selection: Region | None
) -> None:
    """Take away all but the largest of the pieces that lie in the selection, at least partly."""
    for own in _classes(pixels, value, but=(BACKGROUND, VOID)):
        pieces = _pieces(pixels, own)
        wanted = np.ones(pieces.areas.shape, bool)
        if selection is not None:
            seen = np.zeros_like(wanted)
            for box, numbers in pieces.bands(wanted):
                seen[numbers[selection.within(box)]] = True
            wanted = seen
        wanted[np.argmax(np.where(wanted, pieces.areas, 0))] = False
        _remove(pixels, own, pieces, wanted)


def _grow(pixels: np.ndarray, value: int | None, radius: int, selection: Region | None) -> None:
    if value is not None:
        borders.grow(pixels, value, radius, _within(pixels, selection))


def _shrink(pixels: np.ndarray, value: int | None, radius: int, selection: Region | None) -> None:
    if value is not None:
        borders.shrink(pixels, value, radius, _within(pixels, selection))


def _smooth(pixels: np.ndarray, value: int | None, radius: int, selection: Region | None) -> None:
    borders.smooth(pixels, value, radius, _within(pixels, selection))


def _invert(pixels: np.ndarray, value: int | None, amount: int, selection: Region | None) -> None:
    """Swap the class and the background; other classes and void stay."""
    if value is not None:
        swapped = np.arange(256, dtype=np.uint8)
        swapped[[value, BACKGROUND]] = BACKGROUND, value
        cv2.LUT(pixels, swapped, dst=pixels)


def _clear(pixels: np.ndarray, value: int | None, amount: int, selection: Region | None) -> None:
    """Turn the class, or everything, into background."""
    if value is None:
        pixels[:] = BACKGROUND
    else:
        pixels[pixels == value] = BACKGROUND


CLEAN_UPS = (
    CleanUp(
        "fill_holes", "Fill holes", "Up to (pixels)", 500, (1, _MOST_PIXELS), True, _fill_holes
    ),
    CleanUp(
        "remove_islands",
        "Remove islands",
        "Below (pixels)",
        500,
        (1, _MOST_PIXELS),
        True,
        _remove_islands,
    ),
    CleanUp("keep_largest", "Keep the largest piece", "", 0, (0, 0), True, _keep_largest),
    CleanUp("grow", "Grow", "By (pixels)", 2, (1, _MOST_RADIUS), False, _grow),
    CleanUp("shrink", "Shrink", "By (pixels)", 2, (1, _MOST_RADIUS), False, _shrink),
    CleanUp("smooth", "Smooth the border", "Radius (pixels)", 5, (1, _MOST_RADIUS), True, _smooth),
    CleanUp("invert", "Swap with background", "", 0, (0, 0), False, _invert),
    CleanUp("clear", "Clear", "", 0, (0, 0), True, _clear),
)


def _remove(pixels: np.ndarray, own: int, pieces: Pieces, wanted: np.ndarray) -> None:
    """Give pieces of a class to the class, or void, that most of their border touches.

    So what lies in the background becomes background, and an island in another class joins it.
    A piece without neighbours, the whole image, stays. wanted: bool, one a piece.
    """
    touched = [_neighbours(pixels, own, box, numbers) for box, numbers in pieces.bands(wanted)]
    if not touched:
        return
    pairs, counts = np.unique(np.concatenate(touched), return_counts=True)
    number, value = np.divmod(pairs, 256)
    # The most frequent one is written last; of equals the lowest class.
    order = np.lexsort((-value, counts))
    becomes = np.full(wanted.shape, own, np.uint8)
    becomes[number[order]] = value[order]
    for box, numbers in pieces.bands(wanted):
        chosen = numbers > 0
        part(pixels, box)[chosen] = becomes[numbers[chosen]]


def _neighbours(pixels: np.ndarray, own: int, box: Box, numbers: np.ndarray) -> np.ndarray:
    """Each touch of a piece with another class, as 256 * the piece's number + that class."""
    x0, y0, x1, y1 = box
    height, width = numbers.shape
    around = np.full((height + 2, width + 2), own, np.uint8)
    left, top = max(x0 - 1, 0), max(y0 - 1, 0)
    seen = pixels[top : y1 + 1, left : x1 + 1]
    down, right = top - y0 + 1, left - x0 + 1
    around[down : down + seen.shape[0], right : right + seen.shape[1]] = seen
    touched = []
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        neighbour = around[dy : dy + height, dx : dx + width]
        at = (numbers > 0) & (neighbour != own)
        touched.append(numbers[at].astype(np.int64) * 256 + neighbour[at])
    return np.concatenate(touched)


def _pieces(pixels: np.ndarray, own: int) -> Pieces:
    return Pieces(lambda box: part(pixels, box) == own, _box_of(pixels, own), 8)


def _holes(pixels: np.ndarray, own: int) -> Pieces:
    """What is not of a class, in the class's box: what touches a side of it is not enclosed."""
    return Pieces(lambda box: part(pixels, box) != own, _box_of(pixels, own), 4)


def _classes(pixels: np.ndarray, value: int | None, but: tuple[int, ...]) -> Iterator[int]:
    """The class asked for, or for the whole mask those that are there but some; none absent."""
    present = cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel() > 0
    wanted = [own for own in range(256) if own not in but] if value is None else [value]
    for own in wanted:
        # Looked at again: what was done for a class before may have taken all of this one.
        if present[own] and (pixels == own).any():
            yield own


def _box_of(pixels: np.ndarray, value: int) -> Box:
    """The smallest box that holds a class that is there."""
    own = pixels == value
    rows = np.flatnonzero(own.any(axis=1))
    columns = np.flatnonzero(own.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _whole(pixels: np.ndarray) -> Box:
    height, width = pixels.shape
    return 0, 0, width, height


def _within(pixels: np.ndarray, selection: Region | None) -> Box:
    return _whole(pixels) if selection is None else selection.box
