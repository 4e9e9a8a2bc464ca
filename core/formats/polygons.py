"""Masks as polygons, and back.

A pixel (x, y) covers x to x + 1 and y to y + 1; it belongs to a polygon that holds its centre. The
outlines made here hold exactly the pixels that they were made of, and so do the polygons' readers
that look at centres (pycocotools among them).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from pycocotools import mask as runs

from core.labels import BACKGROUND

# An outline passes between the centre of each pixel inside and that of its neighbour outside, at
# most this far from the middle. With 0.5 it would touch centres; the rest is for readers that
# round (pycocotools: to a fifth of a pixel) and for decimals that files leave out.
_SLACK = 0.35
_STRAIGHT = 3  # pixels: a right angle between edges this long is meant

# Right, down, left, up: along the pixels' edges with the inside on the right-hand side.
_STEPS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])


@dataclass(frozen=True)
class Part:
    """One connected part (8 neighbours) of one class: its class id, its box, its pixels.

    left, top: of the box; pixels: bool, of the box.
    """

    label: int
    left: int
    top: int
    pixels: np.ndarray

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def parts(mask: np.ndarray, without: int | None = None) -> Iterator[Part]:
    """The connected parts of every class but the background, class by class.

    mask: uint8, height x width; without: a value that is no class (VOID).
    """
    present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    for label in present.tolist():
        if label in (BACKGROUND, without):
            continue
        own = (mask == label).view(np.uint8)
        _, numbers, boxes, _ = cv2.connectedComponentsWithStats(own, connectivity=8)
        for number, (left, top, width, height, _area) in enumerate(boxes[1:].tolist(), 1):
            box = numbers[top : top + height, left : left + width]
            yield Part(label, left, top, box == number)


def outlines(part: Part) -> list[np.ndarray]:
    """The outline of a part and of each of its holes: float64, n x 2, multiples of 0.5.

    The first goes around the part, clockwise as seen; the others around holes.
    """
    origin = np.array([part.left, part.top])
    if part.pixels.all():
        return [origin + np.array([(0.0, 0), (1, 0), (1, 1), (0, 1)]) * (part.width, part.height)]
    return [_taut(corners, directions) + origin for corners, directions in _edges(part.pixels)]


def seamed(rings: Sequence[np.ndarray]) -> np.ndarray:
    """One ring for formats without holes: each hole hangs on it by a seam that goes to and fro.

    A seam encloses nothing, so the ring holds the same pixels. n x 2.
    """
    joined, *holes = rings
    for hole in sorted(holes, key=lambda ring: float(ring[:, 1].min())):
        # The highest point lies between two rows of centres. Where more than two edges meet on a
        # row, Pillow, and so labelme, leaves out pixels.
        start = int(hole[:, 1].argmin())
        at = int(((joined - hole[start]) ** 2).sum(axis=1).argmin())
        around = np.roll(hole, -start, axis=0)
        joined = np.concatenate([joined[: at + 1], around, around[:1], joined[at:]])
    return joined


def fill(pixels: np.ndarray, rings: Sequence[np.ndarray], value: int) -> None:
    """Give ``value`` to the pixels whose centres lie within an odd number of rings.

    pixels: uint8, height x width, changed in place; rings: n x 2, as ``limits.ring`` returns them.
    """
    points = np.concatenate(rings)
    height, width = pixels.shape
    left, top = np.clip(np.floor(points.min(axis=0)).astype(int), 0, (width, height)).tolist()
    right, bottom = np.clip(np.ceil(points.max(axis=0)).astype(int), 0, (width, height)).tolist()
    if left >= right or top >= bottom:
        return
    inside = np.zeros((bottom - top, right - left), bool)
    for ring in rings:
        flat = (ring - (left, top)).ravel()
        encoded = runs.frPyObjects([flat], *inside.shape)
        inside ^= runs.decode(encoded)[..., 0].view(bool)
    pixels[top:bottom, left:right][inside] = value


def ellipse(x: float, y: float, radius_x: float, radius_y: float) -> np.ndarray:
    """A polygon that keeps within a hundredth of a pixel of an ellipse: n x 2."""
    # The sagitta of n chords of a circle is r (1 - cos(pi / n)), about r (pi / n)^2 / 2.
    count = min(4096, max(16, int(np.ceil(np.pi * np.sqrt(max(radius_x, radius_y, 0) / 0.02)))))
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], axis=1)


def turned(ring: np.ndarray, degrees: float) -> np.ndarray:
    """A ring turned clockwise, as seen, around the middle of its box."""
    middle = (ring.min(axis=0) + ring.max(axis=0)) / 2
    angle = np.deg2rad(degrees)
    sine, cosine = np.sin(angle), np.cos(angle)
    moved: np.ndarray = (ring - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    return moved


def _edges(inside: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The closed walks along the edges between inside and outside, the outer one first.

    Yields where each edge of one pixel starts (n x 2) and its direction (0 to 3, as _STEPS).
    """
    height, width = inside.shape
    framed = np.pad(inside, 1)
    row = width + 1  # corners in a row; a corner's number is y * row + x
    starts = []
    for direction, (dy, dx) in enumerate([(0, 0), (0, 1), (1, 1), (1, 0)]):
        right = _STEPS[(direction + 1) % 4]  # towards the inside
        outside = framed[1 - right[1] :, 1 - right[0] :][:height, :width]
        y, x = np.nonzero(inside & ~outside)
        starts.append(np.sort((y + dy) * row + x + dx))
    first = np.cumsum([0, *map(len, starts)])
    following = np.empty(first[-1], np.int64)
    for direction in range(4):
        ends = starts[direction] + int(_STEPS[direction] @ (1, row))
        # Where two parts touch at a corner the walk goes left, over to the other: they are one.
        for turn in (1, 0, -1):
            onward = (direction + turn) % 4
            place = np.searchsorted(starts[onward], ends)
            place[place == len(starts[onward])] = 0
            hit = starts[onward][place] == ends
            following[first[direction] : first[direction + 1]][hit] = first[onward] + place[hit]
    corners = np.concatenate(starts)
    directions = np.repeat(np.arange(4), np.diff(first))
    after = following.tolist()
    walked = bytearray(len(after))
    for edge in range(len(after)):
        walk = []
        while not walked[edge]:
            walked[edge] = 1
            walk.append(edge)
            edge = after[edge]
        if walk:
            yield np.stack([corners[walk] % row, corners[walk] // row], axis=1), directions[walk]


def _taut(corners: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The walk with few corners, through the same gates.

    Each edge has a gate across it, from near the pixel's centre inside to near the one outside. As
    long as a polygon goes through all gates in their order it parts the same centres. From each
    corner it goes straight on to the farthest middle of a gate that it can: those are in sight
    through all gates between, within a cone that narrows from gate to gate.
    """
    turn = int(np.argmax(directions != np.roll(directions, 1)))
    corners, directions = np.roll(corners, -turn, axis=0), np.roll(directions, -turn)
    count = len(directions)
    middle = corners + _STEPS[directions] / 2
    stops = [*_beside_right_angles(directions).tolist(), True]
    aside = _SLACK * _STEPS[(directions + 1) % 4]
    around = [*range(count), 0]
    x, y = middle[around].T.tolist()
    inner_x, inner_y = (middle + aside)[around].T.tolist()
    outer_x, outer_y = (middle - aside)[around].T.tolist()
    inner_x[-1], inner_y[-1] = outer_x[-1], outer_y[-1] = x[0], y[0]
    path, at, best = [0], 0, 0
    while best < count - 1:
        from_x, from_y = x[at], y[at]
        best = gate = at + 1
        left_x, left_y = outer_x[gate] - from_x, outer_y[gate] - from_y
        right_x, right_y = inner_x[gate] - from_x, inner_y[gate] - from_y
        while not stops[gate]:
            gate += 1
            to_x, to_y = x[gate] - from_x, y[gate] - from_y
            if left_x * to_y >= left_y * to_x and to_x * right_y >= to_y * right_x:
                best = gate
            to_x, to_y = outer_x[gate] - from_x, outer_y[gate] - from_y
            if left_x * to_y > left_y * to_x:
                if to_x * right_y < to_y * right_x:
                    break
                left_x, left_y = to_x, to_y
            to_x, to_y = inner_x[gate] - from_x, inner_y[gate] - from_y
            if to_x * right_y > to_y * right_x:
                if left_x * to_y < left_y * to_x:
                    break
                right_x, right_y = to_x, to_y
        if best < count:
            path.append(best)
            at = best
    return _squared(middle[path], _STEPS[directions[path]], np.array(path), count)


def _beside_right_angles(directions: np.ndarray) -> np.ndarray:
    """Which edges begin or end at a corner of two straight stretches: bool, n.

    directions: of a walk that begins at a corner.
    """
    begins = np.flatnonzero(directions != np.roll(directions, 1))
    lengths = np.diff(begins, append=len(directions))
    corners = begins[(lengths >= _STRAIGHT) & (np.roll(lengths, 1) >= _STRAIGHT)]
    beside = np.zeros(len(directions), bool)
    beside[corners] = beside[corners - 1] = True
    return beside


def _squared(points: np.ndarray, steps: np.ndarray, gates: np.ndarray, count: int) -> np.ndarray:
    """The ring with its right angles restored, which the way from gate to gate cuts off."""
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    straight_in = _along(points - before, steps)
    straight_out = _along(after - points, steps)
    next_gate = (np.roll(gates, -1) - gates) % count == 1
    turns = (steps != np.roll(steps, -1, axis=0)).any(axis=1)
    square = straight_in & np.roll(straight_out, -1) & next_gate & turns
    sharp = np.where(square[:, None], points + steps / 2, points)
    ring: np.ndarray = sharp[~np.roll(square, 1)]
    return ring


def _along(ways: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Whether each way (n x 2) has the direction of its step: bool, n."""
    along: np.ndarray = ways[:, 0] * steps[:, 1] == ways[:, 1] * steps[:, 0]
    return along
