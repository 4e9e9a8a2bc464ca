"""Scores against their definitions, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.evaluation.metrics import (
    accuracies,
    all_foreground,
    class_overlaps,
    confusion,
    overlaps,
    score,
    tallies,
)
from core.labels import VOID


def masks_of(classes: int, void: bool) -> st.SearchStrategy[np.ndarray]:
    ids = [*range(classes)] + ([VOID] if void else [])
    return hnp.arrays(np.uint8, (5, 6), elements=st.sampled_from(ids))


def overlap(truth: np.ndarray, said: np.ndarray, class_id: int) -> tuple[float, float] | None:
    """IoU and Dice of a class over the labelled pixels, by sets; None where both are empty."""
    pixels = [tuple(p) for p in np.argwhere(truth != VOID)]
    true = {p for p in pixels if truth[p] == class_id}
    guess = {p for p in pixels if said[p] == class_id}
    if not true | guess:
        return None
    hit = len(true & guess)
    return hit / len(true | guess), 2 * hit / (len(true) + len(guess))


def by_hand(truth: np.ndarray, said: np.ndarray, classes: int) -> tuple[float, float, float]:
    """IoU, Dice and pixel accuracy of one image (or of images glued together)."""
    wanted = [1] if classes == 2 else range(classes)
    values = [v for c in wanted if (v := overlap(truth, said, c)) is not None] or [(1.0, 1.0)]
    labelled = truth != VOID
    accuracy = (truth == said)[labelled].mean()
    return float(np.mean([v[0] for v in values])), float(np.mean([v[1] for v in values])), accuracy


@pytest.mark.parametrize("classes", [2, 3, 5])
@given(st.data())
def test_scores_against_brute_force(classes: int, data: st.DataObject):
    count = data.draw(st.integers(1, 4))
    truths = [data.draw(masks_of(classes, void=True)) for _ in range(count)]
    said = [data.draw(masks_of(classes, void=False)) for _ in range(count)]
    counts = np.array([confusion(t, s, classes) for t, s in zip(truths, said, strict=True)])
    labelled = [(t, s) for t, s in zip(truths, said, strict=True) if (t != VOID).any()]
    if not labelled:
        with pytest.raises(ValueError, match="no labelled pixel"):
            score(counts)
        return
    scores = score(counts)
    each = np.array([by_hand(t, s, classes) for t, s in labelled]).mean(0)
    whole = by_hand(
        np.vstack([t for t, _ in labelled]), np.vstack([s for _, s in labelled]), classes
    )
    assert (scores.iou, scores.dice, scores.pixel_accuracy) == pytest.approx(tuple(each))
    assert (
        scores.dataset_iou,
        scores.dataset_dice,
        scores.dataset_pixel_accuracy,
    ) == pytest.approx(whole)


def test_a_case_that_can_be_counted_on_fingers():
    truth = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], np.uint8)
    said = np.array([[1, 1, 0, 0], [0, 1, 0, 0]], np.uint8)
    scores = score(confusion(truth, said, 2)[None])
    assert scores.iou == pytest.approx(2 / 5)
    assert scores.dice == pytest.approx(4 / 7)
    assert scores.pixel_accuracy == pytest.approx(5 / 8)


def test_rows_are_the_truth():
    counts = confusion(np.array([[0, 1]], np.uint8), np.array([[1, 1]], np.uint8), 2)
    assert counts.tolist() == [[0, 1], [0, 1]]
    assert counts.dtype == np.int64


@given(masks_of(3, void=True), masks_of(3, void=False), masks_of(3, void=False))
def test_nothing_under_void_counts(truth: np.ndarray, said: np.ndarray, other: np.ndarray):
    changed = np.where(truth == VOID, other, said)
    np.testing.assert_array_equal(confusion(truth, said, 3), confusion(truth, changed, 3))


def test_a_pixel_that_a_prediction_leaves_void_counts_as_background():
    counts = confusion(np.array([[1, 0]], np.uint8), np.array([[VOID, VOID]], np.uint8), 2)
    assert counts.tolist() == [[1, 0], [1, 0]]


def test_an_empty_truth_that_was_found_empty_scores_1():
    empty = np.zeros((3, 3), np.uint8)
    scores = score(confusion(empty, empty, 2)[None])
    assert (scores.iou, scores.dice, scores.pixel_accuracy) == (1, 1, 1)


def test_an_empty_truth_with_a_single_false_pixel_scores_0():
    empty = np.zeros((3, 3), np.uint8)
    scores = score(confusion(empty, np.eye(3, dtype=np.uint8), 2)[None])
    assert (scores.iou, scores.dice) == (0, 0)


def test_an_all_void_image_is_in_no_mean():
    truth, void = np.ones((2, 2), np.uint8), np.full((2, 2), VOID, np.uint8)
    counts = np.array([confusion(t, truth * 0, 2) for t in (truth, void)])
    assert score(counts) == score(counts[:1])


def test_absent_classes_are_no_number():
    ious = class_overlaps(tallies(np.diag([4, 0, 2]))).iou
    assert ious[0] == ious[2] == 1
    assert np.isnan(ious[1])


@pytest.mark.parametrize("counts", [[[3, 0], [2, 0]], [[3, 2], [0, 0]]])
def test_an_object_that_only_one_of_the_two_has_scores_0_in_everything(counts: list):
    found = overlaps(tallies(np.array(counts)))
    assert (found.iou, found.dice, found.precision, found.recall) == (0, 0, 0, 0)


@pytest.mark.parametrize("classes", [2, 3])
def test_as_scikit_learn_on_100_images(animal, classes: int):
    """Drawn animals and masks with a tenth of their pixels changed by chance."""
    chance = np.random.default_rng(classes)
    for seed in range(100):
        truth = animal(seed % 20, 48, 40)[1].copy()
        if classes == 3:
            truth[:10] *= 2
        said = np.where(chance.random(truth.shape) < 0.1, chance.integers(0, classes, 1), truth)
        said = np.roll(said, seed // 20, axis=1).astype(np.uint8)
        truth[chance.random(truth.shape) < 0.05] = VOID
        matrix = confusion(truth, said, classes)
        labelled = truth != VOID
        check(matrix, truth[labelled], said[labelled], classes)


def check(matrix: np.ndarray, truth: np.ndarray, said: np.ndarray, classes: int) -> None:
    from sklearn.metrics import (
        accuracy_score,
        f1_score,
        jaccard_score,
        precision_score,
        recall_score,
    )

    # Labels that neither holds are no part of scikit-learn's means either, unless asked for.
    present = [1] if classes == 2 else sorted({*truth, *said})
    found = overlaps(tallies(matrix))
    for ours, theirs in (
        (found.iou, jaccard_score),
        (found.dice, f1_score),
        (found.precision, precision_score),
        (found.recall, recall_score),
    ):
        expected = theirs(truth, said, labels=present, average="macro", zero_division=0)
        assert ours == pytest.approx(expected, abs=1e-6)
    assert accuracies(tallies(matrix)) == pytest.approx(accuracy_score(truth, said), abs=1e-6)


def test_large_masks_are_counted_in_parts():
    truth = np.zeros((3, 5_000_000), np.uint8)
    truth[1, ::2] = 1
    truth[2] = VOID
    counts = confusion(truth, np.ones_like(truth), 2)
    assert counts.tolist() == [[0, 7_500_000], [0, 2_500_000]]


@given(masks_of(2, void=True), masks_of(2, void=False))
def test_the_floor_is_what_saying_foreground_everywhere_scores(truth: np.ndarray, said: np.ndarray):
    floor = all_foreground(tallies(confusion(truth, said, 2)))
    np.testing.assert_array_equal(floor, tallies(confusion(truth, np.ones_like(truth), 2)))
