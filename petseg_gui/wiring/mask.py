"""The Mask menu's commands that bring a mask from elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.errors import BadInput
from petseg_gui.parts import Parts
from petseg_gui.tasks import Lane


def wire_mask(parts: Parts) -> None:
    """Connect them."""
    parts.actions["replace"].triggered.connect(lambda: _take_prediction(parts))
    parts.actions["copy_previous"].triggered.connect(lambda: _copy_previous(parts))


def _take_prediction(parts: Parts) -> None:
    project, document = parts.session.project, parts.session.document
    if project is None or document is None:
        return

    def read() -> np.ndarray:
        mask = project.read_prediction(document.name, (document.width, document.height))
        if mask is None:
            raise BadInput("There is no prediction yet: segment the image first.")
        return mask

    _propose(parts, "Replace with prediction", read)


def _copy_previous(parts: Parts) -> None:
    project, document = parts.session.project, parts.session.document
    previous = parts.browser.neighbour(parts.session.name, -1)
    if project is None or document is None:
        return
    if not previous:
        parts.window.tell("This is the first image of the list.")
        return
    unsaved = parts.session.saver.unsaved(project, previous)

    def read() -> np.ndarray:
        mask = project.read_mask(previous) if unsaved is None else unsaved.pixels()
        if mask is None:
            raise BadInput(f"{previous} has no mask.")
        if mask.shape != document.mask.shape:
            raise BadInput(f"{previous} is of another size: its mask does not fit.")
        return mask

    _propose(parts, "Copy from previous image", read)


def _propose(parts: Parts, title: str, read: Callable[[], np.ndarray]) -> None:
    """Read a mask for the open image, then show what it would change."""
    from petseg_gui.tools.cleaning import Recipe

    document = parts.session.document

    def show(mask: np.ndarray) -> None:
        if document is parts.session.document:
            height, width = mask.shape
            parts.toolbox.propose(Recipe(title, lambda *_: ((0, 0, width, height), mask)))

    parts.tasks.run(Lane.EDIT, lambda job: read(), show, parts.window.tell)
