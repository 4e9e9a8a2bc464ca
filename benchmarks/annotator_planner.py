"""How a mask is corrected in little time by someone who knows the truth: pure functions.

What counts as wrong: a pixel of the other class that is more than 2 px inside the true border. What
lies nearer to it is left, and may be painted either way; so may void, the trimap's border. A stroke
touches no pixel beyond that whose true class is another.

Strokes: wrong pixels near each other are one piece. A piece is painted with one brush, or a wide
one and then narrower ones for what it cannot reach; all such choices are tried, the quickest is
taken. The next piece is always the one that mends most pixels a second, the way to it included.

Outlines: as few corners as the room between the classes allows, by the longest straight lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from benchmarks.annotator_hands import (
    DRAW,
    SEARCH,
    TRAVEL,
    Action,
    Outline,
    Stroke,
    all_seconds,
    paint,
    seconds,
)
from core.editing import brush
from core.editing.brush import Point

TOLERANCE = 2  # px
SIZES = (107, 67, 41, 25, 15, 9, 5)  # px across; the smallest fits everywhere
_NEAR = 5  # px: wrong pixels that are twice as far apart are two pieces
_ROOM = 3  # px: an outline passes so far around what it holds, at most
_TRIED = 4


@dataclass(frozen=True, eq=False)
class Truth:
    """What a mask is to become. values: uint8, height x width, 0 and 1, VOID at the border."""

    values: np.ndarray

    @cached_property
    def sure(self) -> tuple[np.ndarray, np.ndarray]:
        """By class its pixels that lie more than 2 px inside the border: bool, height x width."""
        background, pet = (_distance(self.values != v) > TOLERANCE for v in (0, 1))
        return background, pet

    def wrong(self, mask: np.ndarray, value: int) -> np.ndarray:
        """The pixels that must become a class and are not yet: bool, height x width."""
        missing: np.ndarray = self.sure[value] & (mask != value)
        return missing

    def wrong_count(self, mask: np.ndarray) -> int:
        """How many pixels are wrong."""
        return sum(int(np.count_nonzero(self.wrong(mask, v))) for v in (0, 1))


@dataclass(frozen=True, eq=False)
class Offer:
    """What some clicks give at once. mask: uint8, height x width, the mask after them."""

    actions: tuple[Action, ...]
    mask: np.ndarray


def brush_strokes(mask: np.ndarray, truth: Truth, pointer: Point) -> list[Stroke]:
    """Strokes after which nothing is wrong. mask: uint8, height x width; pointer: where it is."""
    pieces: list[tuple[int, list[Stroke]]] = []
    for value in (0, 1):
        room = _distance(truth.sure[1 - value])
        for piece in _pieces(truth.wrong(mask, value)):
            pieces.append((int(np.count_nonzero(piece)), _cover(piece, room, value)))
    ordered: list[Stroke] = []
    while pieces:
        speeds = [count / sum(all_seconds(line, pointer, len(mask))) for count, line in pieces]
        _, strokes = pieces.pop(int(np.argmax(speeds)))
        ordered += strokes
        pointer = strokes[-1].points[-1]
    return ordered


def outlines(mask: np.ndarray, truth: Truth) -> list[Outline]:
    """Polygons after which nothing is wrong: what is missing first, then what is too much."""
    after = mask.copy()
    actions: list[Outline] = []
    while truth.wrong_count(after):
        for value in (1, 0):
            for outline in _outlines(truth.wrong(after, value), truth.sure[1 - value], value):
                actions.append(outline)
                paint(after, outline)
    return actions


def cheapest(
    mask: np.ndarray, truth: Truth, offers: Sequence[Offer], pointer: Point
) -> tuple[Offer, list[Stroke]]:
    """The offer to take, and the strokes that are left then, in the least time together.

    Taking none is always thought of, and of the others the four that seem to leave least to do.
    """
    height = len(mask)

    def whole(offer: Offer) -> tuple[float, Offer, list[Stroke]]:
        at = pointer
        for action in offer.actions:
            _, at = seconds(action, at, height)
        strokes = brush_strokes(offer.mask, truth, at)
        return sum(all_seconds((*offer.actions, *strokes), pointer, height)), offer, strokes

    best = whole(Offer((), mask))
    for offer in sorted(offers, key=lambda o: _guess(o.mask, truth))[:_TRIED]:
        if sum(all_seconds(offer.actions, pointer, height)) < best[0]:
            best = min(best, whole(offer), key=lambda plan: plan[0])
    return best[1:]


# Strokes -----------------------------------------------------------------------------------------


def _pieces(wrong: np.ndarray) -> Iterator[np.ndarray]:
    """Wrong pixels that are near each other: bool, height x width each."""
    near = _distance(wrong) <= _NEAR
    count, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
    for number in range(1, count):
        yield wrong & (labels == number)


def _cover(piece: np.ndarray, room: np.ndarray, value: int) -> list[Stroke]:
    """The quickest strokes over a piece. room: distance to what must not be touched, float32."""
    rows, columns = (np.flatnonzero(piece.any(axis=axis)) for axis in (1, 0))
    top, left = (max(0, int(line[0]) - SIZES[0]) for line in (rows, columns))
    seen = np.s_[top : rows[-1] + SIZES[0] + 1, left : columns[-1] + SIZES[0] + 1]
    piece, room = piece[seen], room[seen]
    best: list[Stroke] = []
    least = math.inf
    for first, size in enumerate(SIZES):
        if np.count_nonzero(piece) / _fastest(size) > least:
            break
        begun, over = _walk(piece, room, size, value)
        for second in range(first + 1, len(SIZES) + 1) if begun else ():
            strokes, rest = begun, over
            for smaller in SIZES[second:]:
                more, rest = _walk(rest, room, smaller, value)
                strokes = strokes + more
                if _taken(strokes) >= least:
                    break
            if not rest.any() and _taken(strokes) < least:
                best, least = strokes, _taken(strokes)
    return [_moved(stroke, left, top) for stroke in _shortened(best, piece, room)]


def _taken(strokes: list[Stroke]) -> float:
    """Seconds from where the first begins; no command is among them."""
    return sum(all_seconds(strokes, strokes[0].points[0], 0))


def _fastest(size: int) -> float:
    """More pixels a second than a brush of this size can cover, by dabs or by a long stroke."""
    return max(size**2 / SEARCH, size * DRAW)


def _shortened(strokes: list[Stroke], piece: np.ndarray, room: np.ndarray) -> list[Stroke]:
    """The same without the points, and the strokes, that cover nothing by themselves."""
    for number, stroke in reversed(list(enumerate(strokes))):
        for i in reversed(range(len(stroke.points))):
            points = strokes[number].points[:i] + strokes[number].points[i + 1 :]
            fewer = [*strokes]
            fewer[number] = Stroke(points, stroke.size, stroke.value)
            inner = 0 < i < len(points)
            if inner and not _joins(points[i - 1], points[i], room, stroke.size / 2):
                continue
            left = piece.astype(np.uint8)
            for other in fewer:
                if other.points:
                    paint(left, Stroke(other.points, other.size, 0))
            if not left.any():
                strokes = fewer
    return [stroke for stroke in strokes if stroke.points]


def _walk(
    piece: np.ndarray, room: np.ndarray, size: int, value: int
) -> tuple[list[Stroke], np.ndarray]:
    """Strokes of one brush over all of a piece that it reaches, and what it does not: bool.

    From the present place to the nearest pixel that is left, in such a way that the brush covers
    as many others there as it can.
    """
    radius = size / 2
    fits = room > radius
    reached = _distance(fits) <= radius
    left = (piece & reached).astype(np.uint8)
    lines: list[list[Point]] = []
    at: Point | None = None
    while left.any():
        to = _next(left, fits, radius, at)
        if at is not None and _joins(at, to, room, radius):
            lines[-1].append(to)
            brush.paint_segment(left, at, to, size, 0)
        else:
            lines.append([to])
            brush.paint_segment(left, to, to, size, 0)
        at = to
    return [Stroke(tuple(line), size, value) for line in lines], piece & ~reached


def _next(left: np.ndarray, fits: np.ndarray, radius: float, at: Point | None) -> Point:
    """Where the brush goes next: the middle of a pixel."""
    xs, ys = cv2.findNonZero(left).reshape(-1, 2).T
    if at is None:  # at an end, not in the middle
        at = float(xs.mean()), float(ys.mean())
        number = int(np.hypot(xs - at[0], ys - at[1]).argmax())
    else:
        number = int(np.hypot(xs + 0.5 - at[0], ys + 0.5 - at[1]).argmin())
    x, y = int(xs[number]), int(ys[number])
    reach = int(radius)
    top, start = max(0, y - 2 * reach), max(0, x - 2 * reach)
    seen = np.s_[top : y + 2 * reach + 1, start : x + 2 * reach + 1]
    covered = cv2.filter2D(
        left[seen].astype(np.float32), -1, _disc(radius), borderType=cv2.BORDER_CONSTANT
    )
    rows, columns = np.ogrid[: covered.shape[0], : covered.shape[1]]
    here = np.hypot(columns + start - x, rows + top - y) <= radius
    way = np.hypot(columns + start + 0.5 - at[0], rows + top + 0.5 - at[1])
    worth = np.where(here & fits[seen], covered - 0.01 * way, -np.inf)
    row, column = np.unravel_index(int(worth.argmax()), worth.shape)
    return float(column + start) + 0.5, float(row + top) + 0.5


def _joins(a: Point, b: Point, room: np.ndarray, radius: float) -> bool:
    """Whether the brush may and should go on painting from a to b."""
    distance = math.dist(a, b)
    if distance / DRAW > SEARCH + distance / TRAVEL:
        return False
    return _least(room, a, b) > radius + 0.75  # the line passes beside the pixels' middles


def _least(room: np.ndarray, a: Point, b: Point) -> float:
    """The least value along a straight line, looked at every half pixel."""
    steps = max(2, math.ceil(2 * math.dist(a, b)))
    xs = np.linspace(a[0], b[0], steps).astype(np.intp)
    ys = np.linspace(a[1], b[1], steps).astype(np.intp)
    return float(room[ys, xs].min())


def _disc(radius: float) -> np.ndarray:
    reach = int(radius)
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    inside: np.ndarray = (rows**2 + columns**2 <= radius**2).astype(np.float32)
    return inside


def _moved(stroke: Stroke, x: int, y: int) -> Stroke:
    return Stroke(tuple((a + x, b + y) for a, b in stroke.points), stroke.size, stroke.value)


def _guess(mask: np.ndarray, truth: Truth) -> float:
    """Roughly the seconds that strokes would take: two a piece, and some time for its area."""
    pieces = sum(len(list(_pieces(truth.wrong(mask, value)))) for value in (0, 1))
    return 2 * SEARCH * pieces + truth.wrong_count(mask) / _fastest(SIZES[2])


# Outlines ----------------------------------------------------------------------------------------


def _outlines(wrong: np.ndarray, forbidden: np.ndarray, value: int) -> list[Outline]:
    """Polygons around wrong pixels that hold nothing forbidden but what they enclose."""
    # Beyond the photo's sides there is room too.
    pad = _ROOM + 2
    wrong, forbidden = (np.pad(np.pad(a, 1, mode="edge"), pad - 1) for a in (wrong, forbidden))
    near = _distance(wrong)
    held = (near <= _ROOM) & (near < _distance(forbidden))
    lines, _ = cv2.findContours(held.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    blocked = wrong | forbidden
    found = []
    for line in lines:
        corners = _straightened([(int(x), int(y)) for x, y in line[:, 0]], blocked)
        found.append(Outline(tuple((x - pad + 0.5, y - pad + 0.5) for x, y in corners), value))
    return found


def _straightened(line: list[tuple[int, int]], blocked: np.ndarray) -> list[tuple[int, int]]:
    """The corners that are left of a closed line by always going on as far as it goes straight."""
    free = (~blocked).astype(np.uint8)
    corners, at = [], 0
    while at < len(line):
        corners.append(line[at])
        ends = range(min(at + len(line) // 3, len(line)), at, -1)
        at = next((j for j in ends if _is_free(line, at, j, free)), at + 1)
    return corners


def _is_free(line: list[tuple[int, int]], i: int, j: int, free: np.ndarray) -> bool:
    a, b = ((x + 0.5, y + 0.5) for x, y in (line[i], line[j % len(line)]))  # pixels' middles
    return _least(free, a, b) > 0


def _distance(kind: np.ndarray) -> np.ndarray:
    """From each pixel's middle to that of the nearest True pixel: float32, inf without one."""
    if not kind.any():
        return np.full(kind.shape, np.inf, np.float32)
    return cv2.distanceTransform((~kind).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
