"""What stands in the window's middle while no folder is open."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from petseg_gui import icons


class StartPage(QWidget):
    """Says what to do first; ``set_text`` while something is being opened."""

    def __init__(self, open_action: QAction, demo: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = QLabel(self)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = QLabel(self)
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        self.title.setFont(font)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text = QLabel(self)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text.setWordWrap(True)
        self.text.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._buttons = QWidget(self)
        buttons = QHBoxLayout(self._buttons)
        buttons.addStretch(1)
        for action in (open_action, demo):
            button = QPushButton(action.text(), self._buttons)
            button.setIconSize(QSize(20, 20))
            button.setIcon(action.icon())
            button.clicked.connect(action.trigger)
            action.changed.connect(lambda b=button, a=action: b.setIcon(a.icon()))
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(14)
        layout.addStretch(2)
        for widget in (self._picture, self.title, self.text, self._buttons):
            layout.addWidget(widget)
        layout.addStretch(3)
        self._draw()
        self.show_welcome()

    def show_welcome(self) -> None:
        """Nothing is open: offer what can be."""
        self.set_text("Open a folder of photos", "Or drop one here. Your photos are never changed.")
        self._buttons.show()

    def set_text(self, title: str, text: str) -> None:
        """Say what is under way."""
        self.title.setText(title)
        self.text.setText(text)
        self._buttons.hide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText)
        self._picture.setPixmap(icons.pixmap("photos", colour, 72, self.devicePixelRatioF()))
