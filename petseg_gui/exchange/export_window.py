"""Export: what, as what, where to, and what gets lost on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.files import unused
from core.formats.exporting import losses
from core.formats.items import WriteOptions
from core.formats.registry import FORMATS, Format, format_of
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.exchange.export_desk import ExportDesk, Wish
from petseg_gui.faint import faint_label
from petseg_gui.progress import ProgressStrip
from petseg_gui.training.inline_question import InlineQuestion
from petseg_gui.words import count

_SIZE = QSize(620, 460)
_CALM_MS = 500
_MASKS = (Status.APPROVED, Status.EDITED)
_WHICH = {
    "approved": ("Approved masks", (Status.APPROVED,)),
    "masks": ("Approved and edited masks", _MASKS),
    "all": ("All masks, and predictions where there is none", (*_MASKS, Status.PREDICTED)),
    "selected": ("What is selected in the list", (*_MASKS, Status.PREDICTED)),
}
_SUBSETS = {
    "": "All of training, validation and test",
    "train": "Only of training",
    "val": "Only of validation",
    "test": "Only of test",
}


class ExportWindow(QDialog):
    """Stays open beside the main window; the desk exports."""

    def __init__(
        self,
        desk: ExportDesk,
        counts: Callable[[], Mapping[Status, int]],
        selected: Callable[[], Sequence[str]],
        parent: QWidget | None = None,
    ) -> None:
        """counts: images of each status; selected: the images that are selected in the list."""
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Export")
        self.resize(_SIZE)
        self._desk = desk
        self._counts = counts
        self._selected = selected
        self._project: Project | None = None
        self._typed = False  # whether a person has said where to
        self._count_soon = QTimer(self, singleShot=True, interval=_CALM_MS)
        self._count_soon.timeout.connect(self.refresh)
        self.format_box = QComboBox(self)
        for known in FORMATS:
            if known.write is not None:
                self.format_box.addItem(known.title, known.id)
        self.what = faint_label(self)
        self.which_box = QComboBox(self)
        for key, (words, _) in _WHICH.items():
            self.which_box.addItem(words, key)
        self.subset_box = QComboBox(self)
        for subset, words in _SUBSETS.items():
            self.subset_box.addItem(words, subset)
        self.photos_box = QCheckBox("Copy the photos too", self)
        self.polygons_box = QCheckBox("Outlines instead of exact masks", self)
        self.losses = faint_label(self)
        self.target_edit = QLineEdit(self)
        self.target_edit.setAccessibleName("Where to")
        self.target_edit.textEdited.connect(lambda _: setattr(self, "_typed", True))
        self.target_button = self._button("Choose…", "Choose where to export to", self._choose)
        self.question = InlineQuestion(self)
        self.strip = ProgressStrip(self)
        self.strip.cancelled.connect(desk.cancel)
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setAccessibleName("What happened last")
        self.export_button = self._button("Export", "Write these masks", self._start)
        self.question.closed.connect(self.export_button.setFocus)
        self._lay_out()
        self.format_box.currentIndexChanged.connect(self._format_changed)
        self.which_box.currentIndexChanged.connect(self.refresh)
        self.polygons_box.toggled.connect(self.refresh)
        self.photos_box.toggled.connect(self.refresh)
        desk.progressed.connect(self._show_progress)
        desk.taken.connect(self._ask_to_replace)
        desk.failed.connect(self._rest)
        desk.cancelled.connect(lambda: self._rest("Cancelled: nothing of it is left."))
        desk.exported.connect(lambda _: self._rest())
        self._format_changed()

    @property
    def known(self) -> Format:
        """The chosen format."""
        return format_of(str(self.format_box.currentData()))

    def set_project(self, project: Project | None) -> None:
        """Another folder is open."""
        self._project = project
        self._typed = False
        self.message.clear()
        self.question.dismiss()
        self._format_changed()

    def end(self) -> None:
        """The main window closes."""
        self._count_soon.stop()
        self._desk.cancel()
        self.close()

    def refresh(self) -> None:
        """Images may have changed, or be others that are selected."""
        busy, known = self._desk.busy, self.known
        images = self._images()
        for key, (words, statuses) in _WHICH.items():
            number = len(self._selected()) if key == "selected" else self._sum(statuses)
            self.which_box.setItemText(self.which_box.findData(key), f"{words} ({number:,})")
        self.photos_box.setEnabled(known.photos)
        self.polygons_box.setEnabled(known.polygons)
        project = self._project
        lost = () if project is None else losses(project, known, self._options())
        self.losses.setText("\n".join(lost) or "Nothing: the format holds all of these masks.")
        self.export_button.setText(f"Export {count(images, 'image')}")
        self.export_button.setEnabled(bool(images) and not busy)
        self.message.setVisible(bool(self.message.text()) and not busy)
        for widget in (self.format_box, self.which_box, self.subset_box, self.target_edit):
            widget.setEnabled(not busy)
        # Of one part of the split nobody knows how many there are before it is looked at.
        if self.subset_box.currentData():
            self.export_button.setText("Export")

    def count_again(self) -> None:
        """Images have another status, or others are selected: count them, not after each alone."""
        if self.isVisible():
            self._count_soon.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self.format_box.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.export_button.hasFocus():
                self.export_button.click()
        else:
            super().keyPressEvent(event)

    def _images(self) -> int:
        key = str(self.which_box.currentData())
        return len(self._selected()) if key == "selected" else self._sum(_WHICH[key][1])

    def _sum(self, statuses: Sequence[Status]) -> int:
        counts = Counter(self._counts())
        return sum(counts[status] for status in statuses)

    def _options(self) -> WriteOptions:
        known = self.known
        return WriteOptions(
            photos=known.photos and self.photos_box.isChecked(),
            polygons=known.polygons and self.polygons_box.isChecked(),
        )

    def _start(self) -> None:
        text = self.target_edit.text().strip()
        if not text:
            self._rest("Say where to export to.")
            return
        key = str(self.which_box.currentData())
        self.message.clear()
        self.question.dismiss()
        self._desk.start(
            Wish(
                self.known,
                Path(text),
                _WHICH[key][1],
                str(self.subset_box.currentData()),
                self._selected() if key == "selected" else None,
                self._options(),
            )
        )
        self.refresh()

    def _show_progress(self, words: str, done: int, total: int) -> None:
        self.strip.show_progress(words, done, total)
        if not total:
            self.refresh()

    def _ask_to_replace(self, wish: Wish, reason: str) -> None:
        self._rest()
        self.question.ask(
            reason, "Replace it", lambda: self._desk.start(replace(wish, replacing=True))
        )

    def _rest(self, message: str = "") -> None:
        self.strip.hide()
        self.message.setText(message)
        self.refresh()

    def _format_changed(self) -> None:
        self.what.setText(self.known.what + ".")
        if not self._typed and self._project is not None:
            folder, known = self._project.folder, self.known
            place = folder.parent / f"{folder.name}-{known.id}"
            self.target_edit.setText(str(unused(place, known.suffix)))
        self.refresh()

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Export to", self.target_edit.text())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # What stands there is asked about once it is known what it is.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.fileSelected.connect(self._chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _chosen(self, path: str) -> None:
        self._typed = True
        self.target_edit.setText(path)

    def _button(self, text: str, tip: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: act())
        return button

    def _lay_out(self) -> None:
        where = QHBoxLayout()
        where.addWidget(self.target_edit, 1)
        where.addWidget(self.target_button)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("&Format", self.format_box)
        form.addRow("", self.what)
        form.addRow("&Images", self.which_box)
        form.addRow("&Split", self.subset_box)
        form.addRow("", self.photos_box)
        form.addRow("", self.polygons_box)
        where_to = QLabel("&Where to", self)
        where_to.setBuddy(self.target_edit)
        form.addRow(where_to, where)
        form.addRow("What gets lost", self.losses)
        below = QHBoxLayout()
        below.addWidget(self.message, 1)
        below.addWidget(self.strip)
        below.addStretch(0)
        below.addWidget(self.export_button)
        below.addWidget(self._button("Close", "Close this window", self.close))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addWidget(self.question)
        layout.addLayout(below)
