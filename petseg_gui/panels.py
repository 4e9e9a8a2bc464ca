"""What side panels have in common: they scroll, and explain in grey."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget


def scrolling(inner: QWidget, parent: QWidget) -> QScrollArea:
    """``inner``, laid out already, in an area that scrolls up and down and never sideways."""
    area = QScrollArea(parent)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inner)
    inner.setBackgroundRole(QPalette.ColorRole.Window)
    bar = area.verticalScrollBar().sizeHint().width()
    area.setMinimumWidth(inner.minimumSizeHint().width() + bar)
    return area


class Paragraph(QLabel):
    """Lines of plain text that are as high as they need to be, also in a panel that scrolls."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._fit()

    def clear(self) -> None:
        self.setText("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # A scroll area knows the least height only, and that is one of any width.
        self.setMinimumHeight(0)  # which the next line would count in
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))  # -1 without a text


class Note(Paragraph):
    """A paragraph in grey."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setForegroundRole(QPalette.ColorRole.PlaceholderText)
