"""Scores from confusion counts. Void pixels are in no sum and no denominator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_BAND = 1 << 22  # pixels that are counted at a time: their int64 copies of 100 MP are gigabytes


@dataclass(frozen=True)
class Scores:
    """Means over images, and the same over all pixels of the data set; all in 0 to 1.

    With two classes IoU and Dice are those of the foreground; an image whose truth and prediction
    are both empty scores 1. With more they are means over classes: an image's over those that
    its truth or prediction holds.
    """

    iou: float
    dice: float
    pixel_accuracy: float
    dataset_iou: float
    dataset_dice: float
    dataset_pixel_accuracy: float


@dataclass(frozen=True)
class Overlaps:
    """Measures of overlap: float64 arrays of one shape, 0 to 1."""

    iou: np.ndarray
    dice: np.ndarray
    precision: np.ndarray
    recall: np.ndarray


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts of (truth, predicted) pairs: int64, classes x classes.

    truth, predicted: uint8, height x width, class ids. Pixels that are no class in the truth
    (VOID) are left out; in the prediction they count as background.
    """
    counts = np.zeros(classes * classes, np.int64)
    for rows in bands(truth.shape):
        labelled = truth[rows] < classes
        true = truth[rows][labelled].astype(np.int64)
        said = predicted[rows][labelled].astype(np.int64)
        said[said >= classes] = 0
        counts += np.bincount(true * classes + said, minlength=classes * classes)
    return counts.reshape(classes, classes)


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """The rows of a height x width array in slices of some four million pixels."""
    height, width = shape
    step = max(1, _BAND // max(1, width))
    return (slice(top, top + step) for top in range(0, height, step))


def tallies(confusions: np.ndarray) -> np.ndarray:
    """int64, ... x 3 x classes from ... x classes x classes: pixels of each class that are right,
    that are its truth's, that are its prediction's."""
    hit = np.diagonal(confusions, axis1=-2, axis2=-1)
    return np.stack([hit, confusions.sum(-1), confusions.sum(-2)], axis=-2)


def class_overlaps(tally: np.ndarray) -> Overlaps:
    """Each class's measures (... x classes) from tallies (... x 3 x classes).

    NaN where neither truth nor prediction holds the class; all 0 where only one of them does.
    """
    hit, truth, said = (tally[..., i, :].astype(np.float64) for i in range(3))
    absent = truth + said == 0

    def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        zero = np.where(absent, np.nan, 0.0)
        shares: np.ndarray = np.divide(part, whole, out=zero, where=whole > 0)
        return shares

    return Overlaps(
        share(hit, truth + said - hit),
        share(2 * hit, truth + said),
        share(hit, said),
        share(hit, truth),
    )


def overlaps(tally: np.ndarray) -> Overlaps:
    """The measures of images, or of a data set (...) from tallies (... x 3 x classes).

    Two classes: those of class 1, and 1 where neither truth nor prediction holds it. More: means
    over the classes that truth or prediction holds.
    """
    each = class_overlaps(tally)
    return Overlaps(*(over_classes(v) for v in (each.iou, each.dice, each.precision, each.recall)))


def over_classes(values: np.ndarray) -> np.ndarray:
    """Means over the classes that count (... from ... x classes, NaN: absent); 1 without any."""
    if values.shape[-1] == 2:
        values = values[..., 1:]
    return mean_present(values, 1.0)


def mean_present(values: np.ndarray, none: float) -> np.ndarray:
    """Means over the last axis without its NaNs; ``none`` where there is nothing else."""
    present = ~np.isnan(values)
    count = present.sum(-1)
    total = np.where(present, values, 0.0).sum(-1)
    means: np.ndarray = np.divide(total, count, out=np.full(total.shape, none), where=count > 0)
    return means


def accuracies(tally: np.ndarray) -> np.ndarray:
    """The share of right pixels (...) from tallies (... x 3 x classes)."""
    rates: np.ndarray = tally[..., 0, :].sum(-1) / tally[..., 1, :].sum(-1)
    return rates


def score(confusions: np.ndarray) -> Scores:
    """Scores of a set of images. confusions: int64, images x classes x classes, rows truth.

    Images without a labelled pixel count for nothing. Raises ValueError where none is left.
    """
    labelled = tallies(confusions[confusions.sum((1, 2)) > 0])
    if len(labelled) == 0:
        raise ValueError("no labelled pixel to score")
    each, whole = overlaps(labelled), overlaps(labelled.sum(0))
    return Scores(
        float(each.iou.mean()),
        float(each.dice.mean()),
        float(accuracies(labelled).mean()),
        float(whole.iou),
        float(whole.dice),
        float(accuracies(labelled.sum(0))),
    )


def all_foreground(tally: np.ndarray) -> np.ndarray:
    """The tallies (... x 3 x classes) if class 1 had been said of every pixel."""
    said = np.zeros_like(tally)
    said[..., 1, :] = tally[..., 1, :]
    said[..., 0, 1] = tally[..., 1, 1]
    said[..., 2, 1] = tally[..., 1, :].sum(-1)
    return said
