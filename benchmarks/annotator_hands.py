"""What a person's hand does to a mask, and how long it takes: for ``benchmarks.annotator``.

A stroke is drawn at 400 px a second, the way to its start taken at 800 px a second, and 0.2 s pass
before it while the eye looks for the place. A corner of a polygon is a click: a stroke of no
length. A command is a click on a tool bar, in the middle of the photo's left side. Pixels are the
photo's own. Computing costs no time, nor does changing a brush's size or class (a key).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.editing import brush
from core.editing.brush import Point
from core.editing.shapes import polygon

DRAW = 400.0  # px a second
TRAVEL = 800.0  # px a second
SEARCH = 0.2  # seconds before each stroke, corner and command
JUDGE = 0.2  # seconds for each image


@dataclass(frozen=True)
class Stroke:
    """A brush stroke: size is the brush's diameter, value the class (1 the object, 0 not)."""

    points: tuple[Point, ...]
    size: int
    value: int


@dataclass(frozen=True)
class Outline:
    """A polygon, filled with a class."""

    corners: tuple[Point, ...]
    value: int


@dataclass(frozen=True)
class Command:
    """A click on the tool bar."""

    title: str


@dataclass(frozen=True)
class Drag:
    """A box that is drawn from corner to corner."""

    start: Point
    end: Point


Action = Stroke | Outline | Command | Drag


def paint(mask: np.ndarray, action: Stroke | Outline) -> None:
    """Do to a mask (uint8, height x width, in place) what the program's tool does."""
    if isinstance(action, Stroke):
        for start, end in pairwise((action.points[0], *action.points)):
            brush.paint_segment(mask, start, end, action.size, action.value)
        return
    region = polygon(action.corners, mask.shape)
    if region is not None:
        x0, y0, x1, y1 = region.box
        mask[y0:y1, x0:x1][region.inside] = action.value


def seconds(action: Action, pointer: Point, height: int) -> tuple[float, Point]:
    """How long an action takes from where the pointer is, and where the pointer is then.

    height: of the photo.
    """
    if isinstance(action, Stroke):
        first, last = action.points[0], action.points[-1]
        way = math.dist(pointer, first) / TRAVEL + SEARCH
        return way + length(action.points) / DRAW, last
    if isinstance(action, Outline):
        # A click on the first corner closes it.
        way = length((pointer, *action.corners, action.corners[0])) / TRAVEL
        return way + SEARCH * (len(action.corners) + 1), action.corners[0]
    if isinstance(action, Drag):
        way = math.dist(pointer, action.start) / TRAVEL + SEARCH
        return way + math.dist(action.start, action.end) / DRAW, action.end
    bar = (0.0, height / 2)
    return math.dist(pointer, bar) / TRAVEL + SEARCH, bar


def all_seconds(actions: Sequence[Action], pointer: Point, height: int) -> Iterator[float]:
    """The seconds of each of a row of actions."""
    for action in actions:
        taken, pointer = seconds(action, pointer, height)
        yield taken


def length(points: Sequence[Point]) -> float:
    """Of a line through points, in pixels."""
    return sum(math.dist(a, b) for a, b in pairwise(points))
