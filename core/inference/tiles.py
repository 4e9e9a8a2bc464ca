"""Looking at an image window by window, with one smooth answer and memory that stays flat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, prod

import numpy as np

from core.inference.prediction import MOST_BYTES, MOST_FLOATS, shrunk, to_bytes
from core.inference.view import Fitted

_OVERLAP = 4  # windows share at least a quarter of their side


@dataclass(frozen=True)
class Window:
    """A stretch of a row of pixels: where it begins, and its share in the answer (float32) there.

    The shares of all windows at a pixel sum to 1 and fall to 0 towards the ends of each.
    """

    start: int
    shares: np.ndarray


def longer_side(length: int, size: int, tiles: int) -> int:
    """How long the longer side of an image of ``length`` px is for so many windows of ``size``.

    Never more than the image has, unless one window needs it: nothing is to be seen there.
    """
    wanted = size + (tiles - 1) * (size - size // _OVERLAP)
    return min(wanted, max(length, size))


def windows(length: int, size: int, step: int = 1) -> list[Window]:
    """Windows of ``size`` px, evenly over ``length`` px; one is enough where that is shorter.

    They begin at multiples of ``step``; the last may be shorter for it.
    """
    if length <= size:
        return [Window(0, np.ones(length, np.float32))]
    overlap = size // _OVERLAP
    count = ceil((length - size) / (size - overlap)) + 1
    starts = [-(-i * (length - size) // (count - 1)) for i in range(count)]
    starts = [-(-start // step) * step for start in starts]
    # A raised cosine: unlike a straight ramp it has no crease where a window begins.
    ends = np.sin(np.minimum((np.arange(size) + 0.5) / overlap, 1) * (np.pi / 2)) ** 2
    ramp = np.minimum(ends, ends[::-1])
    weights = [ramp[: length - start] for start in starts]
    total = np.zeros(length)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + size] += weight
    return [
        Window(start, (weight / total[start : start + size]).astype(np.float32))
        for start, weight in zip(starts, weights, strict=True)
    ]


def ask_in_windows(
    pixels: np.ndarray, size: int, classes: int, ask: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """What ``ask`` says of all windows, as one: C x h x w, class probabilities.

    pixels: uint8 RGB, height x width x 3; ask: from uint8, size x size x 3, to float32,
    C x size x size. Returns float32 (0 to 1) at the pixels' own resolution; uint8 (0 to 255) where
    that takes more than 128 MB, and a fraction of the resolution where it still takes 512 MB.
    Windows at the edge of a smaller image are padded by repeating its edge.
    """
    height, width = pixels.shape[:2]
    by = 1
    while prod(shape := (classes, -(-height // by), -(-width // by))) > MOST_BYTES:
        by += 1
    planes = np.empty(shape, np.float32 if prod(shape) <= MOST_FLOATS else np.uint8)
    rows, columns = windows(height, size, by), windows(width, size)
    tops = [*(row.start for row in rows), height]
    # One row of windows at a time: of what no later window touches only the answer is kept.
    open_rows = np.zeros((classes, min(size, height), width), np.float32)
    for row, below in zip(rows, tops[1:], strict=True):
        _add(open_rows, pixels, row, columns, size, ask)
        done = below - row.start
        _keep(planes, open_rows[:, :done], row.start // by, by)
        open_rows[:, :-done] = open_rows[:, done:]
        open_rows[:, -done:] = 0
    return planes


def _add(
    planes: np.ndarray,
    pixels: np.ndarray,
    row: Window,
    columns: Sequence[Window],
    size: int,
    ask: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Add a row of windows to the planes, which begin where it does."""
    high = len(row.shares)
    for column in columns:
        wide, left = len(column.shares), column.start
        part = pixels[row.start : row.start + high, left : left + wide]
        fitted = Fitted(size, (size - wide) // 2, (size - high) // 2, wide, high)
        said = fitted.cut(ask(fitted.place(part)))
        planes[:, :high, left : left + wide] += said * (row.shares[:, None] * column.shares)


def _keep(planes: np.ndarray, found: np.ndarray, top: int, by: int) -> None:
    """Write finished rows, ``by`` times smaller, into the planes from row ``top`` on."""
    if by > 1:
        found = np.stack([shrunk(plane, by) for plane in found])
    if planes.dtype == np.uint8:
        found = to_bytes(found)
    planes[:, top : top + found.shape[1]] = found
