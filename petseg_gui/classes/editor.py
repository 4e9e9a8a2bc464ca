"""The label scheme editor: a project's classes, and what pixels are that nobody painted.

Classes have names, colours and keys; they can be added and removed.
A class keeps its id for good, since ids are what masks hold: so classes cannot be moved, and only
the last one can be removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.labels import (
    LONGEST_NAME,
    MAX_CLASSES,
    PET,
    TRIMAP,
    LabelClass,
    LabelScheme,
    default_colour,
)
from core.project.settings import UNPAINTED
from petseg_gui.classes.swatch import swatch
from petseg_gui.progress import ProgressStrip

_NAME, _COLOUR, _KEY = range(3)
_BORDER = 2
_UNPAINTED_WORDS = ("Background", "Unlabelled: nothing is learnt from them")
_UNPAINTED_TIP = (
    "Unlabelled: a mask holds only what you paint, over the prediction, which is shown fainter. "
    "The eraser brings the prediction back, and approving takes it where you did not paint. "
    "Masks that are there already stay as they are."
)


@dataclass(frozen=True)
class Row:
    """A class as it stands in the table."""

    name: str
    colour: tuple[int, int, int]
    key: str


def problem_of(rows: Sequence[Row], taken: Mapping[str, str]) -> str:
    """Why these rows are no label scheme; "" where they are one.

    taken: key -> what it does already.
    """
    for id_, row in enumerate(rows):
        if not row.name:
            return f"Class {id_} has no name."
        if len(row.name) > LONGEST_NAME:
            return f"The name of class {id_} has more than {LONGEST_NAME} characters."
    names = Counter(row.name.casefold() for row in rows)
    twice = next((row.name for row in rows if names[row.name.casefold()] > 1), None)
    if twice is not None:
        return f"Two classes are called “{twice}”."
    owners: dict[str, str] = {}
    for row in rows:
        key = row.key.upper()
        if key and (len(key) > 1 or not key.isalnum()):
            return f"The key of “{row.name}” must be one letter or digit."
        if key in taken:
            return f"The key {key} of “{row.name}” is taken: {taken[key]}."
        if key in owners:
            return f"“{owners[key]}” and “{row.name}” have the same key {key}."
        if key:
            owners[key] = row.name
    return ""


def scheme_of_rows(rows: Sequence[Row]) -> LabelScheme:
    """The label scheme of rows without a problem."""
    # A digit that is the class's own id need not be written down.
    classes = tuple(
        LabelClass(i, row.name, row.colour, "" if row.key == str(i) else row.key)
        for i, row in enumerate(rows)
    )
    names = [row.name for row in rows]
    preset = next((scheme.name for scheme in (PET, TRIMAP) if scheme.names == names), "custom")
    return LabelScheme(preset, classes)


class ClassEditor(QDialog):
    """Shows a label scheme; ``wanted`` brings the changed one."""

    wanted = Signal(object)
    """The label scheme that a person wants, free of problems."""
    use_asked = Signal(int)
    """Whether a mask uses this class must be known: ``set_use`` answers."""
    check_cancelled = Signal()

    def __init__(
        self,
        scheme: LabelScheme,
        taken: Mapping[str, str],
        border_is_fixed: bool = False,
        parent: QWidget | None = None,
        *,
        unpainted: str = UNPAINTED[0],
    ) -> None:
        """taken: keys that do something else already, and what."""
        super().__init__(parent)
        self._taken = taken
        self._border_is_fixed = border_is_fixed
        self._saved = len(scheme.classes)  # so many of the rows are classes that masks may use
        self.removed = False
        """Whether a class that was there is gone."""
        keys = scheme.keys
        self._rows = [Row(c.name, c.colour, keys.get(c.id, "")) for c in scheme.classes]
        self.setWindowTitle("Classes")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.resize(520, 460)
        self.table = QTableWidget(0, 3, self)
        self.table.setAccessibleName("Classes")
        self.table.setHorizontalHeaderLabels(["Name", "Colour", "Key"])
        self.table.verticalHeader().setToolTip("The number that masks hold")
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column, widest in ((_COLOUR, "##dddddd#####"), (_KEY, "#Key#")):
            width = self.table.fontMetrics().horizontalAdvance(widest)
            header.resizeSection(column, width)
        self.table.cellDoubleClicked.connect(self._open_cell)
        self.table.itemChanged.connect(self._take_text)
        self.add_button = QPushButton("Add class", self)
        self.add_button.clicked.connect(self._add)
        self.remove_button = QPushButton("Remove last class", self)
        self.remove_button.clicked.connect(self._remove)
        self.colour_button = QPushButton("Change colour…", self)
        self.colour_button.clicked.connect(self._choose_colour)
        self.progress = ProgressStrip(self)
        self.progress.cancelled.connect(self._cancel_check)
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.setAccessibleName("What is wrong")
        self.unpainted_box = QComboBox(self)
        for meaning, words in zip(UNPAINTED, _UNPAINTED_WORDS, strict=True):
            self.unpainted_box.addItem(words, meaning)
        self.unpainted_box.setCurrentIndex(self.unpainted_box.findData(unpainted))
        self.unpainted_box.setToolTip(_UNPAINTED_TIP)
        self.unpainted_box.setAccessibleName("Unpainted pixels")
        self.unpainted_box.setAccessibleDescription(_UNPAINTED_TIP)
        unpainted_label = QLabel("Unpainted pixels are", self)
        unpainted_label.setBuddy(self.unpainted_box)
        note = QLabel(
            "A class keeps its number, since that is what masks hold. Only the last class can be "
            "removed, and only while no mask uses it.",
            self,
        )
        note.setWordWrap(True)
        note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.buttons = QDialogButtonBox(self)
        self.ok_button = self.buttons.addButton("Save", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        # Enter confirms a cell, not the dialog.
        for button in (self.add_button, self.remove_button, self.colour_button, self.ok_button):
            button.setAutoDefault(False)
        row = QHBoxLayout()
        for button in (self.add_button, self.remove_button, self.colour_button):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(note)
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        meaning_row = QHBoxLayout()
        meaning_row.addWidget(unpainted_label)
        meaning_row.addWidget(self.unpainted_box, 1)
        layout.addLayout(meaning_row)
        layout.addWidget(self.progress)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        for id_ in range(len(self._rows)):
            self._show_row(id_)
        self.table.setCurrentCell(min(1, len(self._rows) - 1), _NAME)
        self._refresh()

    @property
    def rows(self) -> list[Row]:
        return list(self._rows)

    @property
    def unpainted(self) -> str:
        """What unpainted pixels shall mean: one of ``UNPAINTED``."""
        return str(self.unpainted_box.currentData())

    def set_checked(self, done: int, total: int) -> None:
        """How far the search for masks that use a class has come."""
        self.progress.show_progress("Looking through the masks", done, total)

    def set_use(self, class_id: int, image: str | None) -> None:
        """The answer to ``use_asked``: an image whose mask uses the class, or None."""
        if image is not None:
            self.keep_last(f"the mask of {image} uses it")
        elif class_id == len(self._rows) - 1:
            self.progress.hide()
            self._saved, self.removed = class_id, True
            self._drop_last()

    def keep_last(self, reason: str) -> None:
        """The last class cannot be removed, and why."""
        self.progress.hide()
        self._refresh()
        self.problem.setText(f"“{self._rows[-1].name}” cannot be removed: {reason}.")

    def reject(self) -> None:
        if self.isEnabled():  # else the scheme is being written, which cannot be called back
            super().reject()

    def done(self, result: int) -> None:
        self._cancel_check()
        super().done(result)

    def _show_row(self, id_: int) -> None:
        row, table = self._rows[id_], self.table
        table.blockSignals(True)
        if table.rowCount() <= id_:
            table.setRowCount(id_ + 1)
            table.setVerticalHeaderItem(id_, QTableWidgetItem(str(id_)))
        name, key = QTableWidgetItem(row.name), QTableWidgetItem(row.key.upper())
        colour = QTableWidgetItem(QColor(*row.colour).name())
        colour.setIcon(QIcon(swatch(row.colour, self.devicePixelRatioF())))
        colour.setFlags(colour.flags() & ~Qt.ItemFlag.ItemIsEditable)
        key.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        key.setToolTip("One letter or digit that chooses the class; empty: the class's own digit")
        if id_ == _BORDER and self._border_is_fixed:
            name.setFlags(name.flags() & ~Qt.ItemFlag.ItemIsEditable)
            name.setToolTip("The trimaps' border keeps its name")
        for column, item in ((_NAME, name), (_COLOUR, colour), (_KEY, key)):
            table.setItem(id_, column, item)
        table.blockSignals(False)

    def _refresh(self) -> None:
        problem = problem_of(self._rows, self._taken)
        checking = not self.progress.isHidden()
        self.problem.setText(problem)
        self.ok_button.setEnabled(not problem and not checking)
        self.add_button.setEnabled(len(self._rows) < MAX_CLASSES and not checking)
        self.remove_button.setEnabled(len(self._rows) > 2 and not checking)

    def _take_text(self, item: QTableWidgetItem) -> None:
        id_, text = item.row(), item.text().strip()
        if item.column() == _NAME:
            self._rows[id_] = replace(self._rows[id_], name=text)
        elif item.column() == _KEY:
            self._rows[id_] = replace(self._rows[id_], key=text.lower())
        self._show_row(id_)
        self._refresh()

    def _open_cell(self, row: int, column: int) -> None:
        if column == _COLOUR:
            self._choose_colour()

    def _choose_colour(self) -> None:
        id_ = self.table.currentRow()
        if id_ < 0:
            return
        dialog = QColorDialog(QColor(*self._rows[id_].colour), self)
        # The system's own dialog cannot be trusted to be there, nor to look like the rest.
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle(f"Colour of {self._rows[id_].name}")
        dialog.colorSelected.connect(lambda colour: self._set_colour(id_, colour))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _set_colour(self, id_: int, colour: QColor) -> None:
        rgb = (colour.red(), colour.green(), colour.blue())
        self._rows[id_] = replace(self._rows[id_], colour=rgb)
        self._show_row(id_)

    def _add(self) -> None:
        id_ = len(self._rows)
        digit = str(id_) if id_ < 10 and all(r.key != str(id_) for r in self._rows) else ""
        names = {row.name.casefold() for row in self._rows}
        name = next(n for n in (f"class {i}" for i in range(id_, 1000)) if n not in names)
        self._rows.append(Row(name, default_colour(id_), digit))
        self._show_row(id_)
        self._refresh()
        self.table.setCurrentCell(id_, _NAME)
        self.table.edit(self.table.currentIndex())

    def _remove(self) -> None:
        last = len(self._rows) - 1
        if last >= self._saved:
            self._drop_last()
            return
        self.set_checked(0, 0)
        self._refresh()
        self.use_asked.emit(last)

    def _drop_last(self) -> None:
        self._rows.pop()
        self.table.setRowCount(len(self._rows))
        self._refresh()

    def _cancel_check(self) -> None:
        if not self.progress.isHidden():
            self.progress.hide()
            self.check_cancelled.emit()
            self._refresh()

    def _accept(self) -> None:
        self.table.setCurrentCell(-1, -1)  # a cell that is still being edited is taken
        if not problem_of(self._rows, self._taken):
            self.wanted.emit(scheme_of_rows(self._rows))
