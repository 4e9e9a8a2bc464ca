"""What the curves of a training say, in plain words.

A few epochs on a few images are noisy: what is compared are medians of three epochs, and nothing
is said to be wrong before there were enough of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from core.training.config import TrainConfig
from core.training.events import Epoch
from core.training.progress import RunState

Kind = Literal[
    "early", "learning", "level", "overfitting", "stuck", "better", "no_better", "done", "failed"
]

FEW_IMAGES = 5
"""With fewer validation images one of them moves the mean IoU by a quarter and more."""

_WINDOW = 3
_MOST_EPOCHS = 150
# Overfitting: the loss on val has risen by a tenth, or its IoU fallen by two points, over what
# was best; both are more than seeds differ by on some ten images.
_LOSS_RISE = 1.10
_IOU_FALL = 0.02
# Not learning: less than a fiftieth of the loss and a point of IoU in three epochs.
_LOSS_FALL = 0.98
_IOU_RISE = 0.01
_LEVEL = 0.003  # half a point of IoU in six epochs is not worth the wait
_ALL, _NOTHING = 0.995, 0.002  # shares of the pixels
_GOOD = 0.6  # a model that starts here has learnt before


@dataclass(frozen=True)
class Verdict:
    """text: one short sentence; advice: what to do about it, or ""."""

    kind: Kind
    text: str
    advice: str = ""

    @property
    def warning(self) -> bool:
        """Whether a person should do something."""
        return self.kind in ("overfitting", "stuck", "no_better", "failed")


def verdict(progress: RunState, config: TrainConfig) -> Verdict:
    """What the run's events say of it so far, or in the end."""
    if progress.failed is not None or progress.death is not None:
        return Verdict("failed", "The training failed.", _kept(progress.epochs))
    if progress.finished is not None:
        return _of_finished(progress, config)
    return _unsure(_of_curves(_thinned(progress.epochs), config), progress)


def _of_curves(epochs: Sequence[Epoch], config: TrainConfig) -> Verdict:
    if not epochs:
        return Verdict("early", "The first epoch is under way.")
    wrong = _of_masks(epochs[-1])
    if wrong is not None:
        return wrong
    if len(epochs) < _WINDOW:
        return Verdict("early", "Too early to say: a verdict needs three epochs.")
    alike = _of_one_loss(epochs, config)
    return (
        _not_learning(alike, config) or _overfitting(alike) or _level(epochs) or _learning(epochs)
    )


def _of_finished(progress: RunState, config: TrainConfig) -> Verdict:
    finished, gain = progress.finished, progress.gain
    if finished is None or not finished.model or finished.val is None:
        return Verdict("done", "The training is over; no model was kept.")
    curves = _of_curves(_thinned(progress.epochs), config)
    advice = curves.advice if curves.warning else ""
    if gain is None:
        text = f"Val IoU {finished.val.iou:.3f}: the model of epoch {finished.best_epoch} is kept."
        return _unsure(Verdict("done", text, advice), progress)
    if gain.better:
        text = f"Better than the model it started from: val IoU {gain}."
        return _unsure(Verdict("better", text, advice), progress)
    text = f"No better than the model it started from: val IoU {gain}."
    advice = advice or "Keep that model; more corrected masks help most."
    return _unsure(Verdict("no_better", text, advice), progress)


def _of_masks(epoch: Epoch) -> Verdict | None:
    """What the masks alone make impossible."""
    truth = epoch.train.truth_foreground
    if truth == 0:
        return Verdict(
            "stuck",
            "Nothing can be learnt: every mask is empty.",
            "Paint what is to be found, and approve those masks.",
        )
    if truth == 1:
        return Verdict(
            "stuck",
            "Nothing can be learnt: the masks hold no background.",
            "Check the masks: background must be left unpainted.",
        )
    return None


def _thinned(epochs: Sequence[Epoch]) -> Sequence[Epoch]:
    """Of thousands of epochs some hundreds: the last ones, the best, and others evenly."""
    if len(epochs) <= 2 * _MOST_EPOCHS:
        return epochs
    best = max((i for i, e in enumerate(epochs) if e.best), default=0)
    last = range(len(epochs) - 2 * _WINDOW, len(epochs))
    return [
        epochs[i]
        for i in sorted({*range(0, len(epochs), len(epochs) // _MOST_EPOCHS), best, *last})
    ]


def _of_one_loss(epochs: Sequence[Epoch], config: TrainConfig) -> list[Epoch]:
    """The epochs that minimised what the last one did: other losses cannot be compared."""
    switch = config.epochs - config.lovasz_epochs
    return [e for e in epochs if (e.epoch > switch) == (epochs[-1].epoch > switch)]


def _not_learning(epochs: Sequence[Epoch], config: TrainConfig) -> Verdict | None:
    if len(epochs) < _WINDOW:
        return None
    said, truth = _last(epochs, _said), _last(epochs, _truth)
    rate = f"{config.learning_rate:g}"
    if not math.isnan(said + truth):
        if said >= _ALL and truth < _ALL - 0.1:
            return Verdict(
                "stuck",
                "Not learning: it calls everything foreground.",
                f"Check that the masks are not inverted; try a learning rate below {rate}.",
            )
        if said <= _NOTHING < truth:
            return Verdict(
                "stuck",
                "Not learning: it calls everything background.",
                "Check for empty masks; small objects need a larger image size, "
                "balanced class weights or a loss with Dice.",
            )
    losses = [e.train.loss for e in epochs]
    first, last = losses[0], median(losses[-_WINDOW:])
    risen = _last(epochs, _iou) - epochs[0].val.scores.iou
    if last < first * _LOSS_FALL or risen >= _IOU_RISE or epochs[0].val.scores.iou >= _GOOD:
        return None
    jumps = sum(after > before for before, after in pairwise(losses))
    if last > first or 2 * jumps > len(losses):
        advice = f"The loss jumps: try a learning rate below {rate}, a tenth of it."
    else:
        advice = f"The loss hardly moves: try a learning rate above {rate}, ten times as much."
    return Verdict("stuck", "Not learning: the loss does not fall.", f"{advice} {_CHECK}")


_CHECK = "Check the masks too: do they fit their images?"


def _overfitting(epochs: Sequence[Epoch]) -> Verdict | None:
    """Train gets better, val worse, since the epoch that was best on val."""
    if len(epochs) <= _WINDOW:
        return None
    losses, ious = _smooth(epochs, _val_loss), _smooth(epochs, _iou)
    by_loss, by_iou = losses.index(min(losses)), ious.index(max(ious))
    # A rising loss alone, while the IoU still rises, is over-confidence: no harm to the masks.
    worse_loss = losses[-1] > losses[by_loss] * _LOSS_RISE and ious[-1] <= ious[by_loss]
    worse_iou = ious[-1] < ious[by_iou] - _IOU_FALL
    if not (worse_loss or worse_iou):
        return None
    best = min(i for i, worse in ((by_loss, worse_loss), (by_iou, worse_iou)) if worse)
    train = _smooth(epochs, lambda e: e.train.loss)
    if len(epochs) - 1 - best < _WINDOW or train[-1] >= train[best] * _LOSS_FALL:
        return None
    since = epochs[best].epoch
    text = f"Overfitting since epoch {since}: better on train, worse on val."
    advice = f"{_kept(epochs)} More masks or stronger augmentation help; more epochs do not."
    return Verdict("overfitting", text, advice.strip())


def _level(epochs: Sequence[Epoch]) -> Verdict | None:
    if len(epochs) < 2 * _WINDOW:
        return None
    before, now = (
        median(map(_iou, part)) for part in (epochs[-2 * _WINDOW : -_WINDOW], epochs[-_WINDOW:])
    )
    if abs(now - before) > _LEVEL:
        return None
    return Verdict("level", f"Val IoU has levelled off at {now:.3f}.", "More masks help most now.")


def _unsure(said: Verdict, progress: RunState) -> Verdict:
    images = progress.started.val_images if progress.started is not None else FEW_IMAGES
    if images >= FEW_IMAGES or said.kind == "early":
        return said
    noun = "image is" if images == 1 else "images are"
    doubt = f"{images} validation {noun} too few to be sure."
    return Verdict(said.kind, said.text, f"{said.advice} {doubt}".strip())


def _kept(epochs: Sequence[Epoch]) -> str:
    best = next((e for e in reversed(epochs) if e.best), None)
    return f"The model of epoch {best.epoch} is kept." if best is not None else ""


def _learning(epochs: Sequence[Epoch]) -> Verdict:
    first, last = _iou(epochs[0]), _iou(epochs[-1])
    where = "Learning" if last >= first else "Learning on train, not yet on val"
    return Verdict("learning", f"{where}: val IoU {first:.3f} → {last:.3f}.")


def _smooth(epochs: Sequence[Epoch], value: Callable[[Epoch], float]) -> list[float]:
    """The running median over three epochs: each and its neighbours; at the ends the outer ones."""
    values = [value(e) for e in epochs]
    starts = (min(max(i - 1, 0), len(values) - _WINDOW) for i in range(len(values)))
    return [median(values[i : i + _WINDOW]) for i in starts]


def _last(epochs: Sequence[Epoch], value: Callable[[Epoch], float]) -> float:
    return median(map(value, epochs[-_WINDOW:]))


def _iou(epoch: Epoch) -> float:
    return epoch.val.scores.iou


def _val_loss(epoch: Epoch) -> float:
    return epoch.val.loss


def _said(epoch: Epoch) -> float:
    return math.nan if epoch.val.foreground is None else epoch.val.foreground


def _truth(epoch: Epoch) -> float:
    return math.nan if epoch.val.truth_foreground is None else epoch.val.truth_foreground
