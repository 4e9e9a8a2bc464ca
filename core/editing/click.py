"""Click to correct: one click adds what belongs to a class there, or takes away what does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from core.editing.box import Box
from core.editing.brush import Point
from core.editing.graphcut import (
    FREE,
    IN,
    OUT,
    Problem,
    bounded,
    enlarge,
    log_odds,
    shrink,
    solve,
    solve_band,
)
from core.editing.probability import ProbabilityMap
from core.editing.region import Region, region_of

# Found on 221 photos by simulated clicks on a good and a poor model's masks; all lengths are in
# radii: how far the click lies from where the mask is as it should be. People click into the
# middle of what is wrong, so that says how large it is.
_REACHES = (8.0, 5.0, 3.0)
"""How far a change may go; the widest that does not run into its limit is taken."""
_SURE = 0.2  # so far around the click everything changes
_SPREAD = 1.3  # how far the click's word carries, as the deviation of a Gaussian
_PUSH = 5.0  # log odds at the click
_UNSEEN = -2.0  # log odds of a change where there is no model
_LARGEST = 1 / 16  # of the image's longer side: the largest radius
_LEAST = 24.0  # px around the click are always looked at
_SPILL = 0.15  # of the pixels at the limit may change
_MOST = 30.0  # radii squared of pixels may change at the wider reaches

_TINY = 24  # px: windows up to that are not seen smaller
_COARSE = 160  # px, the size at which the cut decides
_FINE = 384  # px, the size at which it draws the border again
_BAND = 2.0  # coarse px that the border may move then
_AROUND = 8  # coarse px around the change that are seen then


@dataclass(frozen=True, eq=False)
class _Click:
    """A click on a mask, and how far it lies from what is right."""

    pixels: np.ndarray
    mask: np.ndarray
    x: int
    y: int
    add: bool
    value: int
    probability: ProbabilityMap | None
    radius: float


def correct(
    pixels: np.ndarray,
    mask: np.ndarray,
    point: Point,
    add: bool,
    value: int,
    probability: ProbabilityMap | None = None,
) -> Region | None:
    """What one click changes: a connected region that holds it, or None where nothing is wrong.

    pixels: uint8 RGB, height x width x 3; mask: uint8, height x width; add: the region is to
    become ``value``, else it is to lose it; probability: P(value) around the click; without it
    colours alone decide. Only a window around the click is looked at, whatever the image's size.
    """
    height, width = mask.shape
    x, y = math.floor(point[0]), math.floor(point[1])
    if not (0 <= x < width and 0 <= y < height) or (mask[y, x] == value) == add:
        return None
    radius = _radius(mask, x, y, add, value)
    click = _Click(pixels, mask, x, y, add, value, probability, radius)
    for reach in _REACHES:
        attempt = _attempt(click, reach)
        if attempt.tame:
            break
    return _refined(click, attempt)


@dataclass(frozen=True, eq=False)
class _Attempt:
    """A change at the coarse size. inside: bool, over the box; tame: it stayed within bounds."""

    reach: float
    box: Box
    inside: np.ndarray
    tame: bool


def _attempt(click: _Click, reach: float) -> _Attempt:
    """The change that a click makes when it may go so many radii far."""
    height, width = click.mask.shape
    limit = max(_LEAST, reach * click.radius)
    half = math.ceil(limit + click.radius)
    window = (
        max(0, click.x - half),
        max(0, click.y - half),
        min(width, click.x + half + 1),
        min(height, click.y + half + 1),
    )
    across, down = window[2] - window[0], window[3] - window[1]
    # Half the size is as good and four times as quick.
    size = bounded(across, down, min(_COARSE, max(_TINY, max(across, down) // 2)))
    problem, settled, distance = _problem(click, window, size, reach)
    cell = across / size[0], down / size[1]
    inside = solve(problem)
    at = int((click.y - window[1]) / cell[1]), int((click.x - window[0]) / cell[0])
    change = _piece(inside & ~settled, at)
    ring = (distance > 0.85 * limit) & (distance <= limit)
    spilt = (change & ring).sum() > _SPILL * (ring & ~settled).sum()
    large = change.sum() * cell[0] * cell[1] > _MOST * click.radius**2
    # What follows needs no more than the change and a little around it.
    top, bottom = _span(change, 0, at[0])
    left, right = _span(change, 1, at[1])
    box = (
        window[0] + round(left * cell[0]),
        window[1] + round(top * cell[1]),
        window[0] + round(right * cell[0]),
        window[1] + round(bottom * cell[1]),
    )
    return _Attempt(reach, box, inside[top:bottom, left:right], not (spilt or large))


def _refined(click: _Click, attempt: _Attempt) -> Region | None:
    """The change at full size, its border drawn on finer pixels; only the clicked piece."""
    x0, y0, x1, y1 = attempt.box
    inside = attempt.inside
    size = bounded(x1 - x0, y1 - y0, _FINE)
    if size != inside.shape[::-1]:
        inside = solve_band(_problem(click, attempt.box, size, attempt.reach)[0], inside, _BAND)
    inside = enlarge(inside, (x1 - x0, y1 - y0))
    rows, columns = np.ogrid[y0 - click.y : y1 - click.y, x0 - click.x : x1 - click.x]
    inside |= columns**2 + rows**2 <= max(1.0, _SURE * click.radius) ** 2
    wrong = (click.mask[y0:y1, x0:x1] == click.value) != click.add
    return region_of(_piece(inside & wrong, (click.y - y0, click.x - x0)), x0, y0)


def _problem(
    click: _Click, window: Box, size: tuple[int, int], reach: float
) -> tuple[Problem, np.ndarray, np.ndarray]:
    """A window at (width, height): what to cut, what is right already, distances to the click."""
    x0, y0, x1, y1 = window
    part = click.mask[y0:y1, x0:x1]
    settled = shrink(((part == click.value) == click.add).view(np.uint8) * 255, size) >= 128
    across = x0 - click.x - 0.5 + (np.arange(size[0]) + 0.5) * ((x1 - x0) / size[0])
    down = y0 - click.y - 0.5 + (np.arange(size[1]) + 0.5) * ((y1 - y0) / size[1])
    distance = np.hypot(across, down[:, None])
    radius = click.radius
    odds, here = _odds(click, window, size)
    # The click carries over to its surroundings: whatever is as likely as its own pixel moves.
    prior = odds + (_PUSH - here) * np.exp(-0.5 * (distance / (_SPREAD * radius)) ** 2)
    seeds = distance <= max(_SURE * radius, (x1 - x0) / size[0])
    fixed = np.where(distance > max(_LEAST, reach * radius), OUT, FREE).astype(np.uint8)
    fixed[settled | seeds] = IN
    pixels = shrink(click.pixels[y0:y1, x0:x1], size)
    return Problem(pixels, prior.astype(np.float32), fixed, seeds), settled, distance


def _odds(click: _Click, window: Box, size: tuple[int, int]) -> tuple[np.ndarray | float, float]:
    """Log odds of what the click says, over a window and at the click itself."""
    if click.probability is None:
        return _UNSEEN, _UNSEEN
    near = max(1, round(0.3 * click.radius))
    close = (click.x - near, click.y - near, click.x + near + 1, click.y + near + 1)
    sign = 1 if click.add else -1
    odds = sign * log_odds(click.probability.over(window, size))
    return odds, sign * float(log_odds(click.probability.over(close, (5, 5))).mean())


def _radius(mask: np.ndarray, x: int, y: int, add: bool, value: int) -> float:
    """How far a wrong pixel is from the nearest one that is right, or from the image's edge.

    Looked for in growing windows, ever more coarsely, so that it costs the same in any image.
    """
    height, width = mask.shape
    edge = min(x + 1, y + 1, width - x, height - y)
    radius: float = max(1.0, min(edge, _LARGEST * max(width, height)))
    half = 32
    while True:
        step = half // 32
        left, top = max(0, x - half), max(0, y - half)
        part = mask[top : y + half + 1 : step, left : x + half + 1 : step]
        rows, columns = np.nonzero((part == value) == add)
        distances = np.hypot(columns * step + left - x, rows * step + top - y)
        radius = min(radius, float(distances.min(initial=np.inf)))
        if radius <= half:
            return radius
        half *= 2


def _piece(inside: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """The connected piece (4 neighbours) of a bool array that holds (row, column)."""
    _, labels = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    piece: np.ndarray = (labels == labels[at]) & inside
    return piece


def _span(change: np.ndarray, axis: int, at: int) -> tuple[int, int]:
    """The rows (0) or columns (1) of a change: first and end, with ``at`` and some around it."""
    cells = [at, *np.flatnonzero(change.any(axis=1 - axis)).tolist()]
    return max(0, min(cells) - _AROUND), min(change.shape[axis], max(cells) + _AROUND + 1)
