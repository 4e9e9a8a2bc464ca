"""Where two masks differ: missed, invented, agreed, each with a colour and a pattern of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum

import numpy as np
from PySide6.QtGui import qRgba

from core.labels import BACKGROUND, BorderRule, LabelScheme, apply_border_rule
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.canvas.colours import diagonals
from petseg_gui.canvas.layers import MaskLayer

STRIPE = 255
"""The code of the light parts of a pattern."""
_STRIPES = 9.0  # device pixels from stripe to stripe
_IDS = np.arange(256, dtype=np.uint8)


class Verdict(IntEnum):
    """What holds of a pixel of a mask and of a prediction."""

    NOTHING = 0
    AGREED = 1
    MISSED = 2
    INVENTED = 3
    CONFUSED = 4


WORDS = {
    Verdict.MISSED: "Missed",
    Verdict.INVENTED: "Invented",
    Verdict.CONFUSED: "Other class",
    Verdict.AGREED: "Agreed",
}
"""In the order of the legend."""

COLOURS = {
    Verdict.AGREED: (0, 158, 115),
    Verdict.MISSED: (213, 94, 0),
    Verdict.INVENTED: (0, 114, 178),
    Verdict.CONFUSED: (204, 121, 167),
}
"""RGB, of Okabe & Ito's palette, which everybody tells apart."""


def verdicts(scheme: LabelScheme, rule: BorderRule, value: int | None) -> np.ndarray:
    """The Verdict of each pair of (mask's, prediction's) pixel values: uint8, 256 x 256.

    value: the class that is looked at, None: all of them. The border rule acts on both. What is
    void in the mask is nothing; what is no class in the prediction counts as background, as in
    ``core.evaluation.metrics``.
    """
    classes = len(scheme.classes)
    ruled = apply_border_rule(_IDS, scheme, rule)
    truth = ruled[:, None]
    said = np.where(ruled < classes, ruled, np.uint8(BACKGROUND))[None, :]
    mine = truth == value if value is not None else truth != BACKGROUND
    theirs = said == value if value is not None else said != BACKGROUND
    found = np.full((256, 256), Verdict.NOTHING, np.uint8)
    found[mine & ~theirs] = Verdict.MISSED
    found[~mine & theirs] = Verdict.INVENTED
    found[mine & theirs] = Verdict.CONFUSED
    found[mine & theirs & (truth == said)] = Verdict.AGREED
    found[ruled >= classes] = Verdict.NOTHING
    return found


class DifferenceLayer(MaskLayer):
    """What a prediction missed and invented, painted from the very mask that is edited."""

    def __init__(
        self,
        mask: np.ndarray,
        said: np.ndarray,
        found: np.ndarray,
        scheme: LabelScheme,
        appearance: Appearance,
    ) -> None:
        """mask, said: uint8, height x width, shared; found: as ``verdicts`` gives it."""
        super().__init__(mask, scheme, appearance)
        self._said = said
        self._found = found.ravel()

    def set_appearance(self, scheme: LabelScheme, appearance: Appearance) -> None:
        """Show it more or less opaque."""
        self._appearance = appearance
        alpha = round(255 * appearance.opacity)
        self._table = [0] * 256
        for verdict, colour in COLOURS.items():
            faint = verdict is Verdict.AGREED  # what is right matters least
            self._table[verdict] = qRgba(*colour, alpha // 2 if faint else alpha)
        self._table[STRIPE] = qRgba(255, 255, 255, alpha)

    @property
    def spread(self) -> int:
        return 0

    def _parts(
        self, pick: Callable[[np.ndarray], np.ndarray]
    ) -> Iterator[tuple[np.ndarray, float]]:
        pairs = pick(self._mask).astype(np.uint16) << 8 | pick(self._said)
        found = self._found.take(pairs)
        if found.any():
            yield found, 1.0

    def _codes(self, ids: np.ndarray, origin: tuple[int, int], density: float) -> np.ndarray:
        return patterned(ids, origin, density)


def patterned(
    found: np.ndarray, origin: tuple[int, int] = (0, 0), density: float = 1.0
) -> np.ndarray:
    """Verdicts with their stripes: those of what is missed rise, of what is invented fall.

    found: uint8, height x width; origin, density: as in ``colours.codes``.
    """
    period = max(3, round(_STRIPES * density))
    x, y = origin
    rising = diagonals(found.shape, origin, period)
    falling = diagonals(found.shape, (x, -(y + len(found) - 1)), period)[::-1]
    confused = found == Verdict.CONFUSED
    stripes = rising & ((found == Verdict.MISSED) | confused)
    stripes |= falling & ((found == Verdict.INVENTED) | confused)
    return np.where(stripes, np.uint8(STRIPE), found)
