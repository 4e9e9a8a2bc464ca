"""The magic wand: what is coloured like the point that is clicked."""

from __future__ import annotations

from functools import partial

from core.editing.brush import Point
from core.editing.region import Region
from petseg_gui.document import Document
from petseg_gui.tools.choosing import edit_for, is_locked, operation, use
from petseg_gui.tools.proposing import ProposingTool
from petseg_gui.tools.tool import (
    Operation,
    PointerEvent,
    Workbench,
)


class WandTool(ProposingTool):
    """Proposes what is coloured like the point that is clicked.

    The proposal follows the tolerance; Enter, a double click or the next click takes it.
    """

    uses = ("operation", "tolerance", "contiguous")

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._seed: Point | None = None
        self._takes_away = False

    def press(self, document: Document, event: PointerEvent) -> None:
        self.take(document)
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

    def take(self, document: Document) -> None:
        self._seed = None
        super().take(document)

    def cancel(self, document: Document) -> None:
        self._seed = None
        super().cancel(document)


def _wand(document: Document, seed: Point, tolerance: int, contiguous: bool) -> Region | None:
    from core.editing.wand import wand  # imports OpenCV: not before the first photo

    return wand(document.pixels, seed, tolerance, contiguous)
