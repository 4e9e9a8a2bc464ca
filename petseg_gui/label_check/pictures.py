"""Photos with what their masks and a check's network do not agree on, made in the background."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from core.images import image_size, read_thumbnail
from core.project.project import Project
from petseg_gui.canvas.difference import COLOURS, Verdict, patterned, verdicts
from petseg_gui.tasks import Job, Lane, Task, Tasks

WORDS = {
    Verdict.MISSED: "only in the mask",
    Verdict.INVENTED: "only in the model's",
    Verdict.CONFUSED: "another class",
    Verdict.AGREED: "in both",
}
_KEPT_BYTES = 64 * 2**20
_WAITING = 60
_STRONG, _WEAK = 0.55, 0.2


class DifferencePictures(QObject):
    """Pixmaps by image name and longer side. ``ready`` names an image that has one now."""

    ready = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self._check = Path()
        self._made: OrderedDict[tuple[str, int], QPixmap | str] = OrderedDict()
        self._wanted: list[tuple[str, int]] = []
        self._task: Task | None = None

    def set_check(self, project: Project | None, check: Path | None) -> None:
        """Pictures are of this check's from now on."""
        if (project, check) == (self._project, self._check):
            return
        self._project, self._check = project, check or Path()
        self._wanted.clear()
        self._made.clear()
        self._stop()

    def forget(self, name: str) -> None:
        """An image's mask is another one now."""
        for key in [key for key in self._made if key[0] == name]:
            del self._made[key]
        self._stop()  # it may be the old mask that is being drawn
        self._start()

    def get(self, name: str, side: int) -> QPixmap | str | None:
        """The picture, why there is none, or None: it is being made."""
        found = self._made.get((name, side))
        if found is not None:
            self._made.move_to_end((name, side))
            return found
        if (name, side) not in self._wanted:
            self._wanted.append((name, side))
            del self._wanted[:-_WAITING]
            self._start()
        return None

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self) -> None:
        project, check = self._project, self._check
        if self._task is not None or not self._wanted or project is None:
            return
        name, side = self._wanted[-1]
        self._task = self._tasks.run(
            Lane.THUMBNAILS,
            lambda job: _draw(job, project, check, name, side),
            lambda image: self._keep(name, side, QPixmap.fromImage(image)),
            lambda reason: self._keep(name, side, reason),
        )

    def _keep(self, name: str, side: int, made: QPixmap | str) -> None:
        self._task = None
        if (name, side) in self._wanted:
            self._wanted.remove((name, side))
        self._made[name, side] = made
        while len(self._made) > 1 and sum(map(_nbytes, self._made.values())) > _KEPT_BYTES:
            self._made.popitem(last=False)
        self.ready.emit(name)
        self._start()


def _nbytes(made: QPixmap | str) -> int:
    return 4 * made.width() * made.height() if isinstance(made, QPixmap) else 0


def _draw(job: Job, project: Project, check: Path, name: str, side: int) -> QImage:
    from core.label_check.findings import read_model_mask

    if job.cancelled:
        return QImage()
    path = project.image_path(name)
    photo = read_thumbnail(path, side)
    size = image_size(path)
    mask, said = project.read_mask(name, size), read_model_mask(check, project, name, size)
    if mask is not None and said is not None:
        found = verdicts(project.settings.scheme, project.settings.border_rule, None)
        rows, columns = (
            ((np.arange(small) + 0.5) * (large / small)).astype(np.intp)
            for small, large in zip(photo.shape[:2], mask.shape, strict=True)
        )
        mask, said = (m[rows][:, columns] for m in (mask, said))
        photo = _tinted(photo, patterned(found[mask, said]))
    height, width, _ = photo.shape
    # copy(): the QImage must own its bytes, the array dies with this call.
    return QImage(photo.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _tinted(photo: np.ndarray, found: np.ndarray) -> np.ndarray:
    """photo: uint8 h x w x 3; found: uint8 h x w, Verdicts and stripes (255: white)."""
    colours, strength = np.full((256, 3), 255.0, np.float32), np.zeros(256, np.float32)
    strength[255] = _STRONG
    for verdict, colour in COLOURS.items():
        colours[verdict] = colour
        strength[verdict] = _WEAK if verdict is Verdict.AGREED else _STRONG
    share = strength[found][..., None]
    mixed: np.ndarray = (photo * (1 - share) + colours[found] * share).astype(np.uint8)
    return mixed
