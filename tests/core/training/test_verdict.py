"""What curves say in words: on made curves of every kind, noise included."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from core.training import events
from core.training.config import TrainConfig
from core.training.verdict import Verdict, verdict

from .told import epoch, finished, scores, started, state_of

CONFIG = TrainConfig(learning_rate=1e-3, epochs=50)


def judge(
    train: Sequence[float],
    val: Sequence[float],
    iou: Sequence[float],
    *,
    val_images: int = 20,
    config: TrainConfig = CONFIG,
    end: Sequence[events.Event] = (),
    start_val: float | None = None,
    **shares: float,
) -> Verdict:
    """The verdict on curves of train loss, val loss and val IoU; the best IoU's model is kept."""
    before = scores(start_val) if start_val is not None else None
    told: list[events.Event] = [started(val_images=val_images, start_val=before)]
    best = -1.0
    for i, (a, b, c) in enumerate(zip(train, val, iou, strict=True)):
        told.append(epoch(i + 1, loss=(a, b), iou=(c, c), best=c > best, **shares))
        best = max(best, c)
    return verdict(state_of([*told, *end]), config)


def falling(first: float, last: float, count: int) -> list[float]:
    return [last + (first - last) * math.exp(-3 * i / count) for i in range(count)]


LEARNS = (falling(0.7, 0.2, 12), falling(0.7, 0.25, 12), [0.8 - v for v in falling(0.6, 0, 12)])
# Val is best at epoch 5, train falls on.
OVERFITS = (
    falling(0.7, 0.05, 14),
    [0.6, 0.5, 0.42, 0.38, 0.36, 0.37, 0.4, 0.43, 0.46, 0.5, 0.53, 0.56, 0.6, 0.63],
    [0.4, 0.55, 0.65, 0.7, 0.72, 0.71, 0.7, 0.69, 0.69, 0.68, 0.68, 0.67, 0.67, 0.66],
)
FLAT = ([0.693] * 6, [0.693] * 6, [0.2] * 6)
JUMPS = ([0.7, 0.9, 0.6, 1.2, 0.8, 1.1], [0.9] * 6, [0.2] * 6)


@pytest.mark.parametrize(
    ("curves", "kind", "words"),
    [
        (([], [], []), "early", "first epoch"),
        (([0.7, 0.7], [0.7, 0.7], [0.1, 0.1]), "early", "three epochs"),
        (LEARNS, "learning", "val IoU 0.200 → "),
        (OVERFITS, "overfitting", "since epoch 5"),
        (FLAT, "stuck", "loss does not fall"),
        (JUMPS, "stuck", "loss does not fall"),
        (([0.3, 0.2, 0.15, 0.14, 0.13, 0.12], [0.3] * 6, [0.871] * 6), "level", "0.871"),
    ],
)
def test_curves_of_each_kind(curves, kind: str, words: str):
    said = judge(*curves)
    assert (said.kind, words in said.text) == (kind, True), said
    assert said.warning == (kind in ("overfitting", "stuck"))


def test_a_val_iou_that_has_only_fallen_is_not_called_learning_alone():
    said = judge([0.7, 0.6, 0.5, 0.4], [0.5] * 4, [0.77, 0.7, 0.67, 0.72])
    assert said.text == "Learning on train, not yet on val: val IoU 0.770 → 0.720."


def test_overfitting_names_the_model_that_is_kept():
    assert "The model of epoch 5 is kept." in judge(*OVERFITS).advice


def test_a_learning_rate_is_told_too_low_or_too_high_by_how_the_loss_goes():
    assert "try a learning rate above 0.001" in judge(*FLAT).advice
    assert "try a learning rate below 0.001" in judge(*JUMPS).advice


def test_a_rising_val_loss_does_no_harm_while_the_iou_still_rises():
    train, val, _ = OVERFITS
    assert judge(train, val, [0.4 + 0.02 * i for i in range(14)]).kind == "learning"


def test_a_falling_iou_is_overfitting_even_where_the_loss_is_not():
    train, _, iou = OVERFITS
    assert judge(train, [0.4] * 14, iou).kind == "overfitting"


def test_where_train_does_not_get_better_either_it_is_no_overfitting():
    _, val, iou = OVERFITS
    assert judge([0.5, 0.3, *[0.2] * 12], val, iou).kind != "overfitting"


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_not_taken_for_a_verdict(seed: int):
    rng = np.random.default_rng(seed)
    for curves, kind in ((LEARNS, "learning"), (OVERFITS, "overfitting")):
        train, val, iou = (np.array(c) for c in curves)
        noisy = judge(
            train * rng.normal(1, 0.02, len(train)),
            val * rng.normal(1, 0.02, len(val)),
            np.clip(iou + rng.normal(0, 0.005, len(iou)), 0, 1),
        )
        assert noisy.kind in (kind, "level" if kind == "learning" else kind), noisy


def test_one_bad_epoch_is_no_overfitting():
    train, val, iou = (list(c) for c in LEARNS)
    val[-1], iou[-1] = 3 * val[-1], iou[-1] - 0.3
    assert judge(train, val, iou).kind == "learning"


@pytest.mark.parametrize(
    ("shares", "words", "advice"),
    [
        ({"said": 0.0, "truth": 0.3}, "everything background", "larger image size"),
        ({"said": 1.0, "truth": 0.3}, "everything foreground", "not inverted"),
        ({"train_truth": 0.0}, "every mask is empty", "Paint what is to be found"),
        ({"train_truth": 1.0}, "no background", "background must be left unpainted"),
    ],
)
def test_what_the_masks_and_predictions_tell(shares: dict[str, float], words: str, advice: str):
    said = judge(*LEARNS, **shares)
    assert said.kind == "stuck"
    assert words in said.text
    assert advice in said.advice


@pytest.mark.parametrize(
    "shares", [{"said": 0.3, "truth": 0.3}, {"said": 0.0, "truth": 0.001}, {"said": 1, "truth": 1}]
)
def test_predictions_like_the_masks_are_no_sign_of_anything(shares: dict[str, float]):
    assert judge(*LEARNS, **shares).kind == "learning"


def test_empty_masks_are_told_after_the_first_epoch():
    assert judge([0.1], [0.1], [1.0], train_truth=0.0).kind == "stuck"


def test_a_model_that_was_good_when_it_began_is_not_stuck():
    assert judge([0.2] * 6, [0.2] * 6, [0.87] * 6).kind == "level"


def test_another_loss_at_the_end_is_not_compared_with_the_one_before():
    # Lovász from epoch 11 on: its numbers are higher.
    train = [*falling(0.5, 0.1, 10), 0.8, 0.78, 0.75, 0.7]
    iou = [0.3 + 0.04 * i for i in range(14)]
    config = CONFIG.model_copy(update={"epochs": 14, "lovasz_epochs": 4})
    assert judge(train, train, iou, config=config).kind == "learning"


def test_a_verdict_on_thousands_of_epochs_names_the_same_epoch_roughly():
    stretched = [np.interp(np.linspace(0, 13, 5000), range(14), c).tolist() for c in OVERFITS]
    said = judge(*stretched)
    assert said.kind == "overfitting"
    since = int(said.text.split("epoch ")[1].split(":")[0])
    assert abs(since - 5000 * 4 / 13) < 60
    kept = int(said.advice.split("epoch ")[1].split(" ")[0])
    assert stretched[2][kept - 1] == max(stretched[2])


@pytest.mark.parametrize("images", [1, 4])
def test_few_validation_images_are_too_few_to_be_sure(images: int):
    for said in (
        judge(*OVERFITS, val_images=images),
        judge(*LEARNS, val_images=images),
        judge(*LEARNS, val_images=images, start_val=0.7, end=[finished(iou=0.8)]),
    ):
        assert said.advice.endswith("too few to be sure.")
        assert f"{images} validation image" in said.advice
    assert "too few" not in judge(*LEARNS, val_images=5).advice


# --- In the end --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "kind", "words"),
    [
        (0.871, 0.893, "better", "Better than the model it started from: val IoU 0.871 → 0.893."),
        (0.871, 0.8714, "no_better", "0.871 → 0.871"),
        (0.871, 0.860, "no_better", "No better than the model it started from"),
        (None, 0.893, "done", "Val IoU 0.893: the model of epoch 2 is kept."),
    ],
)
def test_a_finished_run_is_compared_with_what_it_started_from(
    before: float | None, after: float, kind: str, words: str
):
    said = judge(*LEARNS, start_val=before, end=[finished(iou=after)])
    assert said.kind == kind
    assert words in said.text


def test_a_finished_run_that_overfitted_says_so_too():
    said = judge(*OVERFITS, end=[finished(iou=0.72, best_epoch=5)])
    assert said.kind == "done"
    assert "The model of epoch 5 is kept." in said.advice


def test_a_failed_run_says_what_is_kept():
    said = judge(*LEARNS, end=[events.Failed(reason="full disk")])
    assert said.kind == "failed"
    assert said.advice == "The model of epoch 12 is kept."


def test_a_run_that_kept_nothing():
    assert judge(*LEARNS, end=[finished(reason="stopped", model="", val=None)]).kind == "done"


def test_numbers_that_are_none_break_nothing():
    nan = [math.nan] * 6
    assert judge(nan, nan, [0.2] * 6).text
