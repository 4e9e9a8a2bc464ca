"""Calibration and the threshold curve against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.evaluation.calibration import (
    BINS,
    THRESHOLDS,
    calibrate,
    histogram,
    threshold_curve,
    threshold_ious,
)
from core.evaluation.metrics import confusion, score
from core.inference.prediction import to_bytes
from core.labels import VOID

PICTURES = st.tuples(
    hnp.arrays(np.uint8, (6, 7)),
    hnp.arrays(np.uint8, (6, 7), elements=st.sampled_from([0, 1, VOID])),
).filter(lambda pair: bool((pair[1] != VOID).any()))


def counts_of(level: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return histogram(level, truth == 1, truth != VOID)


@given(PICTURES)
def test_the_calibration_error_by_its_definition(picture: tuple[np.ndarray, np.ndarray]):
    level, truth = picture
    found = calibrate(counts_of(level, truth), "object")
    labelled = truth != VOID
    probability, true = level[labelled] / 255, truth[labelled] == 1
    error, seen = 0.0, 0
    for i in range(BINS):
        last = i == BINS - 1
        inside = (probability >= i / BINS) & ((probability < (i + 1) / BINS) | last)
        assert found.bins[i].pixels == inside.sum()
        seen += int(inside.sum())
        if inside.any():
            gap = abs(probability[inside].mean() - true[inside].mean())
            error += inside.sum() / labelled.sum() * gap
            assert found.bins[i].frequency == pytest.approx(true[inside].mean())
        else:
            assert found.bins[i].probability is None
    assert seen == labelled.sum()
    assert found.ece == pytest.approx(error)


def test_probabilities_that_hold_what_they_say_have_no_error():
    level = np.repeat(np.uint8([51, 204]), 50).reshape(10, 10)  # 0.2 and 0.8
    truth = np.zeros(100, np.uint8)
    truth[:10] = truth[60:] = 1  # of the first fifty 10, of the others 40
    found = calibrate(counts_of(level, truth.reshape(10, 10)), "object")
    assert found.ece == pytest.approx(0)
    sure = calibrate(counts_of(np.full((10, 10), 255, np.uint8), truth.reshape(10, 10)), "object")
    assert sure.ece == pytest.approx(0.5)


@given(st.lists(PICTURES, min_size=1, max_size=3))
def test_each_point_of_the_curve_is_what_that_threshold_scores(pictures: list):
    counts = np.array([counts_of(*picture) for picture in pictures])
    ious = np.mean([threshold_ious(c) for c in counts], axis=0)
    for point in threshold_curve(ious, counts.sum(0))[4::15]:
        matrices = np.array(
            [
                confusion(truth, (level >= point.threshold * 255).astype(np.uint8), 2)
                for level, truth in pictures
            ]
        )
        scores = score(matrices)
        assert point.iou == pytest.approx(scores.iou)
        assert point.dataset_iou == pytest.approx(scores.dataset_iou)
        (_, invented), (missed, hit) = matrices.sum(0)
        if hit:
            assert point.precision == pytest.approx(hit / (hit + invented))
            assert point.recall == pytest.approx(hit / (hit + missed))
        else:
            assert point.precision == point.recall == point.dataset_iou


@given(hnp.arrays(np.float32, 50, elements=st.floats(0, 1, width=32)))
def test_half_of_the_levels_is_half_of_the_probability(probability: np.ndarray):
    at = list(THRESHOLDS).index(0.5)
    counts = histogram(to_bytes(probability)[None], np.ones((1, 50), bool), np.ones((1, 50), bool))
    said = threshold_ious(counts)[at] * 50
    assert said == pytest.approx((probability >= 0.5).sum())
