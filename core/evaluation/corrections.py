"""How much people had to correct, over time: is the model getting better, and when to stop.

Read from reviews.jsonl. Of an image only the first approval counts that was not taken back: later
a model may have learnt from its mask, and would seem better than it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import NormalDist, mean, median
from typing import Any

import numpy as np

from core.errors import BadInput, PetSegError
from core.evaluation.metrics import confusion, score
from core.images import image_size
from core.labels import BorderRule, LabelScheme, apply_border_rule, scheme_under
from core.project.project import Project
from core.project.reviews import Review, Status, read_history
from core.spreadsheet import cell

WINDOW = 10
"""So many approvals a rolling mean is of."""

ENOUGH = 20
"""Fewer corrections than these say nothing of a trend."""

LITTLE = 0.03
"""A mean change (1 - Dice) from which on more of the same masks will teach little."""

_MOST = 500  # of the newest a trend is of: it looks at every pair
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Correction:
    """An image's first approval. time: None where the file does not tell; dice: None where there
    was no prediction; see ``Review`` for the others."""

    image: str
    time: datetime | None
    model: str
    dice: float | None
    seconds: float
    strokes: int
    clicks: int


@dataclass(frozen=True)
class Trend:
    """How Dice changes over ten approvals, and the interval that holds it with 95 % confidence."""

    slope: float
    low: float
    high: float


@dataclass(frozen=True)
class ModelShare:
    """What was corrected of one model: approvals, mean Dice, median seconds and strokes."""

    model: str
    masks: int
    dice: float
    seconds: float
    strokes: float


def read_corrections(reviews: Path) -> list[Correction]:
    """The first approval of each image, in order. Raises BadInput where it cannot be read."""
    found: dict[str, Correction] = {}
    last: dict[str, Review] = {}
    try:
        for time, review in read_history(reviews):
            before, last[review.image] = last.get(review.image), review
            if before is not None and _takes_back(review, before):
                found.pop(review.image, None)
            if review.status is Status.APPROVED:
                found.setdefault(
                    review.image,
                    Correction(
                        review.image,
                        time,
                        review.model,
                        review.dice,
                        review.seconds,
                        review.strokes,
                        review.clicks,
                    ),
                )
    except OSError as error:
        raise BadInput(f"Cannot read {reviews}: {error.strerror or error}.") from error
    return list(found.values())


def measured(project: Project, review: Review, mask: np.ndarray | None = None) -> Review:
    """An approval with its Dice against the stored prediction and whose that is.

    mask: uint8, height x width, the one that is approved, read from its file without. Other
    reviews, and masks that cannot be compared, stay as they are. Takes a moment: off the GUI
    thread.
    """
    if review.status is not Status.APPROVED:
        return review
    name, settings = review.image, project.settings
    try:
        size = mask.shape[::-1] if mask is not None else image_size(project.image_path(name))
        said = project.read_prediction(name, (int(size[0]), int(size[1])))
        mask = mask if mask is not None else project.read_mask(name, (int(size[0]), int(size[1])))
    except PetSegError:
        return review  # it is approved all the same
    if said is None or mask is None:
        return review
    record = project.prediction(name)
    return replace(
        review,
        dice=dice_between(mask, said, settings.scheme, settings.border_rule),
        model=record.model if record is not None else review.model,
    )


def dice_between(
    mask: np.ndarray, said: np.ndarray, scheme: LabelScheme, rule: BorderRule
) -> float | None:
    """Dice (0 to 1) of a prediction against a mask, as ``petseg evaluate`` has it of one image.

    mask, said: uint8, height x width, the classes of ``scheme``. None where no pixel is labelled.
    """
    classes = len(scheme_under(scheme, rule).classes)
    truth, predicted = (apply_border_rule(m, scheme, rule) for m in (mask, said))
    counts = confusion(truth, predicted, classes)
    return round(score(counts[None]).dice, 6) if counts.any() else None


def _takes_back(review: Review, before: Review) -> bool:
    """Whether a review says no more than that the approval before it was none."""
    edited = review.status is Status.EDITED and review.mask != before.mask
    return before.status is Status.APPROVED and review.status is not Status.APPROVED and not edited


def rolling_mean(values: Sequence[float], window: int = WINDOW) -> np.ndarray:
    """The mean of each value and those before it, ``window`` at most: float64."""
    sums = np.cumsum(np.concatenate([[0.0], np.asarray(values, np.float64)]))
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - window, 0)
    means: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def dice_trend(corrections: Sequence[Correction]) -> Trend | None:
    """How Dice changes from approval to approval; None of fewer than ENOUGH.

    The Theil-Sen slope: the median over all pairs, which a few odd images do not move; its
    interval by Kendall's statistic (Sen 1968, "Estimates of the regression coefficient based on
    Kendall's tau", with the variance corrected for ties). It knows nothing of how hard the images
    were: who looks at the hardest first sees a rise that is none of the model's.
    """
    y = np.array([c.dice for c in corrections if c.dice is not None][-_MOST:])
    n = len(y)
    if n < ENOUGH:
        return None
    first, second = np.triu_indices(n, 1)
    slopes = np.sort((y[second] - y[first]) / (second - first))
    ties = np.unique(y, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    reach = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2) * np.sqrt(variance)
    low = min(max(round((len(slopes) - reach) / 2) - 1, 0), len(slopes) - 1)
    high = min(max(round((len(slopes) + reach) / 2), 0), len(slopes) - 1)
    a_step = np.median(slopes), slopes[low], slopes[high]
    return Trend(*(10 * float(v) for v in a_step))


def shares(corrections: Sequence[Correction]) -> list[ModelShare]:
    """Model by model, in the order of their first approval."""
    by_model: dict[str, list[Correction]] = {}
    for correction in corrections:
        if correction.dice is not None:
            by_model.setdefault(correction.model, []).append(correction)
    return [
        ModelShare(
            model,
            len(own),
            mean(c.dice for c in own if c.dice is not None),
            median(c.seconds for c in own),
            median(c.strokes for c in own),
        )
        for model, own in by_model.items()
    ]


def advice(corrections: Sequence[Correction]) -> str:
    """In a sentence or two: whether the model gets better, and whether to go on."""
    dices = [c.dice for c in corrections if c.dice is not None]
    trend = dice_trend(corrections)
    if trend is None:
        left = ENOUGH - len(dices)
        more = "one more mask" if left == 1 else f"{left} more masks"
        return f"Too few yet to say whether the model gets better: approve {more} it predicted."
    change = 1 - mean(dices[-ENOUGH:])
    share = "less than 1 %" if change < 0.01 else f"{round(100 * change)} %"
    told = f"The last {ENOUGH} approved masks changed {share} of the object"
    if change <= LITTLE:
        return (
            f"{told}: more of the same will teach little. Look for photos that the model gets "
            "wrong, or stop here."
        )
    if trend.low > 0:
        return f"{told}, and less and less: the model gets better. Go on."
    if trend.high < 0:
        return (
            f"{told}, and more and more: the photos are harder than before, or the model does "
            "not suit them. Train on the new masks."
        )
    return f"{told}. Whether that gets less cannot be told yet: train on the new masks and go on."


def to_json(corrections: Sequence[Correction]) -> dict[str, Any]:
    """What ``petseg corrections --json`` promises."""
    trend = dice_trend(corrections)
    return {
        "corrections": [
            asdict(c) | {"time": c.time.isoformat() if c.time is not None else None}
            for c in corrections
        ],
        "models": [asdict(share) for share in shares(corrections)],
        "trend": None if trend is None else asdict(trend),
        "advice": advice(corrections),
    }


def to_csv(corrections: Sequence[Correction]) -> bytes:
    """A line each, UTF-8."""
    text = io.StringIO()
    columns = ("image", "time", "model", "dice", "seconds", "strokes", "clicks")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for c in corrections:
        time = c.time.isoformat() if c.time is not None else ""
        image, model = cell(c.image), cell(c.model)
        writer.writerow([image, time, model, c.dice, c.seconds, c.strokes, c.clicks])
    return text.getvalue().encode("utf-8", "replace")
