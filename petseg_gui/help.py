"""Help: all keys on one sheet, and About."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.actions import COMMANDS, GESTURES, HELD_KEYS, MENUS, shortcut_texts

_LIBRARIES = ("PySide6-Essentials", "onnxruntime", "torch", "numpy", "pillow")
_ROWS = 24  # that a column takes before another one begins
_MOST_COLUMNS = 4

Row = tuple[str, str]
"""Keys, and what they do."""
Group = tuple[str, list[Row]]


def show_cheat_sheet(parent: QWidget, actions: Mapping[str, QAction]) -> QDialog:
    """Open the sheet of all keys, as they are now."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("All keys")
    sheet = QWidget(dialog)
    columns = QHBoxLayout(sheet)
    columns.setContentsMargins(20, 16, 20, 8)
    columns.setSpacing(24)
    for groups in in_columns(_groups(actions)):
        columns.addLayout(_column(groups, sheet))
    area = QScrollArea(dialog)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(sheet)
    area.setAccessibleName("All keys")
    buttons = QDialogButtonBox(dialog)
    buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(0, 0, 12, 12)
    layout.addWidget(area)
    layout.addWidget(buttons)
    more = QSize(24, buttons.sizeHint().height() + 30)  # margins, and the frame of the window
    dialog.resize((sheet.sizeHint() + more).boundedTo(dialog.screen().availableSize() * 0.96))
    dialog.show()
    return dialog


def in_columns(groups: Sequence[Group]) -> list[list[Group]]:
    """Groups side by side in columns of about the same length, in order; none is torn apart."""
    total = sum(len(rows) + 2 for _, rows in groups)
    number = min(max(1, -(-total // _ROWS)), _MOST_COLUMNS)
    columns: list[list[Group]] = [[]]
    used = 0
    for group in groups:
        height = len(group[1]) + 2
        # More than half of it would stand beyond the column's fair end.
        if columns[-1] and len(columns) < number and used + height / 2 > total / number:
            columns.append([])
            used = 0
        columns[-1].append(group)
        used += height
    return columns


def show_about(parent: QWidget) -> QMessageBox:
    """Open the box with the versions."""
    # Only here: what they import takes longer than everything else in this module.
    from importlib.metadata import version
    from platform import python_version

    lines = [f"Python {python_version()}"]
    lines += [f"{name} {version(name)}" for name in _LIBRARIES]
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("About PetSeg")
    box.setText(f"PetSeg {version('petseg')}")
    box.setInformativeText(
        "Segment photos, correct the masks by hand, and train the network on the corrections.\n"
        "Apache License 2.0.\n\n" + "\n".join(lines)
    )
    box.addButton("Close", QMessageBox.ButtonRole.RejectRole)
    box.open()
    return box


def _groups(actions: Mapping[str, QAction]) -> list[Group]:
    texts = {command.id: command.text.rstrip("…") for command in COMMANDS}
    groups: list[Group] = []
    for menu in MENUS:
        rows = [
            (", ".join(shortcut_texts(actions[id_])), texts[id_])
            for id_ in menu.walk()
            if actions[id_].shortcuts()
        ]
        if rows:
            groups.append((menu.title.replace("&", ""), rows))
    native = QKeySequence.SequenceFormat.NativeText
    held = [(QKeySequence(key).toString(native), text) for key, text in HELD_KEYS]
    return [*groups, ("While held", held), ("On the canvas", list(GESTURES))]


def _column(groups: Sequence[Group], parent: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(6)
    for title, rows in groups:
        heading = QLabel(title, parent)
        heading.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        column.addWidget(heading)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        for number, (keys, text) in enumerate(rows):
            grid.addWidget(_bold(keys, parent), number, 0)
            grid.addWidget(QLabel(text, parent), number, 1)
        column.addLayout(grid)
        column.addSpacing(8)
    column.addStretch(1)
    return column


def _bold(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
