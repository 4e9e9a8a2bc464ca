"""Scores from confusion counts. Void pixels are in no sum and no denominator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts of (truth, predicted) pairs: int64, classes x classes.

    truth, predicted: uint8, height x width, class ids. Pixels that are no class in the truth
    (VOID) are left out; in the prediction they count as background.
    """
    labelled = truth < classes
    true = truth[labelled].astype(np.int64)
    said = predicted[labelled].astype(np.int64)
    said[said >= classes] = 0
    return np.bincount(true * classes + said, minlength=classes * classes).reshape(classes, classes)


def score(confusions: np.ndarray) -> Scores:
    """Scores of a set of images. confusions: int64, images x classes x classes, rows truth.

    Images without a labelled pixel count for nothing. Raises ValueError where none is left.
    """
    labelled = confusions[confusions.sum((1, 2)) > 0]
    if len(labelled) == 0:
        raise ValueError("no labelled pixel to score")
    iou, dice, accuracy = (np.array(v) for v in zip(*map(_one, labelled), strict=True))
    whole_iou, whole_dice, whole_accuracy = _one(labelled.sum(0))
    return Scores(
        float(iou.mean()),
        float(dice.mean()),
        float(accuracy.mean()),
        whole_iou,
        whole_dice,
        whole_accuracy,
    )


def class_ious(matrix: np.ndarray) -> np.ndarray:
    """IoU of each class (float64) from classes x classes counts; NaN where a class is absent."""
    hit = np.diag(matrix).astype(np.float64)
    union = matrix.sum(0) + matrix.sum(1) - hit
    ious: np.ndarray = np.divide(hit, union, out=np.full_like(hit, np.nan), where=union > 0)
    return ious


def _one(matrix: np.ndarray) -> tuple[float, float, float]:
    accuracy = float(np.trace(matrix) / matrix.sum())
    ious = class_ious(matrix)
    if len(matrix) == 2:
        ious = ious[1:]
    if np.isnan(ious).all():
        return 1.0, 1.0, accuracy
    # Dice = 2 IoU / (1 + IoU), class by class.
    return float(np.nanmean(ious)), float(np.nanmean(2 * ious / (1 + ious))), accuracy
