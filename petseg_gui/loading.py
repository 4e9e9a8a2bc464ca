"""Reading images with their masks in the background, the neighbours ahead of time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.editing.snapshot import Snapshot
from core.files import file_stamp
from core.images import ImageError
from core.labels import VOID
from core.masks import MaskError
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.tasks import Job, Lane, Task, Tasks

_KEPT_BYTES = 256 * 2**20
_UNUSABLE = "its prediction does not fit this photo and counts no more, segment it again"


@dataclass(frozen=True)
class LoadedImage:
    """pixels: uint8 RGB, height x width x 3, None where the image cannot be decoded.

    mask: uint8, height x width: its mask, or the stored prediction, or all unpainted.
    prediction: the stored one, of the mask's size, where unpainted pixels are void.
    problem: why there are no pixels, or why the mask file cannot be used.
    digest: SHA-256 of the mask file, "" without one; None where the mask is not the file's.
    unsaved: the mask that was not saved yet when it was read.
    stamp: of the image file, as it was before it was read.
    """

    name: str
    pixels: np.ndarray | None
    mask: np.ndarray | None
    notes: tuple[str, ...] = ()
    problem: str = ""
    digest: str | None = None
    unsaved: Snapshot | None = None
    prediction: np.ndarray | None = None
    stamp: tuple[int, int] | None = None


@dataclass(frozen=True)
class StoredMask:
    """What an image's files say its mask is.

    mask: uint8, height x width; all unpainted where there is none, or it cannot be used: then
    problem says why. digest: SHA-256 of the mask file, "" without one.
    """

    mask: np.ndarray
    digest: str
    problem: str = ""


def load_image(project: Project, name: str, unsaved: Snapshot | None = None) -> LoadedImage:
    """Read an image with what is known of its mask. Never raises for a bad file.

    unsaved: its mask where that is not on the disk yet.
    """
    stamp = file_stamp(project.image_path(name))
    try:
        decoded = project.read_image(name)
    except ImageError as error:
        return LoadedImage(name, None, None, problem=str(error), stamp=stamp)
    height, width, _ = decoded.pixels.shape
    predicted = project.has_prediction(name)
    beneath = read_beneath(project, name, (width, height))
    image = LoadedImage(name, decoded.pixels, None, decoded.notes, prediction=beneath, stamp=stamp)
    if unsaved is not None:
        mask = unsaved.pixels()
        if mask.shape != (height, width):
            problem = f"{name} is of another size now than the mask that is being saved."
            empty = _empty((width, height), project.settings.unpainted_id)
            return replace(image, mask=empty, problem=problem, unsaved=unsaved)
        return replace(image, mask=mask.copy(), unsaved=unsaved)
    stored = read_stored_mask(project, name, (width, height))
    image = replace(image, mask=stored.mask, problem=stored.problem, digest=stored.digest)
    if predicted and not project.has_prediction(name):
        return replace(image, notes=(*image.notes, _UNUSABLE))
    return image


def read_stored_mask(project: Project, name: str, size: tuple[int, int]) -> StoredMask:
    """The mask file's mask, or the stored prediction, or all unpainted. size: (width, height).

    Where unpainted pixels are void, a mask holds what was painted: no prediction then.
    """
    unpainted = project.settings.unpainted_id
    try:
        # Before its pixels: where the file changes in between, it is noticed at the next look.
        digest = project.mask_digest(name)
    except MaskError as error:
        return StoredMask(_empty(size, unpainted), "", str(error))
    if project.status(name) is Status.REJECTED and not digest:
        return StoredMask(_empty(size, unpainted), digest)
    try:
        mask = project.read_mask(name, size)
    except (MaskError, ImageError) as error:
        return StoredMask(_empty(size, unpainted), digest, str(error))
    if mask is None and unpainted != VOID:
        mask = _prediction(project, name, size)
    return StoredMask(_empty(size, unpainted) if mask is None else mask, digest)


def read_beneath(project: Project, name: str, size: tuple[int, int]) -> np.ndarray | None:
    """The stored prediction to be shown where the mask is void; None where nothing is.

    uint8, height x width. size: (width, height).
    """
    if project.settings.unpainted_id != VOID or project.status(name) is Status.REJECTED:
        return None
    return _prediction(project, name, size)


def _empty(size: tuple[int, int], unpainted: int) -> np.ndarray:
    # Not zeros(): memory that is only fetched as it is painted on holds up the first strokes.
    return np.full(size[::-1], unpainted, np.uint8)


def _prediction(project: Project, name: str, size: tuple[int, int]) -> np.ndarray | None:
    try:
        return project.read_prediction(name, size)
    except MaskError:
        project.forget_unusable_prediction(name, size)  # a model can say it again
        return None


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

    def load(self, name: str, unsaved: Snapshot | None = None) -> None:
        """Read this image (or take it from what was read ahead); then ``loaded``.

        unsaved: its mask where that is not on the disk yet.
        """
        self._wanted = name
        ready = self._ahead.pop(name, None)
        if unsaved is not None:
            self._stop(name)
        elif ready is not None:
            self._wanted = ""
            self.loaded.emit(ready)
            return
        for other in [n for n in self._reading if n != name]:
            self._stop(other)
        self._read(name, unsaved)

    def forget(self, *names: str) -> None:
        """What was read of these images no longer holds."""
        gone = frozenset(names)
        for name in [name for name in self._ahead if name in gone]:
            del self._ahead[name]
        for name in [name for name in self._reading if name in gone]:
            self._stop(name)
            if name == self._wanted:
                self._read(name)

    def set_prediction(self, name: str, mask: np.ndarray) -> None:
        """A model has spoken of an image that nobody judged: what was read ahead shows that."""
        image, project = self._ahead.get(name), self._project
        if project is None or image is None or image.mask is None:
            if name in self._reading:
                self._stop(name)
                self._read(name)
        elif image.mask.shape != mask.shape:
            self.forget(name)  # the photo was replaced
        elif project.settings.unpainted_id == VOID:
            self._ahead[name] = replace(image, prediction=mask)
        else:
            self._ahead[name] = replace(image, mask=mask.copy())  # which is edited in place

    def read_ahead(self, names: Iterable[str]) -> None:
        """Have these images ready; the others that were are dropped."""
        wanted = [name for name in names if name]
        for name in [n for n in self._ahead if n not in wanted]:
            del self._ahead[name]
        for name in wanted:
            if name not in self._ahead:
                self._read(name)

    def _stop(self, name: str) -> None:
        task = self._reading.pop(name, None)
        if task is not None:
            task.cancel()

    def _read(self, name: str, unsaved: Snapshot | None = None) -> None:
        project = self._project
        if project is None or name in self._reading:
            return

        def work(job: Job) -> LoadedImage | None:
            return None if job.cancelled else load_image(project, name, unsaved)

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
