"""A model's card: everything that its file tells of it, and what people wrote about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from core.inference.card import card_rows, parts_of
from core.inference.catalogue import LONGEST_NAME, ModelEntry, Origin
from petseg_gui.classes.swatch import class_name, class_swatch
from petseg_gui.models.prose import Prose
from petseg_gui.words import size

ORIGINS = {
    Origin.BUNDLED: "Comes with PetSeg",
    Origin.RUN: "Training",
    Origin.IMPORTED: "Imported",
}
_SHOWN_CLASSES = 12
_OWN_ROWS = ("Name", "Classes")


class ModelCard(QScrollArea):
    """Shows one ModelEntry, and lets its name be typed over; Esc brings the old one back."""

    renamed = Signal(object, str)
    """The ModelEntry, and its new name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("What the model is")
        self._shown: tuple[ModelEntry, str, bool] | None = None
        self.name = QLineEdit(self)
        self.name.setAccessibleName("Name of the model")
        self.name.setMaxLength(LONGEST_NAME)
        font = self.name.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        self.name.setFont(font)
        self.name.editingFinished.connect(self._name_edited)
        undo = QShortcut(QKeySequence(Qt.Key.Key_Escape), self.name)
        undo.setContext(Qt.ShortcutContext.WidgetShortcut)
        undo.activated.connect(self._restore_name)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setForegroundRole(QPalette.ColorRole.PlaceholderText)

    def show_entry(self, entry: ModelEntry, note: str, renameable: bool) -> None:
        """Show a model. note: what a person should know of it beside its figures."""
        if self._shown == (entry, note, renameable):
            return  # a name that is being typed stays
        self._shown = entry, note, renameable
        self.note.setText(note)
        self.name.setText(entry.description.name)
        self.name.setReadOnly(not renameable)
        self.name.setFrame(renameable)
        ground = QPalette()  # one without colours of its own follows the theme
        if not renameable:
            ground.setColor(QPalette.ColorRole.Base, QColor(Qt.GlobalColor.transparent))
        self.name.setPalette(ground)
        self.name.setToolTip("Enter keeps the name" if renameable else "")
        page = QWidget(self)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 0, 6, 0)
        layout.setSpacing(10)
        layout.addWidget(self.name)
        layout.addWidget(self.note)
        layout.addWidget(_classes(entry, page))
        layout.addLayout(_facts(entry, page))
        written = parts_of(entry.card)[1]
        if written:
            prose = Prose(written, page)
            prose.setAccessibleName("What is written about the model")
            layout.addWidget(prose)
        layout.addStretch(1)
        self.note.setVisible(bool(note))
        self.setWidget(page)  # the one before is deleted, but for what has moved to this one

    def edit_name(self) -> None:
        """Let the name be typed over."""
        self.name.setFocus()
        self.name.selectAll()

    def _name_edited(self) -> None:
        if self._shown is None or self.name.isReadOnly():
            return
        entry, name = self._shown[0], self.name.text().strip()
        if not name:
            self.name.setText(entry.description.name)
        elif name != entry.description.name:
            self.renamed.emit(entry, name)

    def _restore_name(self) -> None:
        if self._shown is not None:
            self.name.setText(self._shown[0].description.name)
        self.name.clearFocus()  # Esc once more closes the window


def _facts(entry: ModelEntry, page: QWidget) -> QFormLayout:
    form = QFormLayout()
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    form.setHorizontalSpacing(18)
    rows = [("From", ORIGINS[entry.origin]), *card_rows(entry.description, entry.path)]
    rows.insert(-1, ("Size on disk", size(entry.bytes)))
    for title, text in rows:
        if title not in _OWN_ROWS:
            label = QLabel(title, page)
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            form.addRow(label, _text(text, page))
    return form


def _classes(entry: ModelEntry, page: QWidget) -> QWidget:
    scheme = entry.description.scheme
    box = QWidget(page)
    box.setAccessibleName(f"Classes: {', '.join(scheme.names)}")
    rows = QVBoxLayout(box)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(4)
    for label in scheme.classes[:_SHOWN_CLASSES]:
        line = QHBoxLayout()
        picture = QLabel(box)
        picture.setPixmap(class_swatch(scheme, label.id, page.devicePixelRatioF()))
        line.addWidget(picture)
        line.addWidget(_text(class_name(scheme, label.id), box), 1)
        rows.addLayout(line)
    more = len(scheme.classes) - _SHOWN_CLASSES
    if more > 0:
        rows.addWidget(_text(f"and {more} more", box))
    return box


def _text(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
