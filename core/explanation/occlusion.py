"""Occlusion: how much less sure the model is once a patch of the photo is covered.

Zeiler, Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2; here
for the mean probability of a class over a region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.explanation.answer import Explanation
from core.explanation.look import Detail, Look, Question, asked_about
from core.inference.prediction import Prediction

Predict = Callable[[np.ndarray], Prediction]

_PATCHES = {Detail.COARSE: 4, Detail.MEDIUM: 8, Detail.FINE: 16}
"""Patches across the longer side, were they put edge to edge."""


@dataclass(frozen=True)
class Covered:
    """How far it is, and what is known so far: ``explanation``."""

    done: int
    total: int
    explanation: Explanation


def explain_by_occlusion(
    predict: Predict, look: Look, question: Question, detail: Detail
) -> Iterator[Covered]:
    """Cover patch after patch with the photo's mean colour; the last item is the result.

    A value is the mean, over the patches that cover the place, of how far the class's mean
    probability in the region fell; where it rose, 0. Patches overlap by half. ``peak`` is the
    largest fall, 0 to 1. predict: what a model says of an image as ``look_at`` gives it. Raises
    BadInput (the model does not know the class) and what ``predict`` raises.
    """

    def plane(pixels: np.ndarray) -> np.ndarray:
        said = predict(pixels)
        summed: np.ndarray = said.small[list(question.members(said.scheme))].sum(0)
        return summed

    whole = plane(look.pixels)
    region, about = asked_about(look, whole, question.name)
    before = float(whole[region].mean())
    height, width = look.pixels.shape[:2]
    side = max(2, round(max(height, width) / _PATCHES[detail]))
    tops, lefts = _starts(height, side), _starts(width, side)
    colour = look.pixels.reshape(-1, 3).mean(0).round().astype(np.uint8)
    falls = np.zeros((height, width), np.float32)
    times = np.zeros((height, width), np.float32)
    grain = side * (look.box[2] - look.box[0]) / width
    total = len(tops) * len(lefts)
    for number in range(total):
        row, column = divmod(number, len(lefts))
        top, left = tops[row], lefts[column]
        patch = np.s_[top : top + side, left : left + side]
        covered = look.pixels.copy()
        covered[patch] = colour
        falls[patch] += before - float(plane(covered)[region].mean())
        times[patch] += 1
        values = np.maximum(falls / np.maximum(times, 1), 0)
        peak = float(values.max())
        found = Explanation(values / (peak or 1.0), look.box, peak, about, grain)
        yield Covered(number + 1, total, found)


def _starts(length: int, side: int) -> list[int]:
    """Where patches begin. All lie whole on the photo: a cut one would cost less for that alone."""
    last = max(length - side, 0)
    return [*range(0, last, max(1, side // 2)), last]
