"""Tools of one click that show what it would do where the pointer rests."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from core.editing.brush import Point
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.choosing import is_locked
from petseg_gui.tools.proposal import Proposal, Work, apply_soon
from petseg_gui.tools.tool import PointerEvent, Tool, Workbench

_HERE_ALREADY = "This is the class already: a right click removes."
_NOT_HERE = "There is nothing of the class here to remove: a click adds."


class PointingTool(Tool):
    """Shows what a click would do where the pointer rests; the click does it."""

    wants_rest = True
    nothing = "Nothing would change here."
    """What is said of a click that changes nothing."""

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._proposal = Proposal(self.bench)
        self._asked: tuple[Point, bool] | None = None

    def rest(self, document: Document, event: PointerEvent) -> None:
        there = document.class_at(*event.pixel)
        if there is not None:
            # There is nothing to add where the class is already: there a right click acts.
            self._asked = (event.x, event.y), there == self.options.value
            self._proposal.ask(document, self.work(document, *self._asked))

    def move(self, document: Document, event: PointerEvent) -> None:
        if self._asked is not None and self._asked[0] != (event.x, event.y):
            self.cancel(document)

    def press(self, document: Document, event: PointerEvent) -> None:
        click = (event.x, event.y), event.takes_away
        there = document.class_at(*event.pixel)
        if there is None or is_locked(self.bench, document):
            return
        if event.takes_away != (there == self.options.value):
            self.cancel(document)
            self.bench.tell(_NOT_HERE if event.takes_away else _HERE_ALREADY)
            return
        shown, self._asked = self._asked == click, None
        if not (shown and self._proposal.take(document)):
            self._proposal.drop()
            apply_soon(self.bench, document, self.work(document, *click), self._tell_nothing)

    def refresh(self, document: Document) -> None:
        self.cancel(document)

    def cancel(self, document: Document) -> None:
        self._asked = None
        self._proposal.drop()

    def put_down(self, document: Document) -> None:
        self.cancel(document)  # what the resting pointer was shown nobody has asked for
        super().put_down(document)

    def bounds(self, event: PointerEvent) -> QRectF:
        return self._proposal.bounds()

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        self._proposal.paint(painter, view)

    @abstractmethod
    def work(self, document: Document, point: Point, takes_away: bool) -> Work:
        """What works out the edit of a click."""

    def _tell_nothing(self) -> None:
        self.bench.tell(self.nothing)
