"""How far a mask and a prediction agree: the figures beside the pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.evaluation.metrics import confusion, score
from core.labels import BorderRule, LabelScheme, apply_border_rule, scheme_under

_BAND_PIXELS = 1 << 20  # counted at a time: a few milliseconds


@dataclass(frozen=True)
class Agreement:
    """Dice and IoU, 0 to 1; None where no pixel is labelled."""

    dice: float | None
    iou: float | None


def agreement(
    mask: np.ndarray,
    said: np.ndarray,
    scheme: LabelScheme,
    rule: BorderRule,
    value: int | None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Agreement:
    """Compare a mask with a prediction, as ``petseg evaluate`` does with one image.

    mask, said: uint8, height x width; value: the class that is looked at, None: all of them.
    """
    classes = len(scheme_under(scheme, rule).classes)
    counts = np.zeros((classes, classes), np.int64)
    rows = max(1, _BAND_PIXELS // max(mask.shape[1], 1))
    for top in range(0, len(mask), rows):
        if cancelled():
            break
        truth, theirs = (apply_border_rule(m[top : top + rows], scheme, rule) for m in (mask, said))
        counts += confusion(truth, theirs, classes)
    if value is not None and value < classes:
        counts = _one_class(counts, value)
    if not counts.any():
        return Agreement(None, None)
    found = score(counts[None])
    return Agreement(found.dice, found.iou)


def _one_class(counts: np.ndarray, value: int) -> np.ndarray:
    """The counts (classes x classes) of a class against all others: int64, 2 x 2."""
    both, mine, theirs = counts[value, value], counts[value].sum(), counts[:, value].sum()
    return np.array(
        [[counts.sum() - mine - theirs + both, theirs - both], [mine - both, both]], np.int64
    )
