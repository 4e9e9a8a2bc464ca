"""What the colours mean: of a difference, and of a heat map."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap, qRgb
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from petseg_gui.canvas.difference import COLOURS, STRIPE, WORDS, Verdict, patterned
from petseg_gui.canvas.ramp import ramp

_SIDE = 14
_RAMP = QSize(110, 12)
_FRAME = QColor(128, 128, 128)  # is seen on dark and on light


class DifferenceLegend(QWidget):
    """A swatch and a word for each verdict."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        self.labels: dict[Verdict, tuple[QLabel, QLabel]] = {}
        for verdict, word in WORDS.items():
            picture, text = QLabel(self), QLabel(word, self)
            picture.setPixmap(verdict_swatch(verdict, self.devicePixelRatioF()))
            text.setToolTip(_TIPS[verdict])
            layout.addWidget(picture)
            layout.addWidget(text)
            layout.addSpacing(6)
            self.labels[verdict] = picture, text
        self.setAccessibleName("Legend: missed, invented, agreed")

    def show_verdicts(self, verdicts: Iterable[Verdict]) -> None:
        """Explain only these."""
        shown = set(verdicts)
        for verdict, labels in self.labels.items():
            for label in labels:
                label.setVisible(verdict in shown)


class RampLegend(QWidget):
    """The colours of a heat map from dark to light, with what their ends stand for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low, self.high = QLabel(self), QLabel(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.low, _Ramp(self), self.high):
            layout.addWidget(widget)

    def show_ends(self, low: str, high: str) -> None:
        """Say what dark and light stand for."""
        self.low.setText(low)
        self.high.setText(high)
        self.setAccessibleName(f"Legend: dark is {low}, light is {high}")


def verdict_swatch(verdict: Verdict, ratio: float) -> QPixmap:
    """A verdict's colour and pattern; ratio: device pixels a pixel."""
    side = round(_SIDE * ratio)
    found = patterned(np.full((side, side), verdict, np.uint8), density=ratio)
    image = QImage(found.tobytes(), side, side, side, QImage.Format.Format_Indexed8)
    colours = [qRgb(0, 0, 0)] * 256
    for known, colour in COLOURS.items():
        colours[known] = qRgb(*colour)
    colours[STRIPE] = qRgb(255, 255, 255)
    image.setColorTable(colours)
    picture = QPixmap.fromImage(image.convertToFormat(QImage.Format.Format_RGB32))
    painter = QPainter(picture)
    painter.setPen(QPen(_FRAME, 1))
    painter.drawRect(0, 0, side - 1, side - 1)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


class _Ramp(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(_RAMP)
        colours = ramp()
        row = (colours.astype(np.uint32) << np.array([16, 8, 0], np.uint32)).sum(1, dtype=np.uint32)
        row |= np.uint32(0xFF000000)
        self._image = QImage(
            row.tobytes(), len(row), 1, 4 * len(row), QImage.Format.Format_RGB32
        ).copy()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawImage(self.rect(), self._image)
        painter.setPen(QPen(_FRAME, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


_TIPS = {
    Verdict.MISSED: "In the mask, not in the prediction",
    Verdict.INVENTED: "In the prediction, not in the mask",
    Verdict.CONFUSED: "In both, but as different classes",
    Verdict.AGREED: "In both",
}
