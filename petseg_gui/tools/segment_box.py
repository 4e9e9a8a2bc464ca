"""Segment in a box: draw a box, and the model looks at it alone, and larger."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPainterPath

from core.editing import shapes
from core.editing.box import Box
from core.editing.brush import Point
from core.editing.change import replace
from core.editing.history import Edit
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.drawing import draw_path, to_device
from petseg_gui.tools.outlines import box_path
from petseg_gui.tools.proposing import ProposingTool
from petseg_gui.tools.tool import PointerEvent, Workbench

_TITLE = "Segment in a box"


class SegmentBoxTool(ProposingTool):
    """Proposes what the model says of a box that is dragged: of all its pixels, all classes.

    What is outside the box stays as it is. Enter, a double click or the next box takes it.
    """

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._corners: list[Point] = []  # of the box while it is drawn
        self._box: Box | None = None

    @property
    def pending(self) -> bool:
        return bool(self._corners) or self._box is not None

    def press(self, document: Document, event: PointerEvent) -> None:
        self.take(document)
        if not event.double:
            self._corners = [(event.x, event.y)] * 2

    def move(self, document: Document, event: PointerEvent) -> None:
        if self._corners:
            self._corners[1] = event.x, event.y

    def release(self, document: Document, event: PointerEvent) -> None:
        if not self._corners:
            return
        drawn = shapes.rectangle(self._corners[0], self._corners[1], document.mask.shape)
        self._corners = []
        if drawn is not None:
            self._box = drawn.box
            self.bench.tell("Enter takes what is found in the box, Esc leaves the mask as it is.")
            self._look(document)

    def refresh(self, document: Document) -> None:
        # What the model says of the box stays the same; the mask or a lock may be another.
        if self._box is not None:
            self._look(document)

    def take(self, document: Document) -> None:
        self._corners, self._box = [], None
        super().take(document)

    def cancel(self, document: Document) -> None:
        self._corners, self._box = [], None
        super().cancel(document)

    def bounds(self, event: PointerEvent) -> QRectF:
        return self._frame().boundingRect().united(super().bounds(event))

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        super().paint(painter, view, event)
        draw_path(painter, to_device(view, self._frame()))

    def _look(self, document: Document) -> None:
        box = self._box
        if box is None:
            return

        def work() -> Edit | None:
            pixels = self.bench.segment(document, box)
            if pixels is None:
                return None
            return replace(document.mask, box, pixels, _TITLE, document.locked)

        self._proposal.ask(document, work)

    def _frame(self) -> QPainterPath:
        return box_path(self._corners, self._box)
