"""The window while something large goes on: a training, segmenting a folder, opening 20,000 files.

``python -m benchmarks.responsive [--json FILE] [--seconds N] [--files N] [--photos N]``; the real
window, on the display there is or ``QT_QPA_PLATFORM=offscreen``, on photos that are drawn first.
The training is a worker of its own with one thread (on two cores: what the window starts), of the
preset quick. A stall is the longest silence of the event loop, by a timer of 5 ms; beside it that
of an empty event loop in a process of its own at the same time, which is the machine's. A brush
move counts from its event to the end of the paint event that shows it; beside it the bare limit of
``benchmarks.canvas``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from benchmarks.canvas import Bare
from benchmarks.report import Row, json_argument, report
from benchmarks.window import Bench, Stalls, make_photo, open_window, p50, p95, path, scratch_home
from core.demo import FIRST_TRAINING_SEED, draw_demo
from core.drawing.animal_photo import draw_animal
from core.images import encode_jpeg
from core.labels import PET
from core.masks import MaskEncoding, encode_mask
from core.project.reviews import Status
from petseg_gui.display import why_no_window

STALL_LIMIT = 50.0
MOVE_LIMIT = 2.0

_LARGE = "large.jpg"
_LARGE_SIZE = (4096, 4096)
_BRUSH_RADIUS = 12
_MOVES = 40  # a stroke
_MASKS = 48
_TINY = (64, 48)
_ENDLESS = 10_000  # epochs
_AFTERWARDS = 3.0
_SCROLLS = 200


Empty: TypeAlias = "subprocess.Popen[str]"
_EMPTY_LOOP = """
import sys, time
from PySide6.QtCore import QCoreApplication, QSocketNotifier, Qt, QTimer

application = QCoreApplication([])
ticked, longest = time.perf_counter(), 0.0

def tick():
    global ticked, longest
    now = time.perf_counter()
    longest, ticked = max(longest, now - ticked), now

def answer():
    global longest
    if not sys.stdin.readline():
        return application.quit()
    print(longest * 1000, flush=True)
    longest = 0.0

timer = QTimer(interval=5, timerType=Qt.TimerType.PreciseTimer)
timer.timeout.connect(tick)
timer.start()
asked = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
asked.activated.connect(answer)
application.exec()
"""


@contextmanager
def empty_loop() -> Iterator[Empty]:
    """An empty event loop in a process of its own, for ``Watched``."""
    with subprocess.Popen(
        [sys.executable, "-c", _EMPTY_LOOP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as empty:
        yield empty
        empty.kill()


class Watched:
    """The window's stalls, and those of an empty event loop meanwhile."""

    def __init__(self, bench: Bench, empty: Empty) -> None:
        self.stalls = Stalls(bench)
        self._empty = empty
        self._machine: dict[str, float] = {}

    @contextmanager
    def during(self, doing: str) -> Iterator[None]:
        """Watch while something is done."""
        self._longest_of_empty()
        with self.stalls.during(doing):
            yield
        self._machine[doing] = self._longest_of_empty()

    @property
    def rows(self) -> Iterator[Row]:
        for doing, longest in self.stalls.longest.items():
            yield Row(f"longest stall: {doing}", longest, "ms", STALL_LIMIT)
            yield Row("  of an empty loop meanwhile", self._machine[doing], "ms")

    def _longest_of_empty(self) -> float:
        """Since it was asked last."""
        assert self._empty.stdin is not None
        assert self._empty.stdout is not None
        self._empty.stdin.write("\n")
        self._empty.stdin.flush()
        return float(self._empty.stdout.readline())


def main() -> int:
    """Measure, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=60, help="of watching a training")
    parser.add_argument("--files", type=int, default=20_000, help="in the large folder")
    parser.add_argument("--photos", type=int, default=60, help="that are segmented")
    options = parser.parse_args()
    reason = why_no_window(os.environ)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    with scratch_home() as scratch:
        trained, segmented, large = (scratch / n for n in ("trained", "segmented", "large"))
        for _ in draw_demo(trained, _MASKS, _MASKS, FIRST_TRAINING_SEED):
            pass
        make_photo(trained / "images" / _LARGE, *_LARGE_SIZE)
        for _ in draw_demo(segmented, options.photos, 0, FIRST_TRAINING_SEED):
            pass
        _fill(large, options.files)
        with empty_loop() as empty:
            rows = [
                *_while_training(trained, options.seconds, empty),
                *_while_segmenting(segmented, empty),
                *_while_opening(trained, large, options.files, empty),
            ]
    return report(rows, options.json)


def _while_training(folder: Path, seconds: float, empty: Empty) -> Iterator[Row]:
    with _training(folder), open_window(folder) as bench:
        watcher = bench.parts.watcher
        bench.until(lambda: watcher.state is not None and watcher.state.step is not None)
        watched = Watched(bench, empty)
        with watched.during("watching a training"):
            until = time.monotonic() + seconds
            watched.stalls.wait(lambda: time.monotonic() > until)
        bench.show(_LARGE)
        bench.parts.strip.brush_size.box.setValue(2 * _BRUSH_RADIUS)
        moves: list[float] = []
        bare_moves: list[float] = []
        bare = Bare(bench, _BRUSH_RADIUS)
        with watched.during("painting while training"):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                points = path(bench, len(moves), _MOVES)
                strokes = zip(pairwise(points), bench.stroke(points), strict=True)
                for (before, point), (compute, paint) in strokes:
                    moves.append(compute + paint)
                    bare_moves.append(bare.move(before, point))
                    watched.stalls.breathe()
        state = watcher.state
        if state is None or state.over:
            raise RuntimeError("the training ended before it was measured")
        yield from watched.rows
        yield Row("brush while training, move p50", p50(moves), "ms")
        yield Row("brush while training, move p95", p95(moves), "ms", MOVE_LIMIT)
        yield Row("  of the bare limit meanwhile", p95(bare_moves), "ms")
        yield Row("epochs meanwhile", len(state.epochs), "")
        bench.parts.training.discard()  # the command would ask first
        bench.until(lambda: not bench.parts.watcher.training)


def _while_segmenting(folder: Path, empty: Empty) -> Iterator[Row]:
    with open_window(folder) as bench:
        batch = bench.parts.batch
        bench.settle()
        watched = Watched(bench, empty)
        started = time.monotonic()
        with watched.during("segmenting a folder"):
            bench.parts.actions["segment_all"].trigger()
            watched.stalls.wait(lambda: not batch.running)
        seconds = time.monotonic() - started
        segmented = len(bench.parts.session.named(Status.PREDICTED))
        if not segmented:
            raise RuntimeError("nothing was segmented")
        yield from watched.rows
        yield Row("segmented", segmented / seconds, "photos/s")


def _while_opening(before: Path, folder: Path, files: int, empty: Empty) -> Iterator[Row]:
    from petseg_gui.wiring.folder import open_folder

    with open_window(before) as bench:
        bench.settle()
        session = bench.parts.session
        watched = Watched(bench, empty)
        started = time.monotonic()
        with watched.during(f"opening {files} files"):
            open_folder(bench.parts, folder)
            watched.stalls.wait(
                lambda: session.project is not None and session.project.folder == folder
            )
            watched.stalls.wait(lambda: session.document is not None and session.name != "")
            seconds = time.monotonic() - started
            # What is done once the first photo is shown: thumbnails, the rest of the list.
            until = time.monotonic() + _AFTERWARDS
            watched.stalls.wait(lambda: time.monotonic() > until)
        with watched.during(f"scrolling through {files} files"):
            bar = bench.parts.browser.list.verticalScrollBar()
            for step in range(_SCROLLS + 1):
                bar.setValue(bar.maximum() * step // _SCROLLS)
                watched.stalls.breathe()
        yield from watched.rows
        yield Row(f"{files} files, until the first photo", seconds, "s")


@contextmanager
def _training(folder: Path) -> Iterator[None]:
    """A worker that trains on the folder; it is gone at the end."""
    from core.project.project import open_project
    from core.training.control import worker_alive
    from core.training.launch import create_run, last_words, start_worker
    from core.training.plan import plan_training
    from core.training.presets import make_config

    project = open_project(folder)
    config = make_config("quick", epochs=_ENDLESS, threads=1)
    run = create_run(project, config, plan_training(project))
    worker = start_worker(run)
    try:
        while not worker_alive(run):  # a window joins what it finds at work
            if worker.poll() is not None:
                raise RuntimeError(last_words(run))
            time.sleep(0.1)
        yield
    finally:
        worker.kill()
        worker.wait()


def _fill(folder: Path, files: int) -> None:
    """Very small photos, every other one with a mask."""
    pixels, mask = draw_animal(FIRST_TRAINING_SEED, *_TINY)
    photo, png = encode_jpeg(pixels), encode_mask(mask, MaskEncoding.IDS, PET)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for number in range(files):
        (folder / "images" / f"{number:06}.jpg").write_bytes(photo)
        if number % 2 == 0:
            (folder / "masks" / f"{number:06}.png").write_bytes(png)


if __name__ == "__main__":
    sys.exit(main())
