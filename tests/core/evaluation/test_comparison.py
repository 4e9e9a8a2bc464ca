"""Two evaluations: paired intervals, the verdict, what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.evaluation.comparison import compare
from core.evaluation.result import Evaluation
from core.evaluation.sources import Answer
from core.labels import BorderRule
from core.project.project import Project


def short_by(even: int, odd: int | None = None):
    """Answers: the object without its last rows, so many in images of even and of odd number."""

    def say(name: str, pixels: np.ndarray) -> Answer:
        number = int(name[:2])
        missing = odd if odd is not None and number % 2 else even
        mask = np.zeros(pixels.shape[:2], np.uint8)
        mask[: 10 + number - missing] = 1
        return Answer(mask)

    return say


@pytest.fixture
def project(masks_project) -> Project:
    """Sixteen images whose first 10 to 25 rows are object."""
    return masks_project(
        {f"{i:02}.png": np.repeat(np.arange(30) < 10 + i, 30).reshape(30, 30).astype(np.uint8)
         for i in range(16)}
    )  # fmt: skip


@pytest.fixture
def both(project: Project, judge) -> tuple[Evaluation, Evaluation]:
    return (
        judge(project, short_by(3), "Old").evaluation,
        judge(project, short_by(1), "New").evaluation,
    )


def test_a_clear_gain_is_told_with_its_interval(both):
    found = compare(*both)
    iou = found.per_image["iou"]
    assert iou.difference == pytest.approx(both[1].per_image.iou - both[0].per_image.iou)
    assert iou.interval is not None
    assert 0 < iou.interval[0] < iou.difference < iou.interval[1]
    assert found.dataset["iou"].a == pytest.approx(both[0].dataset.iou)
    assert found.verdict == "b"
    assert found.words.startswith("New is better than Old: its IoU per image is 0.1")
    turned = compare(both[1], both[0])
    assert turned.verdict == "a"
    assert turned.words == found.words  # the interval, too, is said of the better one


def test_the_interval_is_that_of_the_images_differences(both):
    iou = compare(*both).per_image["iou"]
    assert iou.interval is not None
    gains = np.array([b.iou - a.iou for a, b in zip(both[0].rows, both[1].rows, strict=True)])
    half = 1.96 * gains.std() / 4  # of a mean of sixteen
    assert iou.interval == pytest.approx((gains.mean() - half, gains.mean() + half), abs=half / 5)


def test_what_chance_can_explain_is_left_open(project: Project, judge):
    found = compare(
        judge(project, short_by(2)).evaluation, judge(project, short_by(1, 3)).evaluation
    )
    assert found.verdict == "open"
    assert "do not show which is better" in found.words


def test_equal_masks_are_told_to_be_equal(both):
    assert compare(both[0], both[0]).words == "Both say the same of these 16 images."


def test_the_largest_gain_comes_first_and_the_largest_loss_last(both):
    changes = compare(*both).changes
    gains = [c.b - c.a for c in changes]
    assert gains == sorted(gains, reverse=True)
    assert (changes[0].image, changes[-1].image) == ("00.png", "15.png")


def test_images_whose_mask_was_changed_in_between_are_left_out(project: Project, judge, both):
    Image.fromarray(np.ones((30, 30), np.uint8)).save(project.mask_source("03.png"))
    again = judge(project, short_by(1), "New").evaluation
    found = compare(both[0], again)
    assert found.left_out == ("03.png",)
    assert found.images == 15


def test_what_means_different_things_is_not_compared(both):
    ignoring = both[1].model_copy(update={"border": BorderRule.IGNORE})
    words = "border counts as object, in the other the border is left out"
    with pytest.raises(BadInput, match=words):
        compare(both[0], ignoring)
    with pytest.raises(BadInput, match="different classes"):
        compare(both[0], both[1].model_copy(update={"per_class": both[1].per_class[:1]}))
    with pytest.raises(BadInput, match="no image in common"):
        compare(both[0], both[1].model_copy(update={"rows": []}))


def test_one_image_decides_nothing(both):
    alone = [e.model_copy(update={"rows": e.rows[:1]}) for e in both]
    found = compare(*alone)
    assert found.verdict == "open"
    assert "One image alone" in found.words


def test_a_few_images_that_all_gain_decide_nothing_yet(both):
    few = [e.model_copy(update={"rows": e.rows[:5]}) for e in both]
    found = compare(*few)
    assert found.verdict == "open"
    assert found.words.startswith("5 images are too few to say which is better")


def test_a_model_that_may_have_learnt_from_the_masks_is_named(both):
    old, new = both
    known = new.model_copy(update={"seen": True})
    assert compare(old, known).words.endswith(
        "New may have learnt from these very masks, the other has not."
    )
    assert "learnt" not in compare(known, known).words + compare(old, new).words


def test_two_of_one_name_are_told_apart(both):
    sources = [e.source.model_copy(update={"title": "Pets"}) for e in both]
    found = compare(
        *(e.model_copy(update={"source": s}) for e, s in zip(both, sources, strict=True))
    )
    assert (found.a, found.b) == ("Pets (Old)", "Pets (New)")
    assert compare(both[0], both[0]).a != compare(both[0], both[0]).b
