"""The magic wand: what is coloured like the point that is clicked."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from core.editing.brush import Point
from core.editing.region import Region
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.choosing import edit_for, is_locked, operation, use
from petseg_gui.tools.proposal import Proposal
from petseg_gui.tools.tool import (
    TAKING_KEYS,
    Operation,
    PointerEvent,
    Tool,
    Workbench,
)


class WandTool(Tool):
    """Proposes what is coloured like the point that is clicked.

    The proposal follows the tolerance; Enter, a double click or the next click takes it.
    """

    uses = ("operation", "tolerance", "contiguous")

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._proposal = Proposal(self.bench)
        self._seed: Point | None = None
        self._takes_away = False

    @property
    def pending(self) -> bool:
        return self._proposal.pending

    def press(self, document: Document, event: PointerEvent) -> None:
        self._take(document)
        if event.double:
            return
        self._seed = event.x, event.y
        self._takes_away = event.takes_away
        self.refresh(document)

    def refresh(self, document: Document) -> None:
        if self._seed is None:
            return
        what = operation(self.options, self._takes_away)
        options = self.options
        if what is not Operation.SELECT and is_locked(self.bench, document):
            self.cancel(document)
            return
        find = partial(_wand, document, self._seed, options.tolerance, options.contiguous)
        if what is Operation.SELECT:
            self._proposal.drop()
            use(self.bench, document, find, what, "Magic wand")
            return
        value = options.value
        self._proposal.ask(document, lambda: edit_for(document, find(), what, value, "Magic wand"))

    def key(self, document: Document, key: Qt.Key) -> bool:
        if key not in TAKING_KEYS or not self.pending:
            return False
        self._take(document)
        return True

    def cancel(self, document: Document) -> None:
        self._seed = None
        self._proposal.drop()

    def put_down(self, document: Document) -> None:
        self._take(document)
        super().put_down(document)

    def bounds(self, event: PointerEvent) -> QRectF:
        return self._proposal.bounds()

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        self._proposal.paint(painter, view)

    def _take(self, document: Document) -> None:
        self._seed = None
        self._proposal.take(document)


def _wand(document: Document, seed: Point, tolerance: int, contiguous: bool) -> Region | None:
    from core.editing.wand import wand  # imports OpenCV: not before the first photo

    return wand(document.pixels, seed, tolerance, contiguous)
