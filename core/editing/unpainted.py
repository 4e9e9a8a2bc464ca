"""Where nobody painted, and unpainted means unlabelled: what a prediction puts there."""

from __future__ import annotations

import numpy as np

from core.editing.history import Edit, compare
from core.labels import VOID


def fill_unpainted(mask: np.ndarray, prediction: np.ndarray | None) -> tuple[Edit | None, bool]:
    """The edit that gives void pixels what the prediction says of them, and if any class is left.

    mask, prediction: uint8, height x width, class ids and VOID; neither is written. The edit is
    None where nothing changes; False: every pixel would still be void.
    """
    if prediction is None:
        return None, bool((mask != VOID).any())
    filled = np.where(mask == VOID, prediction, mask)
    return compare(mask, filled, "Take prediction"), bool((filled != VOID).any())
