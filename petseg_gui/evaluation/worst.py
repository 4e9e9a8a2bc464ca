"""The worst images of an evaluation as pictures: each opens its image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QLabel, QListView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from core.errors import BadInput
from core.evaluation.kept import PICTURES
from core.images import image_size, read_image, read_thumbnail
from core.project.project import Project
from petseg_gui.browser.telling import as_tip
from petseg_gui.evaluation.desk import Shown
from petseg_gui.tasks import Job, Lane, Task, Tasks

_PICTURE = QSize(284, 190)
_LARGEST = 2000  # pixels a side: no picture of an evaluation is larger


@dataclass(frozen=True)
class _Made:
    number: int
    picture: QImage


class WorstImages(QWidget):
    """At most 24 pictures: the photo, and beside it where truth and prediction differ."""

    image_wanted = Signal(str)

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._task: Task | None = None
        self.list = _List(self)
        self.list.itemActivated.connect(
            lambda item: self.image_wanted.emit(item.data(Qt.ItemDataRole.UserRole))
        )
        self.list.itemClicked.connect(
            lambda item: self.image_wanted.emit(item.data(Qt.ItemDataRole.UserRole))
        )
        legend = QLabel(
            "Right halves: green agrees, orange is missed by the model, blue is invented by it, "
            "pink is another class. A click or Enter opens the image.",
            self,
        )
        legend.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(legend)
        layout.addWidget(self.list, 1)

    def show_worst(self, shown: Shown, project: Project) -> None:
        """List them; their pictures follow one by one."""
        self.stop()
        self.list.clear()
        rows = shown.evaluation.worst
        for row in rows:
            item = QListWidgetItem(f"{Path(row.image).name}\nIoU {row.iou:.3f}", self.list)
            item.setData(Qt.ItemDataRole.UserRole, row.image)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{row.image}, IoU {row.iou:.3f}")
            figures = f"IoU {row.iou:.3f}, precision {row.precision:.3f}, recall {row.recall:.3f}"
            item.setToolTip(as_tip((row.image, figures)))
        names = [row.image for row in rows]
        self._task = self._tasks.run(
            Lane.THUMBNAILS,
            lambda job: _make(job, shown.folder / PICTURES, names, project),
            progress=self._take,
        )

    def stop(self) -> None:
        """Make no more pictures."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _take(self, made: _Made) -> None:
        self.list.item(made.number).setIcon(QIcon(_framed(made.picture, self.devicePixelRatioF())))


class _List(QListWidget):
    """Enter opens, on every platform."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Worst images")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setIconSize(_PICTURE)
        self.setGridSize(QSize(_PICTURE.width() + 16, _PICTURE.height() + 52))
        self.setWordWrap(True)
        self.setFrameShape(QListWidget.Shape.NoFrame)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem():
            self.itemActivated.emit(self.currentItem())
        else:
            super().keyPressEvent(event)


def _framed(picture: QImage, ratio: float) -> QPixmap:
    """The picture in the middle of as much room as each has, so that all names stand in line."""
    frame = QPixmap(_PICTURE * ratio)
    frame.setDevicePixelRatio(ratio)
    frame.fill(Qt.GlobalColor.transparent)
    place = QRect(QPoint(), picture.size().scaled(_PICTURE, Qt.AspectRatioMode.KeepAspectRatio))
    place.moveCenter(QRect(QPoint(), _PICTURE).center())
    painter = QPainter(frame)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place, picture)
    painter.end()
    return frame


def _make(job: Job, folder: Path, names: Sequence[str], project: Project) -> None:
    for number, name in enumerate(names):
        if job.cancelled:
            return
        try:
            pixels = _read(folder / f"{number:02}.jpg", project, name)
        except BadInput:
            continue  # its name and figures stay
        height, width, _ = pixels.shape
        data = np.ascontiguousarray(pixels).tobytes()
        # copy(): the QImage must own its bytes, these die with this call.
        image = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        job.report(_Made(number, image))


def _read(picture: Path, project: Project, name: str) -> np.ndarray:
    """The picture that came with the evaluation, or else the photo alone. Raises BadInput."""
    if picture.is_file() and max(image_size(picture)) <= _LARGEST:
        return read_image(picture).pixels
    if name not in project.names:  # a damaged evaluation could name any file
        raise BadInput(f"{name} is not in this folder any more")
    return read_thumbnail(project.image_path(name), _PICTURE.width())
