"""Masks as run lengths: column by column as COCO has them, row by row as CVAT does."""

from __future__ import annotations

import numpy as np
from pycocotools import mask as coco

from core.formats.polygons import Part
from core.formats.source import FormatError, Size

_BITS = 5
_MOST_DIGITS = 7  # more than 250 megapixels need


def checked(counts: np.ndarray, size: Size, where: str) -> np.ndarray:
    """Run lengths (whole numbers) as int64. Raises FormatError: not the pixels of ``size``."""
    total = int(counts.sum(dtype=np.float64))
    if (counts < 0).any():
        raise FormatError(f"{where}: run lengths below 0.")
    if total != size[0] * size[1]:
        more = "longer" if total > size[0] * size[1] else "shorter"
        raise FormatError(
            f"{where}: run lengths of {total:,} pixels, {more} than the {size[0]} x {size[1]} "
            "that they are for."
        )
    return counts.astype(np.int64)


def paint_compressed(pixels: np.ndarray, text: bytes, value: int, where: str) -> None:
    """Give ``value`` to the pixels of COCO's compressed run lengths, through pycocotools.

    pixels: uint8, height x width. Raises FormatError; pycocotools would read beyond its memory.
    """
    height, width = pixels.shape
    counts = checked(_decompressed(text, where), (width, height), where)
    if len(counts) > 1:
        _paint(pixels, {"size": [height, width], "counts": text}, value)


def paint_columns(pixels: np.ndarray, counts: np.ndarray, value: int, where: str) -> None:
    """Give ``value`` to every second run of pixels, column by column, the first run not.

    pixels: uint8, height x width. Raises FormatError.
    """
    height, width = pixels.shape
    counts = checked(counts, (width, height), where)
    if len(counts) > 1:
        uncompressed = {"size": [height, width], "counts": counts.tolist()}
        _paint(pixels, coco.frPyObjects(uncompressed, height, width), value)


def of_rows(counts: np.ndarray, size: Size, where: str) -> np.ndarray:
    """Every second run of pixels, row by row, the first run not: bool, height x width.

    Raises FormatError.
    """
    counts = checked(counts, size, where)
    odd = np.arange(len(counts)) % 2 == 1
    return np.repeat(odd, counts).reshape(size[1], size[0])


def rows(pixels: np.ndarray) -> np.ndarray:
    """The run lengths of bool pixels, height x width, row by row; the first run is of False."""
    flat = np.concatenate([[False], pixels.ravel()])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(changes, prepend=0, append=pixels.size)


def compressed(part: Part, size: Size) -> bytes:
    """A part of a mask of ``size`` as COCO's compressed run lengths.

    The work is that of the part's box, whatever the size of the mask.
    """
    width, height = size
    columns = np.pad(part.pixels, ((1, 1), (0, 0))).T
    column, row = np.nonzero(columns[:, 1:] != columns[:, :-1])
    changes = (column + part.left) * height + row + part.top
    # A run to the bottom of one column goes on at the top of the next.
    goes_on = np.flatnonzero(changes[1:] == changes[:-1])
    changes = np.delete(changes, np.concatenate([goes_on, goes_on + 1]))
    counts = np.diff(changes, prepend=0, append=width * height)
    if counts[-1] == 0:
        counts = counts[:-1]
    runs = {"size": [height, width], "counts": counts.tolist()}
    text: bytes = coco.frPyObjects(runs, height, width)["counts"]
    return text


def _paint(pixels: np.ndarray, runs: dict[str, object], value: int) -> None:
    left, top, width, height = coco.toBbox(runs).astype(int).tolist()
    box = slice(top, top + height), slice(left, left + width)
    pixels[box][coco.decode(runs)[box].view(bool)] = value


def _decompressed(text: bytes, where: str) -> np.ndarray:
    """COCO's text as run lengths, int64.

    Digits of 5 bits, the lowest first, with a sixth bit where another follows; the highest digit's
    highest bit is the sign. From the fourth number on, each is the difference to the last but one.
    """
    digits = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    if ((digits < 0) | (digits > 63)).any() or (len(digits) and digits[-1] & 32):
        raise FormatError(f"{where}: run lengths that are damaged.")
    ends = np.flatnonzero(digits & 32 == 0) + 1
    lengths = np.diff(ends, prepend=0)
    if (lengths > _MOST_DIGITS).any():
        raise FormatError(f"{where}: a run longer than any image.")
    if not len(ends):
        return np.zeros(0, np.int64)
    starts = ends - lengths
    place = np.arange(len(digits)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((digits & 31) << (_BITS * place), starts)
    negative = digits[ends - 1] & 16 != 0
    numbers[negative] -= np.int64(1) << (_BITS * lengths[negative])
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers
