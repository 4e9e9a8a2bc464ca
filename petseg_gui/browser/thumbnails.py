"""Thumbnails, made in the background as rows come into sight and kept in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from core.images import ImageError, read_thumbnail
from petseg_gui.tasks import Job, Lane, Task, Tasks

SIZE = 56
_KEPT = 600
_WAITING = 80


class Thumbnails(QObject):
    """Pixmaps by image name. ``ready`` names an image whose thumbnail (or reason) is there now."""

    ready = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._folder = Path()
        self._ratio = 1.0
        self._made: OrderedDict[str, QPixmap | str] = OrderedDict()
        self._wanted: list[str] = []
        self._task: Task | None = None
        self._held = False

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
            return found
        if name not in self._wanted:
            # What came into sight last is made first; what scrolled past long ago, never.
            self._wanted.append(name)
            del self._wanted[:-_WAITING]
            self._start()
        return None

    def _start(self) -> None:
        if self._held or self._task is not None or not self._wanted:
            return
        name = self._wanted[-1]
        path, size = self._folder / name, round(SIZE * self._ratio)
        self._task = self._tasks.run(
            Lane.THUMBNAILS,
            lambda job: _make(job, path, size),
            lambda made: self._keep(name, made),
            lambda reason: self._keep(name, reason),
        )

    def _keep(self, name: str, made: QImage | str) -> None:
        self._task = None
        if name in self._wanted:
            self._wanted.remove(name)
        if isinstance(made, QImage):
            pixmap = QPixmap.fromImage(made)
            pixmap.setDevicePixelRatio(self._ratio)
            self._made[name] = pixmap
        else:
            self._made[name] = made
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        self.ready.emit(name)
        self._start()


def _make(job: Job, path: Path, size: int) -> QImage | str:
    if job.cancelled:
        return ""
    try:
        pixels = read_thumbnail(path, size)
    except ImageError as error:
        return error.reason
    height, width, _ = pixels.shape
    # copy(): the QImage must own its bytes, the array dies with this call.
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
