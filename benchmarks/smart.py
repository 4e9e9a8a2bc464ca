"""What the smart tools are worth, on photos whose truth is known, and what a call takes.

``python -m benchmarks.smart [--json FILE] [--photos N] [--data DIR] [--model FILE]``

The photos are a hundred of the val split of Oxford-IIIT Pet, drawn once (seed 0); the bundled
network did not train on them, though its best epoch was picked on the val split. The tools' own
numbers were found on the other 221 photos of the val split, or on the train split. Every IoU is
the pet's, a photo at a time, at its own size, with the trimap's border ignored.

Boxes are the pet's bounding box (with its border), 5 % too wide and too high. Clicks go to the
middle (largest distance transform) of the largest connected error, at most 20 a photo, and 20 are
counted where the IoU is never reached; "astray" ones miss it by up to 0.4 of its radius. Scissors
get anchors every 80 px along the middle of the trimap's border. Brushes begin with
all of the pet but its outer 8 px and go along there, 32 px wide: the plain one paints 8 px too far.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from benchmarks import smart_hands as hands
from benchmarks.report import Row, json_argument, report
from benchmarks.smart_photos import PHOTOS, Photo, photos
from core.editing import brush
from core.editing.box import Box, intersection
from core.editing.brush import Point
from core.editing.click import correct
from core.editing.grabcut import grabcut_box
from core.editing.probability import ProbabilityMap
from core.editing.refine import refine
from core.editing.region import Region
from core.editing.scissors import path
from core.editing.similar import Similar
from core.inference.bundled import bundled_model
from core.inference.closeup import look_closer
from core.inference.predictor import Predictor
from core.labels import PET, BorderRule

DATA = Path(__file__).parents[2] / "shared" / "data" / "oxford-iiit-pet"

BOX_GAIN = 0.02
BOX_MS = 300.0
CLICKS = {0.85: 1.5, 0.90: 2.5}
CLICK_MS = 100.0

_LONGEST = 500  # px: the photos are enlarged to this for the time that a box takes
_BAND = 10
_TOLERANCE = 40
_ASTRAY = 0.4


@dataclass
class Figures:
    """What one tool did, photo by photo. values: of each photo; ms: of each call."""

    values: list[float] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)

    def add(self, photo: Photo, value: float) -> None:
        self.values.append(value)
        self.groups.append(photo.group)

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Times a call."""
        start = time.perf_counter()
        yield
        self.ms.append((time.perf_counter() - start) * 1000)


def main() -> int:
    """Measure, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.add_argument("--photos", type=int, default=PHOTOS, help=f"how many of the {PHOTOS}")
    parser.add_argument("--data", type=Path, default=DATA, help="Oxford-IIIT Pet")
    parser.add_argument("--model", type=Path, help="a model file instead of the bundled one")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"no photos in {options.data}: give --data", file=sys.stderr)
        return 2
    predictor = Predictor(options.model or bundled_model())
    chosen = list(photos(options.data, predictor, options.photos))
    rows = [Row("photos", len(chosen), "")]
    for part in (_boxes(chosen, predictor), _clicks(chosen), _edges(chosen), _brushes(chosen)):
        rows += part
    return report(rows, options.json)


def _boxes(chosen: list[Photo], predictor: Predictor) -> list[Row]:
    def closer(photo: Photo, pixels: np.ndarray, box: Box) -> ProbabilityMap | None:
        return look_closer(predictor, pixels, box, 1, PET, BorderRule.FOREGROUND)

    own, cut, closer_cut = Figures(), Figures(), Figures()
    led, led_by_whole, plain, large = Figures(), Figures(), Figures(), Figures()
    for photo in chosen:
        own.add(photo, photo.iou(photo.mask))
        cut.add(photo, photo.iou(_cut_out(photo.mask, photo.box)))
        with led.timed():
            seen = closer(photo, photo.pixels, photo.box)
            region = grabcut_box(photo.pixels, photo.box, seen)
        led.add(photo, photo.iou(_drawn(region, photo)))
        with plain.timed():
            region = grabcut_box(photo.pixels, photo.box)
        plain.add(photo, photo.iou(_drawn(region, photo)))
        region = grabcut_box(photo.pixels, photo.box, photo.probability)
        led_by_whole.add(photo, photo.iou(_drawn(region, photo)))
        assert seen is not None
        height, width = photo.trimap.shape
        sure = seen.over((0, 0, width, height), (width, height)) >= 0.5
        closer_cut.add(photo, photo.iou(_cut_out(sure, photo.box)))
        pixels, box = _enlarged(photo)
        with large.timed():
            grabcut_box(pixels, box, closer(photo, pixels, box))
    return [
        *_means("the model's own mask", own, "IoU"),
        *_means("box: the model's mask cut to it", cut, "IoU"),
        *_means("box: GrabCut led by the model", led, "IoU"),
        Row("box: its gain over the cut", led.mean - cut.mean, "IoU", BOX_GAIN, at_least=True),
        *_times("box: GrabCut led by the model", led),
        *_times(f"box: the same, photo of {_LONGEST} px", large, BOX_MS),
        *_means("box: led by the whole photo's plane", led_by_whole, "IoU"),
        *_means("box: second look without GrabCut", closer_cut, "IoU"),
        *_means("box: plain GrabCut", plain, "IoU"),
        *_times("box: plain GrabCut", plain),
    ]


def _clicks(chosen: list[Photo]) -> list[Row]:
    rows = []
    kinds = {
        "click": (0.0, True),
        "click, astray": (_ASTRAY, True),
        "click, no model": (0.0, False),
    }
    for title, (astray, with_model) in kinds.items():
        reached = {goal: Figures() for goal in CLICKS}
        calls, never = Figures(), 0
        for photo in chosen:
            tool = _click_tool(photo, photo.probability if with_model else None, calls)
            course = hands.click(photo, max(CLICKS), tool, astray)
            for goal, figures in reached.items():
                figures.add(photo, course.until(goal))
            never += course.ious[-1] < max(CLICKS)
        for goal, figures in reached.items():
            limit = CLICKS[goal] if title == "click" else None
            rows += _means(f"{title}: clicks to {goal:.2f}", figures, "clicks", limit)
        rows.append(Row(f"{title}: photos that never reach {max(CLICKS):.2f}", never, "photos"))
        rows += _times(title, calls, CLICK_MS if title == "click" else None)
    return rows


def _click_tool(
    photo: Photo, probability: ProbabilityMap | None, calls: Figures
) -> Callable[[np.ndarray, Point, bool], Region | None]:
    def change(mask: np.ndarray, point: Point, add: bool) -> Region | None:
        with calls.timed():
            return correct(photo.pixels, mask, point, add, 1, probability)

    return change


def _edges(chosen: list[Photo]) -> list[Row]:
    before, after, clinging, straight = Figures(), Figures(), Figures(), Figures()
    for photo in chosen:
        before.add(photo, photo.iou(photo.mask))
        with after.timed():
            refined = refine(photo.pixels, photo.mask, 1, _BAND)
        after.add(photo, photo.iou(refined))
        clinging.add(photo, photo.iou(hands.outline(photo, _scissors(photo, clinging))))
        straight.add(photo, photo.iou(hands.outline(photo, lambda start, end: [start, end])))
    gain = after.mean - before.mean
    return [
        *_means(f"refine edge, band {_BAND} px", after, "IoU"),
        Row("refine edge: its gain over the model's mask", gain, "IoU", 0.0, at_least=True),
        *_times("refine edge", after),
        *_means("scissors along the true border", clinging, "IoU"),
        *_times("scissors, an anchor", clinging),
        *_means("straight lines between the same anchors", straight, "IoU"),
    ]


def _scissors(photo: Photo, calls: Figures) -> hands.Path:
    def clinging(start: Point, end: Point) -> list[Point]:
        with calls.timed():
            return path(photo.pixels, start, end)

    return clinging


def _brushes(chosen: list[Photo]) -> list[Row]:
    like, plain = Figures(), Figures()
    for photo in chosen:
        with_edges = hands.inside_of(photo)
        without = with_edges.copy()
        for stroke in hands.strokes(photo):
            similar = Similar(photo.pixels, stroke[0], _TOLERANCE)
            for start, end in pairwise([stroke[0], *stroke]):
                with like.timed():
                    region = similar.segment(start, end, hands.BRUSH)
                with_edges |= _drawn(region, photo)
                brush.paint_segment(without, start, end, hands.BRUSH, 1)
        like.add(photo, photo.iou(with_edges))
        plain.add(photo, photo.iou(without))
    return [
        *_means(f"edge-aware brush, tolerance {_TOLERANCE}", like, "IoU"),
        *_times("edge-aware brush, a move", like),
        *_means("plain brush, the same strokes", plain, "IoU"),
    ]


def _means(name: str, figures: Figures, unit: str, wanted: float | None = None) -> list[Row]:
    """The mean over all photos, then cats and dogs apart."""
    rows = [Row(name, figures.mean, unit, wanted)]
    for group in sorted(set(figures.groups) - {""}):
        own = [v for v, g in zip(figures.values, figures.groups, strict=True) if g == group]
        rows.append(Row(f"  {group} ({len(own)})", float(np.mean(own)), unit))
    return rows


def _times(name: str, figures: Figures, wanted: float | None = None) -> list[Row]:
    if not figures.ms:
        return []
    median, most = np.percentile(figures.ms, (50, 95))
    return [
        Row(f"{name}, p50", float(median), "ms"),
        Row(f"{name}, p95", float(most), "ms", wanted),
    ]


def _drawn(region: Region | None, photo: Photo) -> np.ndarray:
    """A region alone in a mask of the photo's size: uint8."""
    height, width = photo.trimap.shape
    if region is None:
        return np.zeros((height, width), np.uint8)
    return region.within((0, 0, width, height)).astype(np.uint8)


def _cut_out(mask: np.ndarray, box: Box) -> np.ndarray:
    """What of a mask lies in a box."""
    x0, y0, x1, y1 = box
    inside = np.zeros_like(mask)
    inside[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    return inside


def _enlarged(photo: Photo) -> tuple[np.ndarray, Box]:
    """The photo with its longer side at 500 px, and its box."""
    height, width = photo.trimap.shape
    scale = _LONGEST / max(height, width)
    size = round(width * scale), round(height * scale)
    pixels = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_CUBIC)
    x0, y0, x1, y1 = (round(v * scale) for v in photo.box)
    return pixels, intersection((x0, y0, x1, y1), (0, 0, *size)) or (0, 0, *size)


if __name__ == "__main__":
    sys.exit(main())
