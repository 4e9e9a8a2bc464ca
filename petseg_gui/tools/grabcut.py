"""GrabCut in a box: draw a box, get the animal; further strokes refine it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath

from core.editing import brush, shapes
from core.editing.box import Box, part
from core.editing.brush import Point
from core.editing.change import replace
from core.editing.history import Edit
from core.editing.region import Region
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.choosing import Find, edit_for, is_locked, operation
from petseg_gui.tools.drawing import draw_mark, draw_path, to_device
from petseg_gui.tools.outlines import box_path, polygon_path
from petseg_gui.tools.proposing import ProposingTool
from petseg_gui.tools.tool import Operation, PointerEvent, Workbench

_YES, _NO = 1, 2  # what strokes say of a pixel, as core.editing.grabcut.Marks has it
_TITLE = "GrabCut"
_ROOM = 8.0  # so far outside its box, in device pixels, a stroke still belongs to it
_MARK = 5.0  # radius of a refining stroke, in device pixels


class GrabCutTool(ProposingTool):
    """Proposes what lies in a box that is dragged.

    Then strokes that begin in the box refine it: what the left button passes over belongs to the
    animal, what the right one passes over does not. Enter, or the next box, takes the proposal.
    """

    uses = ("operation",)

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._corners: list[Point] = []  # of the box while it is drawn
        self._box: Box | None = None
        self._marks = np.zeros((0, 0), np.uint8)  # over the box
        self._stroke: list[Point] = []
        self._mark = _YES
        self._takes_away = False

    @property
    def pending(self) -> bool:
        return bool(self._corners) or self._box is not None

    def press(self, document: Document, event: PointerEvent) -> None:
        if event.double:
            self.take(document)
        elif self._box is not None and _holds(self._box, event):
            self._mark = _NO if event.takes_away else _YES
            self._stroke = [(event.x, event.y)]
            self._draw_mark(event)
        else:
            self.take(document)
            self._takes_away = event.takes_away
            self._corners = [(event.x, event.y)] * 2

    def move(self, document: Document, event: PointerEvent) -> None:
        if self._corners:
            self._corners[1] = event.x, event.y
        elif self._stroke:
            self._stroke.append((event.x, event.y))
            self._draw_mark(event)

    def release(self, document: Document, event: PointerEvent) -> None:
        if self._corners:
            drawn = shapes.rectangle(self._corners[0], self._corners[1], document.mask.shape)
            self._corners = []
            if drawn is not None:
                x0, y0, x1, y1 = self._box = drawn.box
                self._marks = np.zeros((y1 - y0, x1 - x0), np.uint8)
                self.refresh(document)
        elif self._stroke:
            self._stroke = []
            self.refresh(document)

    def refresh(self, document: Document) -> None:
        if self._box is None:
            return
        what = operation(self.options, self._takes_away)
        if what is Operation.SELECT:
            self.bench.run(self._find(document), document.select)
            return
        if is_locked(self.bench, document):
            self.cancel(document)
            return
        box, value, find = self._box, self.options.value, self._find(document)

        def work() -> Edit | None:
            region = find()
            if what is Operation.REMOVE:
                return edit_for(document, region, what, value, _TITLE)
            # The box holds the animal and nothing else of its class.
            mask = part(document.mask, box)
            pixels = np.where(mask == value, np.uint8(document.unpainted), mask)
            if region is not None:
                pixels[region.within(box)] = value
            return replace(document.mask, box, pixels, _TITLE, document.locked)

        self._proposal.ask(document, work)

    def take(self, document: Document) -> None:
        self._corners, self._stroke, self._box = [], [], None
        super().take(document)

    def cancel(self, document: Document) -> None:
        self._corners, self._stroke, self._box = [], [], None
        super().cancel(document)

    def bounds(self, event: PointerEvent) -> QRectF:
        room = 2 * _MARK / max(event.zoom, 1e-6)
        bounds = self._frame().boundingRect().united(super().bounds(event))
        if self._stroke:
            xs, ys = zip(*self._stroke, strict=True)
            stroke = QRectF(QPointF(min(xs), min(ys)), QPointF(max(xs), max(ys)))
            bounds = bounds.united(stroke.adjusted(-room, -room, room, room))
        return bounds

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        super().paint(painter, view, event)
        draw_path(painter, to_device(view, self._frame()))
        if self._stroke:
            stroke = to_device(view, polygon_path(self._stroke, closed=False))
            draw_mark(painter, stroke, 2 * _MARK, belongs=self._mark == _YES)

    def _frame(self) -> QPainterPath:
        return box_path(self._corners, self._box)

    def _draw_mark(self, event: PointerEvent) -> None:
        if self._box is None:
            return
        left, top = self._box[:2]
        start, end = [(x - left, y - top) for x, y in (self._stroke[-2:] * 2)[:2]]
        size = min(max(1, round(2 * _MARK / event.zoom)), brush.MAX_SIZE)
        brush.paint_segment(self._marks, start, end, size, self._mark)

    def _find(self, document: Document) -> Find:
        """Works on what is marked now, whatever is marked meanwhile."""
        box, marks, value = self._box, self._marks.copy(), self.options.value

        def find() -> Region | None:
            # Imports OpenCV: not before the first photo.
            from core.editing.grabcut import Marks, grabcut_box

            if box is None:
                return None
            probability = self.bench.probability(document, value, box)
            return grabcut_box(document.pixels, box, probability, Marks(box, marks))

        return find


def _holds(box: Box, event: PointerEvent) -> bool:
    room = _ROOM / max(event.zoom, 1e-6)
    across = box[0] - room <= event.x < box[2] + room
    return across and box[1] - room <= event.y < box[3] + room
