"""Thumbnails, made in the background as rows come into sight; kept in memory and on disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from core.files import file_stamp
from core.images import ImageError
from core.project.thumbnails import ThumbnailCache, cache_file
from petseg_gui.log import LOG
from petseg_gui.tasks import Job, Lane, Task, Tasks

SIZE = 56
_KEPT = 600
_WAITING = 80
_AT_ONCE = 8


@dataclass(frozen=True)
class _Made:
    """A thumbnail, or why there is none; stamp: of its photo's file."""

    picture: QPixmap | str
    stamp: tuple[int, int] | None


class Thumbnails(QObject):
    """Pixmaps by image name. ``ready`` names an image whose thumbnail (or reason) is there now."""

    ready = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._cache = ThumbnailCache(cache_file())
        self._folder = Path()
        self._ratio = 1.0
        self._made: OrderedDict[str, _Made] = OrderedDict()
        self._wanted: list[str] = []
        self._task: Task | None = None
        self._held = False
        self._told = False  # whether the log says what is wrong with the cache

    def set_folder(self, folder: Path, ratio: float) -> None:
        """Forget all; names are now relative to ``folder``. ratio: screen pixels per unit.

        None is made before ``begin``: the folder's first photo is not kept waiting.
        """
        self._folder, self._ratio, self._held = folder, ratio, True
        self._made.clear()
        self._wanted.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def begin(self) -> None:
        """Make what was asked for."""
        self._held = False
        self._start()

    def get(self, name: str) -> QPixmap | str | None:
        """The thumbnail, or why there is none, or None: it is being made."""
        found = self._made.get(name)
        if found is not None:
            self._made.move_to_end(name)
            return found.picture
        if name not in self._wanted:
            # What came into sight last is made first; what scrolled past long ago, never.
            self._wanted.append(name)
            del self._wanted[:-_WAITING]
            self._start()
        return None

    def forget(self, names: Iterable[str]) -> None:
        """These images are gone, or other ones."""
        for name in names:
            if self._made.pop(name, None) is not None:
                self.ready.emit(name)

    def check(self) -> None:
        """Make those anew whose photos have changed."""
        folder, stamps = self._folder, {name: made.stamp for name, made in self._made.items()}
        if self._held:
            return

        def changed(job: Job) -> list[str]:
            return [n for n, stamp in stamps.items() if file_stamp(folder / n) != stamp]

        def landed(names: list[str]) -> None:
            if folder == self._folder:
                self.forget(names)

        self._tasks.run(Lane.THUMBNAILS, changed, landed)

    def close(self) -> None:
        """Write what was made, and let go of the file. After all tasks have ended."""
        self._cache.close()

    def _start(self) -> None:
        if self._held or self._task is not None or not self._wanted:
            return
        folder, names = self._folder, self._wanted[: -_AT_ONCE - 1 : -1]
        cache, size, last = self._cache, round(SIZE * self._ratio), len(names) == len(self._wanted)
        self._task = self._tasks.run(
            Lane.THUMBNAILS,
            lambda job: _make(job, cache, folder, names, size, last),
            lambda _: self._made_them(names),
            lambda reason: self._made_them(names, reason),
            lambda made: self._keep(*made),
        )

    def _keep(self, name: str, picture: QImage | str, stamp: tuple[int, int] | None) -> None:
        if name in self._wanted:
            self._wanted.remove(name)
        if isinstance(picture, QImage):
            pixmap = QPixmap.fromImage(picture)
            pixmap.setDevicePixelRatio(self._ratio)
            self._made[name] = _Made(pixmap, stamp)
        else:
            self._made[name] = _Made(picture, stamp)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        self.ready.emit(name)

    def _made_them(self, names: list[str], reason: str = "") -> None:
        self._task = None
        for name in names:
            if reason and name not in self._made:
                self._keep(name, reason, None)
        if self._cache.problem and not self._told:
            self._told = True
            LOG.warning("%s", self._cache.problem)
        self._start()


def _make(
    job: Job, cache: ThumbnailCache, folder: Path, names: list[str], size: int, last: bool
) -> None:
    """Report each: its name, its picture or why there is none, the stamp of its file."""
    for name in names:
        if job.cancelled:
            return
        stamp = file_stamp(folder / name)
        try:
            job.report((name, _picture(cache.read(folder / name, size)), stamp))
        except ImageError as error:
            job.report((name, error.reason, stamp))
    if last:  # there is a pause now
        cache.flush()


def _picture(pixels: np.ndarray) -> QImage:
    height, width, _ = pixels.shape
    # copy(): the QImage must own its bytes, the array dies with this call.
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
