"""Help: the shortcuts sheet and About."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.actions import COMMANDS, HELD_KEYS, MENUS, shortcut_texts

_COLUMNS = 2
_LIBRARIES = ("PySide6-Essentials", "onnxruntime", "torch", "numpy", "pillow")


def show_shortcuts(parent: QWidget) -> QDialog:
    """Open the sheet of all keys."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Keyboard shortcuts")
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(6)
    rows = _rows()
    per_column = -(-len(rows) // _COLUMNS)
    for number, (keys, text) in enumerate(rows):
        column, row = divmod(number, per_column)
        key_label = QLabel(keys, dialog)
        font = key_label.font()
        font.setBold(True)
        key_label.setFont(font)
        grid.addWidget(key_label, row, 2 * column)
        grid.addWidget(QLabel(text, dialog), row, 2 * column + 1)
    buttons = QDialogButtonBox(dialog)
    buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(20, 18, 20, 16)
    layout.setSpacing(16)
    layout.addLayout(grid)
    layout.addWidget(buttons)
    dialog.show()
    return dialog


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


def _rows() -> list[tuple[str, str]]:
    by_id = {command.id: command for command in COMMANDS}
    rows = [
        (" or ".join(shortcut_texts(by_id[id_])), by_id[id_].text.rstrip("…"))
        for menu in MENUS
        for id_ in menu.commands
        if id_ != "-" and by_id[id_].shortcuts
    ]
    native = QKeySequence.SequenceFormat.NativeText
    return rows + [(QKeySequence(key).toString(native), text) for key, text in HELD_KEYS]
