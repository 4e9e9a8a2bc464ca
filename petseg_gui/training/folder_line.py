"""A line that names a folder, if one is chosen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)


class FolderLine(QWidget):
    """``folder`` is None until a person chooses one."""

    changed = Signal()

    def __init__(self, question: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._question = question
        self.folder: Path | None = None
        self._name = QLabel(self)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.choose_button = QPushButton("Choose…", self)
        self.choose_button.setAutoDefault(False)
        self.choose_button.setAccessibleName(question)
        self.choose_button.clicked.connect(self._choose)
        self.clear_button = QToolButton(self)
        self.clear_button.setText("None")
        self.clear_button.setAccessibleName("No further folder")
        self.clear_button.clicked.connect(lambda: self.set_folder(None))
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(0, 1)
        layout.addWidget(self._name, 0, 0)
        layout.addWidget(self.clear_button, 0, 1)
        layout.addWidget(self.choose_button, 0, 2)
        layout.addWidget(self.note, 1, 0, 1, 3)
        self.set_folder(None)

    def set_folder(self, folder: Path | None) -> None:
        """Take a folder, or none."""
        self.folder = folder
        self._name.setText(str(folder) if folder is not None else "None")
        self._name.setToolTip(str(folder) if folder is not None else "")
        self.clear_button.setVisible(folder is not None)
        self.show_note("")
        self.changed.emit()

    def show_note(self, text: str) -> None:
        """What is wrong with the folder, if anything."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _choose(self) -> None:
        dialog = QFileDialog(self, self._question)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda path: self.set_folder(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
