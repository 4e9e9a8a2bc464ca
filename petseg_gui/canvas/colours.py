"""A label scheme as the colour table of the mask's image."""

from __future__ import annotations

from PySide6.QtGui import qRgba

from core.labels import VOID, LabelScheme

BACKGROUND = 0
_VOID_COLOUR = (128, 128, 128)


def colour_table(scheme: LabelScheme, opacity: float) -> list[int]:
    """256 colours (QRgb) by class id; the background and ids that are no class show nothing.

    opacity: 0 (nothing is shown) to 1 (the photo is covered).
    """
    alpha = round(255 * opacity)
    table = [0] * 256
    for label in scheme.classes:
        if label.id != BACKGROUND:
            table[label.id] = qRgba(*label.colour, alpha)
    table[VOID] = qRgba(*_VOID_COLOUR, alpha)
    return table
