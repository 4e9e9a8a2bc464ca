"""Questions that do not stop the program while they are open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QMessageBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)


def ask(
    parent: QWidget, text: str, explanation: str, answers: Mapping[str, Callable[[], None]]
) -> QMessageBox:
    """Ask something; the chosen answer's function is called. The last answer is also Esc's."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle("PetSeg")
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setText(text)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(explanation)
    last = len(answers) - 1
    for number, (answer, act) in enumerate(answers.items()):
        role = (
            QMessageBox.ButtonRole.RejectRole
            if number == last
            else QMessageBox.ButtonRole.AcceptRole
        )
        button = box.addButton(answer, role)
        button.clicked.connect(act)
        if number == 0:
            box.setDefaultButton(button)
        if number == last:
            box.setEscapeButton(button)
    box.open()
    return box


def show_list(parent: QWidget, title: str, lines: Sequence[str]) -> QDialog:
    """Show lines that can be read at leisure and copied."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.resize(620, 360)
    text = QPlainTextEdit("\n".join(lines), dialog)
    text.setReadOnly(True)
    text.setAccessibleName(title)
    buttons = QDialogButtonBox(dialog)
    buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.addWidget(text)
    layout.addWidget(buttons)
    dialog.show()
    return dialog
