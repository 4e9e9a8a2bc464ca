"""A heat map over the photo: values at any resolution, coloured from dark to light."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, qRgba

from core.editing.box import Box, intersection
from petseg_gui.canvas.layers import coloured
from petseg_gui.canvas.ramp import ramp
from petseg_gui.canvas.view import View

_SPREAD = 2  # values around what is exposed, for the smoothing


class HeatLayer:
    """Values spread evenly over the whole image; smooth between them."""

    def __init__(self, values: np.ndarray, size: tuple[int, int], opacity: float) -> None:
        """values: uint8, h x w, 0 dark to 255 light; size: (width, height) of the image."""
        self._values = values
        self._size = size
        self.set_opacity(opacity)

    def set_opacity(self, opacity: float) -> None:
        """How much it covers the photo, 0 to 1."""
        alpha = round(255 * opacity)
        self._table = [qRgba(r, g, b, alpha) for r, g, b in ramp().tolist()]

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """Paint what lies in ``exposed`` (device pixels)."""
        rows, columns = self._values.shape
        across, down = self._size[0] / columns, self._size[1] / rows  # image pixels a value
        x0, y0 = view.to_image(exposed.left(), exposed.top())
        x1, y1 = view.to_image(exposed.right(), exposed.bottom())
        # Where there are many values a device pixel, some of them do.
        step = max(1, math.floor(1 / (view.zoom * min(across, down)) + 1e-9))
        spread = _SPREAD * step
        part = (
            (math.floor(x0 / across) - spread) // step * step,
            (math.floor(y0 / down) - spread) // step * step,
            math.ceil(x1 / across) + spread,
            math.ceil(y1 / down) + spread,
        )
        box = intersection(part, (0, 0, columns, rows))
        if box is None:
            return
        image = coloured(self._values[_rows(box, step), _columns(box, step)], self._table)
        left, top = view.to_device(box[0] * across, box[1] * down)
        side_x, side_y = step * across * view.zoom, step * down * view.zoom
        where = QRectF(left, top, image.width() * side_x, image.height() * side_y)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(where, image)


def _columns(box: Box, step: int) -> slice:
    return slice(box[0], box[2], step)


def _rows(box: Box, step: int) -> slice:
    return slice(box[1], box[3], step)
