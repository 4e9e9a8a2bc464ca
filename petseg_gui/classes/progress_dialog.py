"""Progress that nothing else may be done beside."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from petseg_gui.progress import ProgressStrip


class ProgressDialog(QDialog):
    """Stands in front of its window until ``end``; Cancel and Esc only say so."""

    cancelled = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.strip = ProgressStrip(self)
        self.strip.bar.setFixedWidth(220)
        self.strip.cancelled.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 18)
        layout.addWidget(self.strip)
        self.strip.show_progress(title)
        self.show()

    def end(self) -> None:
        """The work is over."""
        self.hide()
        self.deleteLater()

    def reject(self) -> None:
        self.strip.button.setEnabled(False)
        self.cancelled.emit()
