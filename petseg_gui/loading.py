"""Reading images with their masks in the background, the neighbours ahead of time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.images import ImageError
from core.masks import MaskError
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.tasks import Job, Lane, Task, Tasks

_KEPT_BYTES = 256 * 2**20


@dataclass(frozen=True)
class LoadedImage:
    """pixels: uint8 RGB, height x width x 3, None where the image cannot be decoded.

    mask: uint8, height x width: its mask, or the stored prediction, or all background.
    problem: why there are no pixels, or why the mask file cannot be used.
    """

    name: str
    pixels: np.ndarray | None
    mask: np.ndarray | None
    notes: tuple[str, ...] = ()
    problem: str = ""


def load_image(project: Project, name: str) -> LoadedImage:
    """Read an image with what is known of its mask. Never raises for a bad file."""
    try:
        decoded = project.read_image(name)
    except ImageError as error:
        return LoadedImage(name, None, None, problem=str(error))
    height, width, _ = decoded.pixels.shape
    empty = np.zeros((height, width), np.uint8)
    if project.status(name) is Status.REJECTED and project.mask_source(name) is None:
        return LoadedImage(name, decoded.pixels, empty, decoded.notes)
    try:
        mask = project.read_mask(name, (width, height))
    except (MaskError, ImageError) as error:
        return LoadedImage(name, decoded.pixels, empty, decoded.notes, str(error))
    if mask is None:
        mask = _prediction(project, name, (width, height))
    return LoadedImage(name, decoded.pixels, empty if mask is None else mask, decoded.notes)


def _prediction(project: Project, name: str, size: tuple[int, int]) -> np.ndarray | None:
    try:
        return project.read_prediction(name, size)
    except MaskError:
        return None  # a model can say it again


class ImageLoader(QObject):
    """``loaded`` brings the image that was asked for last, never one from before."""

    loaded = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self._ahead: OrderedDict[str, LoadedImage] = OrderedDict()
        self._reading: dict[str, Task] = {}
        self._wanted = ""

    def set_project(self, project: Project | None) -> None:
        """Forget what was read and what is being read."""
        for task in self._reading.values():
            task.cancel()
        self._reading.clear()
        self._ahead.clear()
        self._project, self._wanted = project, ""

    def load(self, name: str) -> None:
        """Read this image (or take it from what was read ahead); then ``loaded``."""
        self._wanted = name
        ready = self._ahead.pop(name, None)
        if ready is not None:
            self._wanted = ""
            self.loaded.emit(ready)
            return
        for other in [n for n in self._reading if n != name]:
            self._reading.pop(other).cancel()
        self._read(name)

    def forget(self, name: str) -> None:
        """What was read ahead of this image no longer holds."""
        self._ahead.pop(name, None)
        if name != self._wanted and name in self._reading:
            self._reading.pop(name).cancel()

    def read_ahead(self, names: Iterable[str]) -> None:
        """Have these images ready; the others that were are dropped."""
        wanted = [name for name in names if name]
        for name in [n for n in self._ahead if n not in wanted]:
            del self._ahead[name]
        for name in wanted:
            if name not in self._ahead:
                self._read(name)

    def _read(self, name: str) -> None:
        project = self._project
        if project is None or name in self._reading:
            return

        def work(job: Job) -> LoadedImage | None:
            return None if job.cancelled else load_image(project, name)

        def failed(reason: str) -> None:
            self._arrived(LoadedImage(name, None, None, problem=reason))

        self._reading[name] = self._tasks.run(Lane.LOAD, work, self._arrived, failed)

    def _arrived(self, image: LoadedImage) -> None:
        self._reading.pop(image.name, None)
        if image.name == self._wanted:
            self._wanted = ""
            self.loaded.emit(image)
        elif image.pixels is not None and image.pixels.nbytes < _KEPT_BYTES // 4:
            self._ahead[image.name] = image
            while sum(_bytes(kept) for kept in self._ahead.values()) > _KEPT_BYTES:
                self._ahead.popitem(last=False)


def _bytes(image: LoadedImage) -> int:
    return image.pixels.nbytes if image.pixels is not None else 0
