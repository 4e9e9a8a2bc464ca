"""A folder of very many images in the window: opened, looked through, searched, followed.

``python -m benchmarks.folder [--images 100000] [--flat] [--json FILE]``; the real window, on the
display there is or ``QT_QPA_PLATFORM=offscreen``, in a process of its own, on a folder that is made
first: hard links to some small drawn photos in folders of a thousand (``--flat``: all in one), a
mask for every other one, reviews, predictions, links to elsewhere and round in circles, broken
ones, files that are no images and a folder that may not be read. It is opened twice: as nobody has
looked at it yet, and once it is known. A stall is the longest silence of the event loop, by a
timer of 5 ms; beside it that of an empty one in another process at the same time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row, json_argument, report
from benchmarks.responsive import Watched, empty_loop
from benchmarks.window import Bench, p95, scratch_home
from core.drawing.animal_photo import draw_animal
from core.images import encode_jpeg
from core.labels import PET
from core.masks import MaskEncoding, encode_mask
from petseg_gui.display import why_no_window

if TYPE_CHECKING:
    from petseg_gui.parts import Parts

_PHOTOS = 16  # different ones; a file system has room for some ten thousand links to each
_SIZE = (160, 120)
_IN_A_FOLDER = 1000
_COME = 1000  # images that come while the folder is open
_SCROLLS = 200
_AFTERWARDS_S = 5.0
_FIRST_LIMIT = 0.3
_ALL_LIMIT = 2.0
_MEMORY_LIMIT = 400
_INSTANT_LIMIT = 50.0  # ms that the window may be held up by a search


def main() -> int:
    """Measure in a process of its own, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--flat", action="store_true", help="all images in one folder")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    reason = why_no_window(os.environ)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    if options.folder is not None:
        print(json.dumps([asdict(row) for row in _measured(options.folder, options.images)]))
        return 0
    rows: list[Row] = []
    with scratch_home() as scratch:
        folder = scratch / "photos"
        make_folder(folder, options.images, options.flat)
        for known in (False, True):
            mine = [sys.executable, "-m", "benchmarks.folder", "--images", str(options.images)]
            answer = subprocess.run(
                [*mine, "--folder", str(folder)], stdout=subprocess.PIPE, check=True, text=True
            )
            again = "known: " if known else ""
            for row in json.loads(answer.stdout.splitlines()[-1]):
                rows.append(Row(**row | {"name": again + row["name"]}))
    return report(rows, options.json)


def make_folder(folder: Path, images: int, flat: bool) -> None:
    """A data set of images/ and masks/ with a project beside it."""
    source = folder.with_name("source")
    source.mkdir()
    for seed in range(_PHOTOS):
        pixels, mask = draw_animal(seed, *_SIZE)
        (source / f"{seed}.jpg").write_bytes(encode_jpeg(pixels))
        (source / f"{seed}.png").write_bytes(encode_mask(mask, MaskEncoding.IDS, PET))
    store = folder / ".petseg"
    store.mkdir(parents=True)
    with (
        open(store / "reviews.jsonl", "w", encoding="utf-8") as reviews,
        open(store / "predictions.jsonl", "w", encoding="utf-8") as predictions,
    ):
        for number in range(images):
            below = "" if flat else f"{number // _IN_A_FOLDER:04}/"
            name = f"{below}photo {number:06}"
            seed = number % _PHOTOS
            _link(source / f"{seed}.jpg", folder / "images" / f"{name}.jpg")
            image = {"image": f"{name}.jpg", "time": "2026-01-01T10:00:00+00:00", "model": "m" * 16}
            if number % 2 == 0:
                _link(source / f"{seed}.png", folder / "masks" / f"{name}.png")
                review = {"status": "approved", "mask": "a" * 64, "seconds": 12.5, "strokes": 7}
                reviews.write(json.dumps(image | review) + "\n")
            if number % 4 == 1:
                _link(source / f"{seed}.png", store / "predictions" / f"{name}.png")
                record = {"title": "A model", "uncertainty": number % 100 / 100, "threshold": 0.5}
                predictions.write(json.dumps(image | record) + "\n")
    _add_odd_ones(folder / "images", source)


def _add_odd_ones(images: Path, source: Path) -> None:
    (images / "no image.jpg").write_text("words")
    (images / "broken link.jpg").symlink_to(images / "gone.jpg")
    (images / "a link.jpg").symlink_to(source / "0.jpg")
    (images / "a linked folder").symlink_to(source, target_is_directory=True)
    (images / "round").symlink_to(images, target_is_directory=True)
    (images / "locked").mkdir(mode=0o000)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        target.parent.mkdir(parents=True)
        os.link(source, target)


def _measured(folder: Path, images: int) -> Iterator[Row]:
    from PySide6.QtWidgets import QApplication

    from petseg_gui.app import build, make_application
    from petseg_gui.wiring.folder import open_folder

    application = QApplication.instance() or make_application()
    # As it is for who chooses a folder: the window is there.
    start = folder.with_name("start")
    start.mkdir(exist_ok=True)
    (start / "photo.jpg").write_bytes((folder.with_name("source") / "0.jpg").read_bytes())
    parts = build([str(start)])
    parts.actions["segment_on_opening"].setChecked(False)
    parts.window.show()
    bench = Bench(parts)
    bench.until(lambda: parts.session.document is not None)
    bench.settle()
    before = _memory()
    with empty_loop() as empty:
        watched = Watched(bench, empty)
        seen = _RowsSeen(parts)
        with watched.during("opening"):
            began = time.perf_counter()
            open_folder(parts, folder)
            watched.stalls.wait(lambda: seen.first > 0)
            watched.stalls.wait(lambda: parts.session.project.folder == folder)  # type: ignore[union-attr]
            watched.stalls.wait(lambda: seen.all > 0)
            watched.stalls.wait(lambda: parts.session.name != "")
            photo = time.perf_counter()
            until = time.monotonic() + _AFTERWARDS_S
            watched.stalls.wait(lambda: time.monotonic() > until)
        yield Row("first rows", seen.first - began, "s", _FIRST_LIMIT)
        yield Row("all rows with status", seen.all - began, "s", _ALL_LIMIT)
        yield Row("first photo", photo - began, "s")
        assert len(parts.browser.names) >= images
        with watched.during("scrolling"):
            _scroll(parts, watched)
        yield from _thumbnails(parts, watched)
        yield from _searches(parts, watched)
        yield from _following(parts, watched, folder)
        yield from watched.rows
    yield Row("memory of the window", _memory(), "MB", _MEMORY_LIMIT)
    yield Row("  before the folder was opened", before, "MB")
    yield Row("  at most", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")
    began = time.perf_counter()
    parts.window.close()
    bench.until(lambda: not parts.window.isVisible())
    yield Row("closing", time.perf_counter() - began, "s")
    cached = Path(os.environ["XDG_CACHE_HOME"])
    yield Row("thumbnails on disk", sum(_size(p) for p in cached.rglob("*")) / 1e6, "MB")
    application.processEvents()


class _RowsSeen:
    """When rows of the new folder were painted first, and when with their status."""

    def __init__(self, parts: Parts) -> None:
        from PySide6.QtCore import QEvent, QObject

        from petseg_gui.browser.model import Role

        self.first = self.all = 0.0
        view, told, started = parts.browser.list, self, parts.session.project

        class Watch(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    index = view.model().index(0, 0)
                    told.look(view.model().rowCount(), index.data(Role.STATUS))
                return False

        self._started = started
        self._parts = parts
        self._watch = Watch()
        view.viewport().installEventFilter(self._watch)

    def look(self, rows: int, status: object) -> None:
        """Rows are about to be painted."""
        now = time.perf_counter()
        if rows > 1 and not self.first:
            self.first = now
        if rows > 1 and status is not None and not self.all:
            self.all = now


def _scroll(parts: Parts, watched: Watched) -> None:
    bar = parts.browser.list.verticalScrollBar()
    for step in range(_SCROLLS + 1):
        bar.setValue(bar.maximum() * step // _SCROLLS)
        watched.stalls.breathe()


def _thumbnails(parts: Parts, watched: Watched) -> Iterator[Row]:
    """Page by page, as fast as they are made."""
    from petseg_gui.browser.model import Role

    view, model = parts.browser.list, parts.browser.list.model()
    page = max(1, view.viewport().height() // view.sizeHintForRow(0))
    began, made = time.perf_counter(), 0

    def shown(row: int) -> Callable[[], bool]:
        indexes = [model.index(r, 0) for r in range(row, row + page)]
        return lambda: all(index.data(Role.THUMBNAIL) is not None for index in indexes)

    with watched.during("making thumbnails"):
        for number in range(30):
            row = 1000 + number * page
            view.verticalScrollBar().setValue(row * view.sizeHintForRow(0))
            watched.stalls.wait(shown(row))
            made += page
    yield Row("thumbnails", made / (time.perf_counter() - began), "/s")


def _searches(parts: Parts, watched: Watched) -> Iterator[Row]:
    """What a search holds the window up for, and how long until its list is there."""
    search, order = parts.browser.search_box, parts.browser.sort
    model = parts.browser.list.model()
    arranged = [0.0]

    def note() -> None:
        arranged[0] = time.perf_counter()

    model.modelReset.connect(note)

    def timed(act: Callable[[], object]) -> tuple[float, float]:
        arranged[0] = 0.0
        began = time.perf_counter()
        act()
        held = time.perf_counter() - began
        watched.stalls.wait(lambda: arranged[0] > 0)
        watched.stalls.breathe()
        return held * 1000, (arranged[0] - began) * 1000

    held, took = [], []
    with watched.during("searching"):
        for text in ("photo 0", "photo 05", "*99.jpg", "status:approved", "uncertainty>0.5", ""):
            figures = timed(lambda text=text: search.setText(text))  # type: ignore[misc]
            held.append(figures[0])
            took.append(figures[1])
    yield Row("a search holds the window up, p95", p95(held), "ms", _INSTANT_LIMIT)
    yield Row("  until it is shown, longest", max(took), "ms")
    held, took = [], []
    with watched.during("sorting"):
        for key in ("uncertainty", "status", "date", "name"):
            row = order.order.findData(key)

            def choose(row: int = row) -> None:
                order.order.setCurrentIndex(row)
                order.order.activated.emit(row)

            figures = timed(choose)
            held.append(figures[0])
            took.append(figures[1])
    yield Row("sorting holds the window up, p95", p95(held), "ms", _INSTANT_LIMIT)
    yield Row("  until it is shown, longest", max(took), "ms")
    model.modelReset.disconnect(note)


def _following(parts: Parts, watched: Watched, folder: Path) -> Iterator[Row]:
    """Many files that come, and then go."""
    before, source = len(parts.browser.names), folder.with_name("source")
    fresh = folder / "images" / "0000 more"

    def followed(what: str, wanted: int) -> Row:
        with watched.during(f"following {_COME} images that {what}"):
            began = time.perf_counter()
            parts.follower.look()
            watched.stalls.wait(lambda: len(parts.browser.names) == wanted)
            return Row(f"{_COME} images {what}, until followed", time.perf_counter() - began, "s")

    _bring(source, fresh)
    yield followed("come", before + _COME)
    _take_away(fresh)
    yield followed("go", before)


def _bring(source: Path, folder: Path) -> None:
    for number in range(_COME):
        _link(source / f"{number % _PHOTOS}.jpg", folder / f"{number:04}.jpg")


def _take_away(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def _memory() -> float:
    """Of this process, MB; the largest so far where the system does not tell."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


if __name__ == "__main__":
    sys.exit(main())
