"""The real window as benchmarks drive it: opened on a folder, with real mouse events, watched."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from petseg_gui.parts import Parts

WINDOWS = ((1280, 800), (1920, 1080))

_TICK_MS = 5
_NEVER_MS = 2**30
_PATIENCE = 120.0  # seconds until what does not happen counts as a defect


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A folder for photos, removed afterwards; the program's settings and data stay in it too."""
    with tempfile.TemporaryDirectory() as scratch:
        for private in (
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
        ):
            os.environ[private] = str(Path(scratch) / "user")
        yield Path(scratch)


class Bench:
    """The window that is measured."""

    def __init__(self, parts: Parts) -> None:
        from PySide6.QtCore import QCoreApplication, QEvent, QObject

        self.parts = parts
        self.canvas = parts.canvas
        self._process = QCoreApplication.processEvents
        painted = self._painted = [0]

        class Watch(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                painted[0] += event.type() == QEvent.Type.Paint
                return False

        self._watch = Watch()
        self.canvas.installEventFilter(self._watch)

    def until(self, happened: Callable[[], bool]) -> None:
        """Run the event loop until something has happened."""
        patience = time.monotonic() + _PATIENCE
        while not happened():
            self._process()
            if time.monotonic() > patience:
                raise RuntimeError("the window does not do what it should")

    def settle(self) -> None:
        """Run the event loop until nothing is painted, built or written any more."""
        quiet = time.monotonic()
        seen = self._painted[0]
        while time.monotonic() - quiet < 0.3:
            self._process()
            busy = self.canvas.building or self.parts.tasks.busy
            if busy or seen != self._painted[0]:
                quiet, seen = time.monotonic(), self._painted[0]

    def timed(self, act: Callable[[], object]) -> tuple[float, float]:
        """Milliseconds that an act takes, and then the painting of what it changed."""
        seen = self._painted[0]
        start = time.perf_counter()
        act()
        acted = time.perf_counter()
        while self._painted[0] == seen:
            self._process()
        return (acted - start) * 1000, (time.perf_counter() - acted) * 1000

    def show(self, name: str, window: tuple[int, int] = WINDOWS[0]) -> None:
        """Show an image in a window of some size, as it comes to rest."""
        self.parts.window.resize(*window)
        self.parts.browser.select(name)
        self.until(lambda: self.parts.session.name == name)
        self.canvas.fit()
        self.settle()

    def zoom(self, factor: float | None) -> None:
        """None fits the image."""
        if factor is None:
            self.canvas.fit()
        else:
            self.canvas.zoom_to(factor)
        self.settle()

    def mouse(self, kind: str, x: float, y: float) -> None:
        """One mouse event with the left button, at a point of the canvas."""
        from PySide6.QtCore import QEvent, QPointF, Qt
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        kinds = {
            "press": (QEvent.Type.MouseButtonPress, left, left),
            "move": (QEvent.Type.MouseMove, none, left),
            "release": (QEvent.Type.MouseButtonRelease, left, none),
        }
        type_, button, held = kinds[kind]
        point = QPointF(x, y)
        event = QMouseEvent(
            type_,
            point,
            self.canvas.mapToGlobal(point),
            button,
            held,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self.canvas, event)

    def stroke(self, points: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
        """A brush stroke; yields what each of its moves took."""
        self.timed(lambda: self.mouse("press", *points[0]))
        for point in points[1:]:
            yield self.timed(partial(self.mouse, "move", *point))
        self.mouse("release", *points[-1])


class Stalls:
    """The longest silences of the event loop, by a timer of 5 ms.

    longest: what was being done -> milliseconds.
    """

    def __init__(self, bench: Bench) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.longest: dict[str, float] = {}
        self._bench = bench
        self._doing = ""
        self._ticked = 0.0
        self._timer = QTimer(interval=_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    @contextmanager
    def during(self, doing: str) -> Iterator[None]:
        """Watch while something is done."""
        self._doing, self._ticked = doing, time.perf_counter()
        self._timer.start()
        yield
        self.breathe()
        self._timer.stop()

    def breathe(self) -> None:
        """Let the timer tick, as it does between two moves of a hand."""
        since = time.perf_counter()
        self._bench.until(lambda: self._ticked > since)

    def wait(self, happened: Callable[[], bool]) -> None:
        """Wait as a window does that nobody touches: asleep until an event comes."""
        from PySide6.QtCore import QCoreApplication, QEventLoop

        asleep = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        while not happened():
            QCoreApplication.processEvents(asleep)  # the timer's ticks end it

    def _tick(self) -> None:
        now = time.perf_counter()
        self._ticked, elapsed = now, now - self._ticked
        self.longest[self._doing] = max(self.longest.get(self._doing, 0.0), elapsed * 1000)


def path(bench: Bench, stroke: int, moves: int) -> list[tuple[float, float]]:
    """A curve over the image's part of the canvas, with moves of some 14 pixels."""
    document = bench.parts.session.document
    assert document is not None
    view, canvas = bench.canvas.view, bench.canvas
    left, top = (max(0.0, v) for v in view.to_device(0, 0))
    right, bottom = view.to_device(document.width, document.height)
    right, bottom = min(right, canvas.width()), min(bottom, canvas.height())
    x, y = (left + right) / 2, (top + bottom) / 2
    radius = 0.35 * min(right - left, bottom - top)
    step = 14 / radius
    return [
        (
            x + radius * math.cos(stroke + step * n),
            y + radius * math.sin(stroke + step * n * 1.3),
        )
        for n in range(moves + 1)
    ]


@contextmanager
def open_window(folder: Path) -> Iterator[Bench]:
    """The window on a folder, its first image shown; nothing is saved or segmented by itself."""
    from PySide6.QtWidgets import QApplication

    from petseg_gui.app import build, make_application

    application = QApplication.instance() or make_application()
    parts = build([str(folder)])
    parts.actions["segment_on_opening"].setChecked(False)
    parts.window.show()
    bench = Bench(parts)
    bench.until(lambda: parts.session.document is not None)
    parts.actions["brush"].trigger()
    parts.session.save_after_ms = _NEVER_MS  # saving is a measurement of its own
    yield bench
    parts.window.close()
    bench.until(lambda: not parts.window.isVisible())
    application.processEvents()


def make_photo(path: Path, width: int, height: int) -> None:
    """Something like a photo: smooth, with detail."""
    rng = np.random.default_rng(0)
    detail = rng.integers(0, 40, (256, 256, 3), dtype=np.uint8)
    pixels = np.tile(detail, (-(-height // 256), -(-width // 256), 1))[:height, :width]
    pixels[..., 0] += np.linspace(0, 200, width).astype(np.uint8)
    pixels[..., 1] += np.linspace(0, 200, height).astype(np.uint8)[:, None]
    Image.fromarray(pixels).save(path, quality=90)


def p50(values: Iterable[float]) -> float:
    return float(np.percentile(list(values), 50))


def p95(values: Iterable[float]) -> float:
    return float(np.percentile(list(values), 95))
