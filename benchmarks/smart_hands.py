"""A person's hands for ``benchmarks.smart``: they know the truth and drive the tools by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.smart_photos import Photo
from core.editing.brush import Point
from core.editing.region import Region
from core.editing.shapes import polygon

Path = Callable[[Point, Point], list[Point]]
Change = Callable[[np.ndarray, Point, bool], Region | None]
"""(mask, point, whether to add) -> the pixels that change."""

ANCHORS = 80  # px between the scissors' anchors
INSET = 8  # px inside the true border: how close to it the hand goes
BRUSH = 4 * INSET  # px across: it reaches as far beyond the border
STROKE = 40  # px of border a stroke
MOST_CLICKS = 20


def outline(photo: Photo, path: Path) -> np.ndarray:
    """The pet outlined piece by piece along the middle of the trimap's border: bool."""
    inside = _with_half_the_border(photo.trimap).astype(np.uint8)
    drawn = np.zeros(inside.shape, bool)
    lines, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for line in lines:
        step = max(1, min(ANCHORS, len(line) // 3))
        points: list[Point] = [(x + 0.5, y + 0.5) for x, y in line[::step, 0].tolist()]
        around: list[Point] = []
        for start, end in zip(points, [*points[1:], points[0]], strict=True):
            around += path(start, end)[:-1]
        region = polygon(around, inside.shape)
        if region is not None:
            x0, y0, x1, y1 = region.box
            drawn[y0:y1, x0:x1] ^= region.inside
    return drawn


def inside_of(photo: Photo) -> np.ndarray:
    """What is easily painted with a wide brush: all but the pet's outer 8 px. uint8 of 0 and 1."""
    pet = _with_half_the_border(photo.trimap).astype(np.uint8)
    return (cv2.distanceTransform(pet, cv2.DIST_L2, 5) > INSET).astype(np.uint8)


def strokes(photo: Photo) -> Iterator[list[Point]]:
    """Strokes along the inside of the pet's border; they depend on the truth alone."""
    lines, _ = cv2.findContours(inside_of(photo), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    for line in lines:
        points: list[Point] = [(x + 0.5, y + 0.5) for x, y in line[:, 0].tolist()]
        for first in range(0, len(points), STROKE):
            yield points[first : first + STROKE + 1 : 4]


@dataclass(frozen=True)
class Clicks:
    """How a photo was corrected by clicks. ious: before the first click, then after each."""

    ious: list[float]

    def until(self, iou: float) -> int:
        """Clicks until an IoU was reached; the most there may be where it never was."""
        return next((n for n, v in enumerate(self.ious) if v >= iou), MOST_CLICKS)


def click(photo: Photo, goal: float, correct: Change, astray: float = 0.0) -> Clicks:
    """Click at the middle of the largest error until the IoU is reached, or 20 times.

    astray: by how much of an error's inscribed radius a click misses its middle, at most.
    """
    rng = np.random.default_rng(0)
    mask = photo.mask.copy()
    ious = [photo.iou(mask)]
    while ious[-1] < goal and len(ious) <= MOST_CLICKS:
        aim = _largest_error(mask, photo.truth)
        if aim is None:
            break
        (x, y), radius, add = aim
        x += rng.uniform(-astray, astray) * radius
        y += rng.uniform(-astray, astray) * radius
        region = correct(mask, (x, y), add)
        if region is not None:
            x0, y0, x1, y1 = region.box
            mask[y0:y1, x0:x1][region.inside] = add
        ious.append(photo.iou(mask))
    return Clicks(ious)


def _largest_error(mask: np.ndarray, truth: np.ndarray) -> tuple[Point, float, bool] | None:
    """The middle and the inscribed radius of the largest connected error; whether to add there."""
    best: tuple[int, np.ndarray, bool] | None = None
    for add in (True, False):
        wrong = (truth == add) & (mask != add)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8))
        if count > 1:
            areas = stats[1:, cv2.CC_STAT_AREA]
            largest = int(areas.argmax())
            if best is None or areas[largest] > best[0]:
                best = int(areas[largest]), labels == largest + 1, add
    if best is None:
        return None
    return *_middle(best[1].astype(np.uint8)), best[2]


def _middle(inside: np.ndarray) -> tuple[Point, float]:
    """Where most of a uint8 array lies around: the largest distance transform, and its value."""
    distance = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    return (float(x) + 0.5, float(y) + 0.5), float(distance[y, x])


def _with_half_the_border(trimap: np.ndarray) -> np.ndarray:
    """The pet and that half of the border which is nearer to it than to the background: bool."""
    to_pet = cv2.distanceTransform((trimap != 1).astype(np.uint8), cv2.DIST_L2, 5)
    to_background = cv2.distanceTransform((trimap != 0).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray((trimap == 1) | ((trimap == 2) & (to_pet < to_background)))
