"""Scoring a folder image by image: native size, border rules, bad files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.evaluation.evaluate import Report, evaluate
from core.evaluation.groups import group_of
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
    return Report(scheme_under(project.settings.scheme, rule), rule, rows)


def halves(_name: str, pixels: np.ndarray) -> np.ndarray:
    """Foreground in the left half: five of ten columns, one of them border."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[:, :5] = 1
    return mask


@pytest.mark.parametrize(
    ("rule", "iou", "accuracy", "floor"),
    [
        (BorderRule.FOREGROUND, 5 / 6, 9 / 10, 6 / 10),
        (BorderRule.BACKGROUND, 4 / 5, 9 / 10, 4 / 10),
        (BorderRule.IGNORE, 4 / 4, 8 / 8, 4 / 8),
    ],
)
def test_the_border_counts_as_the_rule_says(
    oxford: Project, rule: BorderRule, iou: float, accuracy: float, floor: float
):
    value = report(oxford, rule, halves).to_json()
    assert value["per_image"]["iou"] == pytest.approx(iou)
    assert value["dataset"]["pixel_accuracy"] == pytest.approx(accuracy)
    assert value["floor"] == {"iou": pytest.approx(floor)}
    assert value["border"] == rule.value
    assert value["threshold"] == 0.5
    assert list(value["classes"]) == ["background", "pet"]


def test_the_border_can_be_a_class_of_its_own(oxford: Project):
    value = report(oxford, BorderRule.CLASS, halves).to_json()
    assert value["classes"] == {
        "background": pytest.approx(4 / 5),
        "pet": pytest.approx(4 / 5),
        "border": 0,
    }
    assert value["per_image"]["iou"] == pytest.approx((4 / 5 + 4 / 5 + 0) / 3)
    assert value["threshold"] is None


def test_the_report_is_what_the_command_promises(oxford: Project):
    value = report(oxford, BorderRule.FOREGROUND, halves).to_json()
    assert set(value) == {
        "images",
        "skipped",
        "border",
        "threshold",
        "per_image",
        "dataset",
        "classes",
        "floor",
    }
    assert set(value["per_image"]) == set(value["dataset"]) == {"iou", "dice", "pixel_accuracy"}
    assert value["images"] == 3
    assert value["skipped"] == []
    json.dumps(value, allow_nan=False)


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
    assert Report(alone.scheme, alone.rule, (*alone.images, empty)).scores == alone.scores


def test_cats_and_dogs_are_told_apart_in_oxford_only(oxford: Project, make_project):
    groups = {n: group_of(oxford, n) for n in oxford.names}
    assert groups == {"Abyssinian_1.png": "cats", "beagle_3.png": "dogs", "Bombay_2.png": "cats"}
    plain = open_project(make_project(1))
    assert group_of(plain, "Abyssinian_1.jpg") == ""
