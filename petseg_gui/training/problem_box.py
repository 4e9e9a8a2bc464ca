"""Why a training does not go on, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from petseg_gui import icons
from petseg_gui.banner import Level, paint_tint

_ICON = 18


class ProblemBox(QWidget):
    """A warning with buttons; hidden where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = QLabel(self)
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.restart_button = QPushButton("Restart it", self)
        self.restart_button.setToolTip("End its process and go on from where it was saved last")
        self.end_button = QPushButton("End it", self)
        self.end_button.setToolTip("End its process; it can be resumed later")
        self.log_button = QPushButton("Show log", self)
        self.log_button.setToolTip("Read what the training's process wrote")
        buttons = QHBoxLayout()
        for button in (self.restart_button, self.end_button, self.log_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(self.label)
        right.addLayout(buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(right, 1)
        self._draw_icon()
        self.hide()

    def show_problem(self, text: str, silent: bool) -> None:
        """Show a problem, "" for none. silent: its process lives and can be ended."""
        if text != self.label.text():
            self.label.setText(text)
            self.setAccessibleName(text)
        self.restart_button.setVisible(silent)
        self.end_button.setVisible(silent)
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_icon()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_tint(self, Level.WARNING)

    def _draw_icon(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        self._icon.setPixmap(icons.pixmap(Level.WARNING, colour, _ICON, self.devicePixelRatioF()))
