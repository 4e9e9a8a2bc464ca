"""Saving a run's curves: the picture, or the table behind it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QFileDialog, QWidget

from core.files import write_bytes
from petseg_gui.tasks import Job, Lane, Tasks

if TYPE_CHECKING:
    from core.training.events import Epoch

_COLUMNS = (
    "epoch",
    "train_loss",
    "val_loss",
    "train_iou",
    "val_iou",
    "train_dice",
    "val_dice",
    "train_images",
    "learning_rate",
    "images_per_second",
)


def table(epochs: Sequence[Epoch]) -> bytes:
    """The epochs as a CSV file, one a line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for e in epochs:
        train, val = e.train.scores, e.val.scores
        scores = (e.train.loss, e.val.loss, train.iou, val.iou, train.dice, val.dice)
        writer.writerow((e.epoch, *scores, e.train_images, e.learning_rate, e.images_per_second))
    return text.getvalue().encode()


def picture(image: QImage) -> bytes:
    """An image as a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"PNG")).write(image)
    return bytes(buffer.data().data())


def ask_and_save(
    parent: QWidget,
    title: str,
    name: str,
    make: Callable[[], bytes],
    tasks: Tasks,
    told: Callable[[str], None],
) -> QFileDialog:
    """Ask where to and write there in the background; ``told`` how it went."""
    dialog = QFileDialog(parent, title, str(Path.home() / name))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix[1:])
    dialog.setNameFilter(f"*{Path(name).suffix}")
    dialog.finished.connect(dialog.deleteLater)

    def save(chosen: str) -> None:
        def work(job: Job) -> str:
            write_bytes(Path(chosen), make())
            return f"Saved as {Path(chosen).name}."

        tasks.run(Lane.SAVE, work, told, told, kept=True)

    dialog.fileSelected.connect(save)
    dialog.open()
    return dialog
