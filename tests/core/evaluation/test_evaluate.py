"""Scoring a folder image by image: native size, border rules, bad files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.evaluation.evaluate import Report, evaluate
from core.labels import VOID, BorderRule, scheme_under
from core.project.project import Project, open_project

TRUTH = np.array([[1] * 4 + [3] * 2 + [2] * 4] * 6, np.uint8)  # pet, border, background


@pytest.fixture
def oxford(tmp_path: Path) -> Project:
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations" / "trimaps").mkdir(parents=True)
    for name in ("Abyssinian_1", "Bombay_2", "beagle_3"):
        Image.new("RGB", (10, 6)).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(TRUTH).save(tmp_path / "annotations" / "trimaps" / f"{name}.png")
    return open_project(tmp_path)


def report(
    project: Project,
    rule: BorderRule,
    predict: Callable[[str, np.ndarray], np.ndarray],
) -> Report:
    rows = tuple(evaluate(project, project.names, predict, rule))
    return Report(scheme_under(project.settings.scheme, rule), rows)


def halves(_name: str, pixels: np.ndarray) -> np.ndarray:
    """Foreground in the left half: five of ten columns, one of them border."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[:, :5] = 1
    return mask


@pytest.mark.parametrize(
    ("rule", "iou", "accuracy"),
    [
        (BorderRule.FOREGROUND, 5 / 6, 9 / 10),
        (BorderRule.BACKGROUND, 4 / 5, 9 / 10),
        (BorderRule.IGNORE, 4 / 4, 8 / 8),
        (BorderRule.CLASS, (4 / 5 + 4 / 5 + 0) / 3, 8 / 10),
    ],
)
def test_the_border_counts_as_the_rule_says(
    oxford: Project, rule: BorderRule, iou: float, accuracy: float
):
    scores = report(oxford, rule, halves).scores
    assert (scores.iou, scores.dataset_iou) == pytest.approx((iou, iou))
    assert scores.dataset_pixel_accuracy == pytest.approx(accuracy)


def test_bad_files_are_skipped_with_their_reason_and_the_rest_is_scored(oxford: Project):
    (oxford.layout.images / "Bombay_2.png").write_bytes(b"")
    Image.fromarray(TRUTH[:3]).save(oxford.layout.trimaps / "beagle_3.png")
    result = report(oxford, BorderRule.FOREGROUND, halves)
    assert len(result.counts) == 1
    reasons = {s.image: s.reason for s in result.skipped}
    assert "empty" in reasons["Bombay_2.png"]
    assert "10 x 3 pixels, its photo 10 x 6" in reasons["beagle_3.png"]


def test_an_image_without_a_mask_is_skipped(make_project):
    project = open_project(make_project(2, 1))
    result = report(project, BorderRule.FOREGROUND, halves)
    assert [(s.image, s.reason) for s in result.skipped] == [("animal-1.png", "it has no mask")]


def test_a_prediction_of_another_size_is_skipped(oxford: Project):
    result = report(oxford, BorderRule.FOREGROUND, lambda _n, _p: np.zeros((5, 10), np.uint8))
    assert "10 x 5 pixels, the image 10 x 6" in result.skipped[0].reason
    with pytest.raises(BadInput, match="No image with a labelled mask"):
        _ = result.scores


def test_an_unlabelled_mask_counts_for_nothing(make_project):
    void = open_project(make_project(1, folder="void", change=lambda m: np.full_like(m, VOID)))
    with pytest.raises(BadInput, match="No image with a labelled mask"):
        _ = report(void, BorderRule.FOREGROUND, halves).scores
    drawn = open_project(make_project(2, folder="drawn"))
    alone = report(drawn, BorderRule.FOREGROUND, halves)
    (empty,) = evaluate(void, void.names, halves, BorderRule.FOREGROUND)
    assert Report(alone.scheme, (*alone.images, empty)).scores == alone.scores
