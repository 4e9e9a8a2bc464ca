"""Photos with their masks over them, made in the background as they come into sight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from core.errors import PetSegError
from core.images import image_size, read_thumbnail
from core.labels import VOID, LabelScheme
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.canvas.colours import codes, colour_table
from petseg_gui.tasks import Job, Lane, Task, Tasks

_KEPT_BYTES = 128 * 2**20
_WAITING = 400  # more than any screen shows at once
_SIZES = (96, 128, 192, 256, 384, 512, 768)
"""Pictures are made in these sizes and scaled to what is between them."""


@dataclass(frozen=True)
class Drawn:
    """photo: RGB; mask: the classes' colours over it, as large, None where there is no mask.

    problem: why there is no photo, or no mask.
    """

    photo: QImage | None
    mask: QImage | None = None
    problem: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture of the sheet; size: pixels of its longer side that it was made for."""

    photo: QPixmap | None
    mask: QPixmap | None
    problem: str
    size: int

    @property
    def nbytes(self) -> int:
        pixmaps = [p for p in (self.photo, self.mask) if p is not None]
        return sum(4 * p.width() * p.height() for p in pixmaps) or 1


class Pictures(QObject):
    """Pictures by image name, in bounded memory. ``ready`` names one that is there now."""

    ready = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self._appearance = Appearance()
        self._size = _SIZES[1]
        self._made: OrderedDict[str, Picture] = OrderedDict()
        self._bytes = 0
        self._stale: set[str] = set()
        self._wanted: dict[str, None] = {}  # in the order in which they are made
        self._asked: dict[str, None] = {}  # since the last one was begun: they come first
        self._task: Task | None = None

    def set_project(self, project: Project | None) -> None:
        """Forget all; names are now of this project."""
        self.stop()
        self._project = project
        self._made.clear()
        self._stale.clear()
        self._bytes = 0

    def set_look(self, appearance: Appearance) -> None:
        """Show masks so from now on."""
        if appearance != self._appearance:
            self._appearance = appearance
            self.renew(self._made)

    def set_size(self, pixels: int) -> None:
        """How large pictures are to be, in the screen's pixels a side."""
        self._size = next((size for size in _SIZES if size >= pixels), _SIZES[-1])

    def renew(self, names: Iterable[str]) -> None:
        """What was drawn of these images may not hold any more; it is shown until it is redrawn."""
        names = [name for name in names if name in self._made]
        self._stale.update(names)
        for name in names:
            self.ready.emit(name)

    def renew_all(self) -> None:
        """Any mask may have changed."""
        self.renew(list(self._made))

    def stop(self) -> None:
        """Make no more of those that were asked for."""
        self._wanted.clear()
        self._asked.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def get(self, name: str) -> Picture | None:
        """What there is of an image; what is missing, too small or old is made."""
        found = self._made.get(name)
        if found is not None:
            self._made.move_to_end(name)
        if self._lacks(name):
            self._asked[name] = None
            self._start()
        return found

    def _lacks(self, name: str) -> bool:
        found = self._made.get(name)
        return found is None or found.size < self._size or name in self._stale

    def _start(self) -> None:
        if self._task is not None or self._project is None:
            return
        # What was painted last comes first, from above; what scrolled past long ago, never.
        wanted = filter(self._lacks, self._asked | self._wanted)
        self._wanted = dict.fromkeys(islice(wanted, _WAITING))
        self._asked.clear()
        if not self._wanted:
            return
        name = next(iter(self._wanted))
        del self._wanted[name]
        project, size, appearance = self._project, self._size, self._appearance
        self._stale.discard(name)
        self._task = self._tasks.run(
            Lane.THUMBNAILS,
            lambda job: _draw(job, project, name, size, appearance),
            lambda drawn: self._keep(name, size, drawn),
            lambda reason: self._keep(name, size, Drawn(None, problem=reason)),
        )

    def _keep(self, name: str, size: int, drawn: Drawn) -> None:
        self._task = None
        picture = Picture(_pixmap(drawn.photo), _pixmap(drawn.mask), drawn.problem, size)
        before = self._made.pop(name, None)
        self._made[name] = picture
        self._bytes += picture.nbytes - (before.nbytes if before is not None else 0)
        while self._bytes > _KEPT_BYTES and len(self._made) > 1:
            gone, old = self._made.popitem(last=False)
            self._bytes -= old.nbytes
            self._stale.discard(gone)
        self.ready.emit(name)
        self._start()


def _draw(job: Job, project: Project, name: str, size: int, appearance: Appearance) -> Drawn:
    if job.cancelled:
        return Drawn(None)
    path = project.image_path(name)
    try:
        photo = read_thumbnail(path, size)
    except PetSegError as error:
        return Drawn(None, problem=str(error))
    image = _image(photo, QImage.Format.Format_RGB888)
    try:
        mask = _shown_mask(project, name, image_size(path))
    except PetSegError as error:
        return Drawn(image, problem=str(error))
    if mask is None:
        return Drawn(image)
    return Drawn(image, mask_picture(mask, photo.shape[:2], project.settings.scheme, appearance))


def _shown_mask(project: Project, name: str, size: tuple[int, int]) -> np.ndarray | None:
    """The mask that counts, or the prediction; None of what is rejected or has neither."""
    status = project.status(name)
    if status is Status.REJECTED:
        return None
    mask = project.read_mask(name, size)
    if mask is None:
        return project.read_prediction(name, size)
    if project.settings.unpainted_id == VOID and status is not Status.APPROVED:
        beneath = project.read_prediction(name, size)
        return mask if beneath is None else np.where(mask == VOID, beneath, mask)
    return mask


def mask_picture(
    mask: np.ndarray, shape: tuple[int, int], scheme: LabelScheme, appearance: Appearance
) -> QImage:
    """A mask (uint8, height x width) in its classes' colours, sampled to (rows, columns)."""
    rows, columns = (
        ((np.arange(small) + 0.5) * (large / small)).astype(np.intp)
        for small, large in zip(shape, mask.shape, strict=True)
    )
    shown = codes(np.ascontiguousarray(mask[rows][:, columns]), appearance)
    picture = _image(shown, QImage.Format.Format_Indexed8)
    picture.setColorTable(colour_table(scheme, appearance))
    return picture.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def _image(pixels: np.ndarray, format_: QImage.Format) -> QImage:
    height, width = pixels.shape[:2]
    data = pixels.tobytes()
    # copy(): the QImage must own its bytes, these die with this call.
    return QImage(data, width, height, len(data) // height, format_).copy()


def _pixmap(image: QImage | None) -> QPixmap | None:
    return None if image is None else QPixmap.fromImage(image)
