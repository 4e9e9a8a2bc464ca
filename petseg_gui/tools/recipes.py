"""What the Mask menu can do to a whole mask: clean-ups, and refining its edge."""

from __future__ import annotations

import numpy as np

from core.editing.box import Box
from petseg_gui.document import Document
from petseg_gui.tools.cleaning import Recipe

_REFINE_WIDTH = 8
_WIDEST = 100


def recipe(id_: str) -> Recipe:
    """The recipe of a command of the Mask menu."""
    # Imports OpenCV: not before the first photo.
    from core.editing.cleanup import CLEAN_UPS

    if id_ == "refine_edge":
        return Recipe("Refine edge", _refine, "Width of the band", _REFINE_WIDTH, (1, _WIDEST))
    clean_up = next(c for c in CLEAN_UPS if c.id == id_)

    def pixels(document: Document, value: int | None, amount: int) -> tuple[Box, np.ndarray]:
        return clean_up.apply(document.mask, value, amount, document.selection)

    return Recipe(
        clean_up.title, pixels, clean_up.parameter, clean_up.default, clean_up.range, clean_up.whole
    )


def _refine(document: Document, value: int | None, width: int) -> tuple[Box, np.ndarray]:
    from core.editing.refine import refine

    if value is None:
        raise ValueError("an edge is refined for one class")
    everything = (0, 0, document.width, document.height)
    box = everything if document.selection is None else document.selection.box
    return everything, refine(document.pixels, document.mask, value, width, box)
