"""The borders of the image's pixels, for close work."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter

from petseg_gui.canvas.view import View

_COLOUR = QColor(128, 128, 128, 150)  # is seen on dark and on light


def paint_grid(painter: QPainter, view: View, exposed: QRectF) -> None:
    """Draw the lines between pixels that cross ``exposed`` (device pixels)."""
    x0, y0 = view.to_image(exposed.left(), exposed.top())
    x1, y1 = view.to_image(exposed.right(), exposed.bottom())
    columns = [view.to_device(x, 0)[0] for x in range(math.floor(x0), math.ceil(x1) + 1)]
    rows = [view.to_device(0, y)[1] for y in range(math.floor(y0), math.ceil(y1) + 1)]
    top, bottom, left, right = exposed.top(), exposed.bottom(), exposed.left(), exposed.right()
    # On whole device pixels, so that every line is equally thin.
    lines = [QLineF(round(x) + 0.5, top, round(x) + 0.5, bottom) for x in columns]
    lines += [QLineF(left, round(y) + 0.5, right, round(y) + 0.5) for y in rows]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(_COLOUR)
    painter.drawLines(lines)
