"""Brush and eraser."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from core.editing.brush import MAX_SIZE, Point, snap
from core.labels import BACKGROUND
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.choosing import is_locked
from petseg_gui.tools.drawing import draw_circle, draw_line
from petseg_gui.tools.tool import PointerEvent, Tool, Workbench

_STEP = 1.15


class BrushTool(Tool):
    """Paints the class with a round brush.

    The right button or Alt erases, Shift draws a straight line from where the last stroke ended,
    a pen's pressure scales the size, Esc takes the stroke in progress back.
    """

    uses: tuple[str, ...] = ("size",)
    title = "Brush"
    erases = False

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._stroke: Point | None = None  # where the stroke in progress has come to
        self._stroke_value = BACKGROUND
        self._last: Point | None = None  # where the last stroke ended

    def press(self, document: Document, event: PointerEvent) -> None:
        erases = self.erases or event.takes_away
        if not erases and is_locked(self.bench, document):
            return
        self._stroke_value = document.unpainted if erases else self.options.value
        start = self._line_from(event)
        start = (event.x, event.y) if start is None else start
        self.begin(document, start)
        self._paint(document, event, start)

    def move(self, document: Document, event: PointerEvent) -> None:
        if self._stroke is not None:
            self._paint(document, event, self._stroke)

    def release(self, document: Document, event: PointerEvent) -> None:
        if self._stroke is not None:
            self._last, self._stroke = self._stroke, None
            document.commit("Eraser" if self._stroke_value == document.unpainted else self.title)

    def cancel(self, document: Document) -> None:
        self._stroke = self._last = None
        document.cancel()

    def bounds(self, event: PointerEvent) -> QRectF:
        if event.away:
            return QRectF()
        x, y = event.x, event.y
        size = self.options.size + 1  # snapping moves the circle by up to half a pixel
        box = QRectF(x - size / 2, y - size / 2, size, size)
        start = self._line_from(event)
        if start is not None:
            box = box.united(QRectF(QPointF(*start), QPointF(x, y)).normalized())
        return box

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        if event.away:
            return
        size = self.options.size
        centre = view.to_device(*snap(event.x, event.y, size))
        start = self._line_from(event)
        draw_circle(painter, centre, size / 2 * view.zoom)
        if start is not None:
            draw_line(painter, view.to_device(*snap(*start, size)), centre)

    def begin(self, document: Document, start: Point) -> None:
        """A stroke begins; for those who build on this."""

    def paint_segment(self, document: Document, start: Point, end: Point, size: int) -> None:
        """Paint one piece of the stroke; for those who build on this."""
        document.paint_segment(start, end, size, self._stroke_value)

    def _line_from(self, event: PointerEvent) -> Point | None:
        return self._last if self._stroke is None and _is_line(event) else None

    def _paint(self, document: Document, event: PointerEvent, start: Point) -> None:
        size = max(1, round(self.options.size * event.pressure))
        self._stroke = event.x, event.y
        self.paint_segment(document, start, self._stroke, size)


class EraserTool(BrushTool):
    """A brush of what pixels are that nobody painted."""

    erases = True


def size_steps(size: int, steps: int) -> int:
    """The brush size some steps larger (or smaller): 15 % a step, at least one pixel."""
    for _ in range(abs(steps)):
        if steps > 0:
            size = max(size + 1, round(size * _STEP))
        else:
            size = min(size - 1, round(size / _STEP))
    return min(max(size, 1), MAX_SIZE)


def _is_line(event: PointerEvent) -> bool:
    return bool(event.modifiers & Qt.KeyboardModifier.ShiftModifier)
