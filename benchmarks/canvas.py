"""The canvas under a person's hand: brush, undo, pan and zoom, and the window while it saves.

``python -m benchmarks.canvas [--json FILE] [--sizes 500 4096 10000] [--moves N]``; the real window
(of 1280 x 800, on the display there is, or ``QT_QPA_PLATFORM=offscreen``), with real mouse events,
on photos that it makes. A move counts from its event to the end of the paint event that shows it.
The bare limit, measured move by move in the same run, is one ``cv2.line`` into a mask and one
``drawImage`` of it, clipped to what the line touched.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from benchmarks.report import Row, json_argument, report
from benchmarks.window import (
    WINDOWS,
    Bench,
    Stalls,
    make_photo,
    open_window,
    p50,
    p95,
    path,
    scratch_home,
)
from petseg_gui.display import why_no_window

SIZES = {500: (500, 375), 4096: (4096, 4096), 10000: (10000, 10000)}
ZOOMS = {"fit": None, "100 %": 1.0, "800 %": 8.0}
RADII = (12, 200, 1000)

MOVE_LIMIT = 2.0
ABOVE_BARE_LIMIT = 1.0
LARGE_BRUSH_LIMIT = 16.0
UNDO_LIMIT = 10.0
VIEW_LIMIT = 16.0
STALL_LIMIT = 50.0

_STROKES = 3  # a figure, so that one has undos to speak of


@dataclass
class Moves:
    """Milliseconds of each move: the event, what it painted, the bare limit."""

    compute: list[float]
    paint: list[float]
    bare: list[float]

    @property
    def total(self) -> list[float]:
        return [c + p for c, p in zip(self.compute, self.paint, strict=True)]


def main() -> int:
    """Measure, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--moves", type=int, default=120, help="of the brush, for each figure")
    options = parser.parse_args()
    reason = why_no_window(os.environ)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    with scratch_home() as scratch:
        folder = scratch / "photos"
        folder.mkdir()
        for size in options.sizes:
            make_photo(folder / _name(size), *SIZES[size])
        with open_window(folder) as bench:
            rows = list(_measure(bench, options.sizes, options.moves))
    return report(rows, options.json)


def _measure(bench: Bench, sizes: list[int], moves: int) -> Iterator[Row]:
    for size in sizes:
        width, height = SIZES[size]
        bench.show(_name(size))
        undos: list[float] = []
        redos: list[float] = []
        for zoom, factor in ZOOMS.items():
            bench.zoom(factor)
            for radius in RADII:
                measured = _brush(bench, radius, moves, undos, redos)
                yield from _brush_rows(f"{width}x{height} {zoom} r {radius}", radius, measured)
        yield Row(f"{width}x{height} undo a stroke p95", p95(undos), "ms", UNDO_LIMIT)
        yield Row(f"{width}x{height} redo a stroke p95", p95(redos), "ms", UNDO_LIMIT)
    largest = max(sizes)
    for window in WINDOWS:
        yield from _view_rows(bench, largest, window)
    yield from _stall_rows(bench, largest)


def _brush_rows(name: str, radius: int, measured: Moves) -> Iterator[Row]:
    small, large = radius == RADII[0], radius == RADII[-1]
    limit = MOVE_LIMIT if small else LARGE_BRUSH_LIMIT if large else None
    total, bare = p95(measured.total), p95(measured.bare)
    yield Row(f"{name} move p50", p50(measured.total), "ms")
    yield Row(f"{name} move p95", total, "ms", limit)
    for part, values in (("compute", measured.compute), ("paint", measured.paint)):
        yield Row(f"{name} {part} p50", p50(values), "ms")
        yield Row(f"{name} {part} p95", p95(values), "ms")
    yield Row(f"{name} bare limit p50", p50(measured.bare), "ms")
    yield Row(f"{name} bare limit p95", bare, "ms")
    if small:
        yield Row(f"{name} above the bare limit p95", total - bare, "ms", ABOVE_BARE_LIMIT)


def _brush(bench: Bench, radius: int, moves: int, undos: list[float], redos: list[float]) -> Moves:
    """Strokes at the present zoom, each of them undone, redone and undone."""
    document = bench.parts.session.document
    assert document is not None
    bench.parts.strip.brush_size.box.setValue(2 * radius)
    bench.settle()
    bare = Bare(bench, radius)
    measured = Moves([], [], [])
    for stroke in range(_STROKES):
        points = path(bench, stroke, moves // _STROKES)
        for (before, point), (compute, paint) in zip(
            pairwise(points), bench.stroke(points), strict=True
        ):
            measured.compute.append(compute)
            measured.paint.append(paint)
            measured.bare.append(bare.move(before, point))
        bench.settle()
        for command, times in (("undo", undos), ("redo", redos), ("undo", undos)):
            times.append(sum(bench.timed(bench.parts.actions[command].trigger)))
        assert not document.history.can_undo
    return measured


class Bare:
    """The least that a brush can cost: a line into a mask, and the mask drawn where it changed."""

    def __init__(self, bench: Bench, radius: int) -> None:
        import cv2
        from PySide6.QtGui import QImage, qRgba

        self._line = cv2.line
        document = bench.parts.session.document
        assert document is not None
        self._view = bench.canvas.view
        self._radius = radius
        self._mask = np.full((document.height, document.width), 1, np.uint8)
        self._mask[:] = 0  # as a mask that was read: all of it is in memory
        self._image = QImage(
            self._mask.data,
            document.width,
            document.height,
            document.width,
            QImage.Format.Format_Indexed8,
        )
        self._image.setColorTable([0] + [qRgba(40, 90, 115, 128)] * 255)
        self._screen = QImage(bench.canvas.size(), QImage.Format.Format_RGB32)

    def move(self, start: tuple[float, float], end: tuple[float, float]) -> float:
        """Milliseconds of one move from one point of the canvas to another."""
        from PySide6.QtCore import QRectF
        from PySide6.QtGui import QPainter

        begun = time.perf_counter()
        a, b = ([round(v) for v in self._view.to_image(*point)] for point in (start, end))
        self._line(self._mask, a, b, 1, 2 * self._radius)
        x0, y0 = (min(p, q) - self._radius - 1 for p, q in zip(a, b, strict=True))
        x1, y1 = (max(p, q) + self._radius + 1 for p, q in zip(a, b, strict=True))
        left, top = self._view.to_device(x0, y0)
        right, bottom = self._view.to_device(x1, y1)
        origin = self._view.to_device(0, 0)
        painter = QPainter(self._screen)
        painter.setClipRect(QRectF(left, top, right - left, bottom - top))
        height, width = self._mask.shape
        zoom = self._view.zoom
        painter.drawImage(QRectF(*origin, width * zoom, height * zoom), self._image)
        painter.end()
        return (time.perf_counter() - begun) * 1000


def _view_rows(bench: Bench, size: int, window: tuple[int, int]) -> Iterator[Row]:
    """Panning and zooming by the steps that keys and wheel make."""
    bench.show(_name(size), window)
    canvas = bench.canvas
    name = f"{size} in {window[0]}x{window[1]}"

    def zoom_by(factor: float) -> None:
        canvas.zoom_to(canvas.zoom * factor)

    zooms = [sum(bench.timed(partial(zoom_by, f))) for f in [1.2] * 30 + [1 / 1.2] * 30]
    yield Row(f"{name} zoom p50", p50(zooms), "ms")
    yield Row(f"{name} zoom p95", p95(zooms), "ms", VIEW_LIMIT)
    for zoom, factor in {"fit": None, "20 %": 0.2, **ZOOMS}.items():
        bench.zoom(factor)
        ways = [(17 * math.cos(n), 13 * math.sin(n)) for n in range(60)]
        pans = [sum(bench.timed(partial(canvas.pan, *way))) for way in ways]
        yield Row(f"{name} pan at {zoom} p95", p95(pans), "ms", VIEW_LIMIT)


def _stall_rows(bench: Bench, size: int) -> Iterator[Row]:
    """The longest silence of the event loop while a person works and the mask is saved."""
    bench.show(_name(size))
    stalls = Stalls(bench)
    session = bench.parts.session
    bench.parts.strip.brush_size.box.setValue(2 * RADII[-1])
    with stalls.during("first stroke"):
        for _ in bench.stroke(path(bench, 0, 20)):
            stalls.breathe()
    with stalls.during("saving, strokes meanwhile"):
        session.save()
        strokes = 0
        while session.saver.busy or not strokes:
            for _ in bench.stroke(path(bench, strokes, 10)):
                stalls.breathe()
            strokes += 1
    with stalls.during("undo and redo"):
        for command in ("undo", "redo", "undo"):
            bench.timed(bench.parts.actions[command].trigger)
            stalls.breathe()
    for what, longest in stalls.longest.items():
        yield Row(f"{size} longest stall: {what}", longest, "ms", STALL_LIMIT)


def _name(size: int) -> str:
    return f"{size:05}.jpg"


if __name__ == "__main__":
    sys.exit(main())
