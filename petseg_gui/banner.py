"""Messages that stay above the canvas until their cause is gone or they are closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from petseg_gui import icons


class Level(StrEnum):
    """How much a message matters: also its icon's name."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True)
class Choice:
    """A button in a message."""

    text: str
    act: Callable[[], object]


_TINTS = {Level.INFO: QColor(86, 160, 220), Level.WARNING: QColor(230, 150, 20)}


class Banners(QWidget):
    """The messages there are, by a key of their cause: a newer one replaces the older."""

    acted = Signal()
    """A message's button was pressed: the keys may go back to the image."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banners: dict[str, Banner] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    def show_message(
        self, key: str, level: Level, text: str, choices: Sequence[Choice] = ()
    ) -> None:
        """Show a message with its buttons."""
        self.remove(key)
        banner = Banner(level, text, choices, self)
        for button in (*banner.buttons, banner.close_button):
            button.clicked.connect(self.acted)
        banner.close_button.clicked.connect(lambda: self.remove(key))
        self._banners[key] = banner
        self._layout.addWidget(banner)

    def remove(self, key: str) -> None:
        """The cause is gone."""
        banner = self._banners.pop(key, None)
        if banner is not None:
            self._layout.removeWidget(banner)
            banner.hide()
            banner.deleteLater()

    def text(self, key: str) -> str:
        """The message shown for a cause, "" where there is none."""
        banner = self._banners.get(key)
        return banner.label.text() if banner is not None else ""

    def banner(self, key: str) -> Banner | None:
        return self._banners.get(key)


class Banner(QWidget):
    """One message."""

    def __init__(self, level: Level, text: str, choices: Sequence[Choice], parent: QWidget) -> None:
        super().__init__(parent)
        self._level = level
        self._icon = QLabel(self)
        self.label = QLabel(text, self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName(text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self.label, 1)
        self.buttons = [QPushButton(choice.text, self) for choice in choices]
        for button, choice in zip(self.buttons, choices, strict=True):
            button.clicked.connect(choice.act)
            layout.addWidget(button)
        self.close_button = QToolButton(self)
        self.close_button.setAutoRaise(True)
        self.close_button.setAccessibleName("Close message")
        self.close_button.setToolTip("Close message")
        layout.addWidget(self.close_button)
        self._draw_icons()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_icons()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_tint(self, self._level)

    def _draw_icons(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(icons.pixmap(self._level, colour, 18, ratio))
        self.close_button.setIcon(icons.icon("close", self.palette()))


def paint_tint(widget: QWidget, level: Level) -> None:
    """Paint a message's ground. To be called while the widget is painted."""
    # A tint over the window's own colour, so that the text keeps its contrast in both themes.
    tint = QColor(_TINTS[level])
    painter = QPainter(widget)
    tint.setAlpha(48)
    painter.fillRect(widget.rect(), tint)
    tint.setAlpha(255)
    painter.fillRect(0, 0, 3, widget.height(), tint)
