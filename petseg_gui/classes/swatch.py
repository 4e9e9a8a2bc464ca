"""A class's colour as a small picture; void is hatched, as nothing was said of it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap

from core.labels import VOID, LabelScheme

_SIDE = 14


def swatch(colour: tuple[int, int, int] | None, ratio: float) -> QPixmap:
    """A class's colour (RGB, 0 to 255), or None for void; ratio: device pixels a pixel."""
    pixels = round(_SIDE * ratio)
    picture = QPixmap(pixels, pixels)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # A grey frame shows black on dark and white on light.
    painter.setPen(QPen(QColor(128, 128, 128), 1))
    frame = QRectF(0.5, 0.5, _SIDE - 1, _SIDE - 1)
    if colour is None:
        painter.fillRect(frame, QColor(235, 235, 235))
        painter.setBrush(QBrush(QColor(90, 90, 90), Qt.BrushStyle.BDiagPattern))
    else:
        painter.setBrush(QColor(*colour))
    painter.drawRoundedRect(frame, 2, 2)
    painter.end()
    return picture


def class_swatch(scheme: LabelScheme, class_id: int, ratio: float) -> QPixmap:
    """The swatch of one of a scheme's classes, or of VOID."""
    return swatch(None if class_id == VOID else scheme.classes[class_id].colour, ratio)


def class_name(scheme: LabelScheme, class_id: int) -> str:
    """What a class (or VOID) is called in the window."""
    return "Void (unlabelled)" if class_id == VOID else scheme.classes[class_id].name.capitalize()
