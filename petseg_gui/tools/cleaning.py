"""Clean-ups and refining as a tool: in hand while a person looks at what it would change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.editing.box import Box
from core.editing.change import replace
from core.editing.history import Edit
from petseg_gui.document import Document
from petseg_gui.tools.proposing import ProposingTool
from petseg_gui.tools.tool import Workbench


@dataclass(frozen=True)
class Recipe:
    """A change of the whole mask; where something is selected it acts there only.

    parameter: what its one number means ("" without one), with its default and range; whole:
    whether it may act on all classes at once. pixels: (document, class or None for all, number) ->
    a box and its pixels after, uint8; called off the window's thread.
    """

    title: str
    pixels: Callable[[Document, int | None, int], tuple[Box, np.ndarray]]
    parameter: str = ""
    default: int = 0
    range: tuple[int, int] = (0, 0)
    whole: bool = False


class CleaningTool(ProposingTool):
    """Proposes what a recipe would change. Enter takes it, Esc drops it, each ends the tool."""

    def __init__(self, bench: Workbench, recipe: Recipe, ended: Callable[[], None]) -> None:
        """ended: it was taken or dropped; another tool may be taken in hand."""
        super().__init__(bench)
        self.recipe = recipe
        self.amount = recipe.default
        self.every_class = False
        self._ended = ended
        self._over = False

    @property
    def pending(self) -> bool:
        return True

    @property
    def count(self) -> int | None:
        """How many pixels would change; None while that is being worked out."""
        return self._proposal.count if self._proposal.pending else 0

    def refresh(self, document: Document) -> None:
        if self._over:
            return
        value = None if self.every_class else self.options.value
        recipe, amount = self.recipe, self.amount

        def work() -> Edit | None:
            box, pixels = recipe.pixels(document, value, amount)
            if document.selection is not None:
                x0, y0, x1, y1 = box
                selected = document.selection.within(box)
                pixels = np.where(selected, pixels, document.mask[y0:y1, x0:x1])
            return replace(document.mask, box, pixels, recipe.title, document.locked)

        self._proposal.ask(document, work)

    def cancel(self, document: Document) -> None:
        self._over = True
        super().cancel(document)
        self._ended()

    def take(self, document: Document) -> None:
        if self._over:
            return
        self._over = True
        if not self._proposal.take(document):
            self.bench.tell(f"{self.recipe.title}: nothing to change.")
        self._ended()
