"""Brush and eraser."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from core.editing.brush import MAX_SIZE, Point, snap
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.tool import PointerEvent

ERASED = 0
_STEP = 1.15


class BrushTool:
    """Paints one class with a round brush; with the value 0 it is the eraser.

    The right button or Alt erases, Shift draws a straight line from where the last stroke ended,
    a pen's pressure scales the size, Esc takes the stroke in progress back.
    """

    def __init__(self, value: int, size: int = 24, title: str = "Brush") -> None:
        self.title = title
        self.value = value
        self.size = size
        self._stroke: Point | None = None  # where the stroke in progress has come to
        self._stroke_value = value
        self._last: Point | None = None  # where the last stroke ended

    @property
    def size(self) -> int:
        """The diameter in image pixels, 1 to MAX_SIZE; what is set is brought into that range."""
        return self._size

    @size.setter
    def size(self, size: int) -> None:
        self._size = min(max(size, 1), MAX_SIZE)

    def press(self, document: Document, event: PointerEvent) -> None:
        self._stroke_value = ERASED if _erases(event) else self.value
        start = self._line_from(event)
        self._paint(document, event, (event.x, event.y) if start is None else start)

    def move(self, document: Document, event: PointerEvent) -> None:
        if self._stroke is not None:
            self._paint(document, event, self._stroke)

    def release(self, document: Document, event: PointerEvent) -> None:
        if self._stroke is not None:
            self._last, self._stroke = self._stroke, None
            erased = self._stroke_value == ERASED
            document.commit("Eraser" if erased else self.title)

    def key(self, document: Document, key: Qt.Key) -> bool:
        return False

    def cancel(self, document: Document) -> None:
        self._stroke = self._last = None
        document.cancel()

    def bounds(self, event: PointerEvent) -> QRectF:
        x, y = event.x, event.y
        size = self._size + 1  # snapping moves the circle by up to half a pixel
        box = QRectF(x - size / 2, y - size / 2, size, size)
        start = self._line_from(event)
        if start is not None:
            box = box.united(QRectF(QPointF(*start), QPointF(x, y)).normalized())
        return box

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        centre = QPointF(*view.to_device(*snap(event.x, event.y, self._size)))
        radius = self._size / 2 * view.zoom
        start = self._line_from(event)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # White inside black is seen on any photo.
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255), 1.0)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(centre, radius, radius)
            if start is not None:
                painter.drawLine(QPointF(*view.to_device(*snap(*start, self._size))), centre)

    def _line_from(self, event: PointerEvent) -> Point | None:
        return self._last if self._stroke is None and _is_line(event) else None

    def _paint(self, document: Document, event: PointerEvent, start: Point) -> None:
        size = max(1, round(self._size * event.pressure))
        self._stroke = event.x, event.y
        document.paint_segment(start, self._stroke, size, self._stroke_value)


def size_steps(size: int, steps: int) -> int:
    """The brush size some steps larger (or smaller): 15 % a step, at least one pixel."""
    for _ in range(abs(steps)):
        if steps > 0:
            size = max(size + 1, round(size * _STEP))
        else:
            size = min(size - 1, round(size / _STEP))
    return min(max(size, 1), MAX_SIZE)


def _erases(event: PointerEvent) -> bool:
    return event.button == Qt.MouseButton.RightButton or bool(
        event.modifiers & Qt.KeyboardModifier.AltModifier
    )


def _is_line(event: PointerEvent) -> bool:
    return bool(event.modifiers & Qt.KeyboardModifier.ShiftModifier)
