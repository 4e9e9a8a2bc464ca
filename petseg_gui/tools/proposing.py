"""Tools that show what they would do until it is taken or dropped."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.proposal import Proposal
from petseg_gui.tools.tool import TAKING_KEYS, PointerEvent, Tool, Workbench


class ProposingTool(Tool):
    """The base of such tools. Enter, and going on, takes what is proposed; Esc drops it."""

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._proposal = Proposal(self.bench)

    @property
    def pending(self) -> bool:
        return self._proposal.pending

    def take(self, document: Document) -> None:
        """Make what is proposed an edit; the tool begins anew."""
        self._proposal.take(document)

    def key(self, document: Document, key: Qt.Key) -> bool:
        if key not in TAKING_KEYS or not self.pending:
            return False
        self.take(document)
        return True

    def cancel(self, document: Document) -> None:
        self._proposal.drop()

    def put_down(self, document: Document) -> None:
        self.take(document)
        super().put_down(document)

    def bounds(self, event: PointerEvent) -> QRectF:
        return self._proposal.bounds()

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        self._proposal.paint(painter, view)
