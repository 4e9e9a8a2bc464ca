"""The corrective record: what is read of it, its trend, and what it advises."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import theilslopes

from core.evaluation.corrections import (
    ENOUGH,
    Correction,
    advice,
    dice_between,
    dice_trend,
    measured,
    read_corrections,
    rolling_mean,
    shares,
    to_csv,
    to_json,
)
from core.labels import PET, TRIMAP, VOID, BorderRule
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Review, Status, append_review, read_reviews


def corrections(dices: Sequence[float | None], model: str = "m") -> list[Correction]:
    return [Correction(f"{i}.jpg", None, model, d, 10.0 + i, i, i) for i, d in enumerate(dices)]


def test_only_the_first_approval_of_an_image_counts(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    approved = Status.APPROVED
    for review in (
        Review("a", Status.EDITED, seconds=3),
        Review("a", approved, "1", "old", 12.5, 4, 9, 0.8),
        Review("b", approved, "2", "old", 5, 1),
        Review("a", Status.EDITED, "3", "new", 20, 5),
        Review("a", approved, "3", "new", 20, 5, 11, 0.99),
    ):
        append_review(path, review)
    a, b = read_corrections(path)
    assert (a.image, a.model, a.dice, a.seconds, a.strokes, a.clicks) == (
        "a",
        "old",
        0.8,
        12.5,
        4,
        9,
    )
    assert a.time is not None
    assert b.dice is None
    assert read_reviews(path)["a"].dice == 0.99


@pytest.mark.parametrize(
    "after",
    [Review("a", Status.PREDICTED), Review("a", Status.EDITED, "1")],
    ids=["a prediction again", "to be edited"],
)
def test_an_approval_that_was_taken_back_does_not_count(tmp_path: Path, after: Review) -> None:
    path = tmp_path / "reviews.jsonl"
    for review in (
        Review("a", Status.APPROVED, "1", dice=1.0),
        after,
        Review("a", Status.EDITED, "2"),
        Review("a", Status.APPROVED, "2", dice=0.6),
    ):
        append_review(path, review)
    assert [c.dice for c in read_corrections(path)] == [0.6]


def test_files_of_before_and_of_anyone_are_read(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    lines = [
        {"image": "old", "status": "approved", "mask": "", "model": "", "seconds": 4, "strokes": 2},
        {"image": "odd", "status": "approved", "dice": "nan", "clicks": [], "time": "yesterday"},
        {"image": "far", "status": "approved", "dice": 17},
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + '\n{"image": "to')
    old, odd, far = read_corrections(path)
    assert (old.dice, old.clicks, old.seconds, old.time) == (None, 0, 4.0, None)
    assert (odd.dice, odd.clicks, odd.time) == (None, 0, None)
    assert far.dice is None
    assert read_corrections(tmp_path / "none.jsonl") == []


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(1, 12))
def test_a_rolling_mean_is_of_each_and_those_before(values: list[float], window: int) -> None:
    expected = [np.mean(values[max(0, i - window + 1) : i + 1]) for i in range(len(values))]
    assert rolling_mean(values, window) == pytest.approx(expected)


@pytest.mark.parametrize("digits", [6, 1], ids=["all different", "many ties"])
@pytest.mark.parametrize("rise", [0.0, 0.01])
def test_the_trend_is_scipy_s(rise: float, digits: int) -> None:
    rng = np.random.default_rng(3)
    y = np.round(np.clip(0.5 + rise * np.arange(40) + rng.normal(0, 0.05, 40), 0, 1), digits)
    trend = dice_trend(corrections([float(v) for v in y]))
    assert trend is not None
    expected = theilslopes(y, np.arange(40), 0.95)
    assert trend.slope == pytest.approx(10 * expected.slope)
    assert trend.low == pytest.approx(10 * expected.low_slope)
    assert trend.high == pytest.approx(10 * expected.high_slope)
    assert (trend.low > 0) == (rise > 0)


def test_of_too_few_no_trend_is_told() -> None:
    few = corrections([0.5] * (ENOUGH - 1) + [None] * 9)
    assert dice_trend(few) is None
    assert "approve one more mask" in advice(few)


RISING = [0.5 + 0.01 * i for i in range(30)]


@pytest.mark.parametrize(
    ("dices", "words"),
    [
        ([0.99] * 30, "changed 1 % of the object: more of the same will teach little"),
        ([1.0] * 30, "changed less than 1 %"),
        (RISING, "the model gets better. Go on."),
        (RISING[::-1], "more and more: the photos are harder"),
        ([0.8, 0.9] * 15, "cannot be told yet"),
    ],
    ids=["enough", "perfect", "better", "worse", "level"],
)
def test_the_advice_follows_the_last_corrections(dices: list[float], words: str) -> None:
    assert words in advice(corrections(dices))


def test_the_border_rule_decides_what_dice_compares() -> None:
    mask = np.array([[1, 1, 2, 0]], np.uint8)
    said = np.array([[1, 1, 0, 0]], np.uint8)
    assert dice_between(mask, said, TRIMAP, BorderRule.FOREGROUND) == 0.8
    assert dice_between(mask, said, TRIMAP, BorderRule.IGNORE) == 1.0
    assert dice_between(np.full_like(mask, VOID), said, PET, BorderRule.FOREGROUND) is None


def test_an_approval_is_measured_against_the_stored_prediction(
    make_project: Callable[..., Path],
) -> None:
    project = open_project(make_project(images=2, masked=1))
    name, bare = project.names
    mask = project.read_mask(name)
    assert mask is not None
    said = np.roll(mask, 6, axis=0)
    project.save_prediction(name, said, PredictionRecord(name, "model-1"))
    review = Review(name, Status.APPROVED, model="another")
    expected = 2 * int((mask & said).sum()) / int(mask.sum() + said.sum())
    for given_mask in (mask, None):
        found = measured(project, review, given_mask)
        assert found.dice == pytest.approx(expected, abs=1e-6)
        assert found.model == "model-1"
    edited = Review(name, Status.EDITED)
    assert measured(project, edited, mask) == edited
    unpredicted = Review(bare, Status.APPROVED)
    assert measured(project, unpredicted, mask) == unpredicted


def test_a_summary_for_each_model_and_files_for_others() -> None:
    rows = corrections([0.8, None, 0.9], "one") + corrections([1.0], "=two")
    one, two = shares(rows)
    assert (one.model, one.masks, one.dice, one.seconds) == ("one", 2, pytest.approx(0.85), 11.0)
    assert (two.model, two.masks) == ("=two", 1)
    table = list(csv.DictReader(io.StringIO(to_csv(rows).decode())))
    assert [row["dice"] for row in table] == ["0.8", "", "0.9", "1.0"]
    assert "./=two" in [row["model"] for row in table]  # no formula
    assert json.loads(json.dumps(to_json(rows)))["corrections"][0]["image"] == "0.jpg"
