"""Whether probabilities can be taken at their word, and what other thresholds would score.

All of it from integer histograms: pixels by their probability, 0 to 255 for 0 to 1, and by what is
true of them. So no image needs to be kept.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from core.evaluation.metrics import bands
from core.evaluation.result import Bin, Calibration, ThresholdPoint

LEVELS = 256
BINS = 15  # Guo et al. 2017
THRESHOLDS = np.arange(1, 100) / 100
_TOP = LEVELS - 1
# Said "object" is what is as likely as the threshold, or likelier.
_FIRST_LEVELS = np.ceil(THRESHOLDS * _TOP - 1e-9).astype(int)


def histogram(level: np.ndarray, true: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """int64, 2 x 256: pixels by whether it is true of them, and by level.

    level: uint8, height x width; true, counted: bool, height x width; others are left out.
    """
    counts = np.zeros(2 * LEVELS, np.int64)
    for rows in bands(level.shape):
        keys = level[rows].astype(np.int64) + LEVELS * true[rows]
        counts += np.bincount(keys[counted[rows]], minlength=2 * LEVELS)
    return counts.reshape(2, LEVELS)


def calibrate(counts: np.ndarray, of: Literal["object", "answer"]) -> Calibration:
    """Reliability in fifteen bins of equal width, and the expected calibration error.

    counts: int64, 2 x 256, summed over images. ECE = sum over bins of its share of all pixels x
    |its mean probability - the share of its pixels that it is true of| (Naeini et al. 2015).
    """
    level = np.arange(LEVELS)
    of_level = np.minimum(level * BINS // _TOP, BINS - 1)
    total = counts.sum()
    bins, ece = [], 0.0
    for i in range(BINS):
        inside = counts[:, of_level == i]
        pixels = int(inside.sum())
        probability = frequency = None
        if pixels:
            probability = float((inside.sum(0) * level[of_level == i]).sum() / pixels / _TOP)
            frequency = float(inside[1].sum() / pixels)
            ece += pixels / total * abs(probability - frequency)
        bins.append(
            Bin(
                low=i / BINS,
                high=(i + 1) / BINS,
                pixels=pixels,
                probability=probability,
                frequency=frequency,
            )
        )
    return Calibration(of=of, bins=bins, ece=ece)


def threshold_ious(counts: np.ndarray) -> np.ndarray:
    """IoU of the object at each of THRESHOLDS (float64) from 2 x 256 counts; 1 where neither the
    truth nor the prediction holds any."""
    right, wrong, truth = _said(counts)
    either = truth + wrong
    ious: np.ndarray = np.divide(right, either, out=np.ones(len(right)), where=either > 0)
    return ious


def threshold_curve(ious: np.ndarray, counts: np.ndarray) -> list[ThresholdPoint]:
    """The curve from the images' mean IoU at each threshold and the counts of the data set."""
    right, wrong, truth = _said(counts)
    dataset = threshold_ious(counts)
    # As in all scores: 0 where only one of truth and prediction is empty, 1 where both are.
    empty = np.where((truth + wrong) == 0, 1.0, 0.0)
    precision = np.divide(right, right + wrong, out=empty.copy(), where=right + wrong > 0)
    recall = right / truth if truth else empty
    return [
        ThresholdPoint(
            threshold=float(t),
            iou=float(ious[i]),
            dataset_iou=float(dataset[i]),
            precision=float(precision[i]),
            recall=float(recall[i]),
        )
        for i, t in enumerate(THRESHOLDS)
    ]


def _said(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Pixels rightly and wrongly called object at each threshold; the object's pixels."""
    from_level_on = counts[:, ::-1].cumsum(1)[:, ::-1]
    wrong, right = from_level_on[:, _FIRST_LEVELS]
    return right, wrong, int(counts[1].sum())
