"""Connected pieces of a mask of any size, found band by band so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from core.editing.box import Box

_BAND = 1024  # rows that are labelled at a time: 40 MB for each 10,000 columns


class Pieces:
    """The connected pieces of those pixels of a box that ``kind`` picks, numbered from 1.

    areas: int64, pixels of each piece (of no. 0, which is everything else, 0); at_edge: bool,
    whether it touches the box's edge.
    """

    def __init__(self, kind: Callable[[Box], np.ndarray], box: Box, neighbours: int) -> None:
        """kind: bool, of the pixels of a box; neighbours: 4 or 8. Calls ``kind`` band by band."""
        self._kind = kind
        self._neighbours = neighbours
        self._numbers: list[tuple[Box, np.ndarray]] = []
        x0, y0, x1, y1 = box
        areas, edges, joins = [np.zeros(1, np.int64)], [np.zeros(1, bool)], []
        above: np.ndarray | None = None
        total = 1
        for top in range(y0, y1, _BAND):
            band = (x0, top, x1, min(top + _BAND, y1))
            labels, stats = self._label(band)
            left, upper, width, height, area = stats[1:].T
            touches = (left == 0) | (left + width == x1 - x0)
            touches |= (upper == 0) & (top == y0)
            touches |= (upper + height == band[3] - top) & (band[3] == y1)
            areas.append(area)
            edges.append(touches)
            # No. 0 is the same in every band.
            numbers = np.append(0, np.arange(total, total + len(area)))
            self._numbers.append((band, numbers))
            if above is not None:
                joins.append(_joins(above, numbers[labels[0]], neighbours))
            above = numbers[labels[-1]]
            total += len(area)
        roots = _roots(total, joins)
        self.areas = np.zeros(int(roots.max()) + 1, np.int64)
        np.add.at(self.areas, roots, np.concatenate(areas))
        self.at_edge = np.zeros(self.areas.shape, bool)
        np.logical_or.at(self.at_edge, roots, np.concatenate(edges))
        self._numbers = [(band, roots[numbers]) for band, numbers in self._numbers]

    def bands(self, wanted: np.ndarray) -> Iterator[tuple[Box, np.ndarray]]:
        """The bands that hold some of the pieces wanted (bool, one a piece and one for no. 0).

        Yields the box of the band and the pieces' numbers of its pixels, 0 where there is none of
        those wanted.
        """
        for band, numbers in self._numbers:
            chosen = np.where(wanted[numbers], numbers, 0)
            if chosen.any():
                yield band, chosen[self._label(band)[0]]

    def _label(self, band: Box) -> tuple[np.ndarray, np.ndarray]:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            self._kind(band).view(np.uint8), connectivity=self._neighbours
        )
        return labels, stats


def _joins(above: np.ndarray, below: np.ndarray, neighbours: int) -> np.ndarray:
    """The pairs of pieces that two rows, one above the other, join: int, N x 2."""
    pairs = [np.stack([above, below])]
    if neighbours == 8:
        pairs += [np.stack([above[1:], below[:-1]]), np.stack([above[:-1], below[1:]])]
    both = np.hstack(pairs)
    return np.unique(both[:, both.all(axis=0)], axis=1).T


def _roots(total: int, joins: list[np.ndarray]) -> np.ndarray:
    """For each of the first numbers the number of the piece it belongs to, without gaps."""
    parents: dict[int, int] = {}  # of those only that a lower number stands for

    def root(number: int) -> int:
        while (parent := parents.get(number)) is not None:
            parents[number] = parents.get(parent, parent)  # half as far the next time
            number = parent
        return number

    for pairs in joins:
        for a, b in pairs.tolist():
            low, high = sorted((root(a), root(b)))
            if low != high:
                parents[high] = low
    joined = np.arange(total)
    joined[list(parents)] = [root(number) for number in list(parents)]
    return np.unique(joined, return_inverse=True)[1]
