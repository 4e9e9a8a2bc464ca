"""Intervals over images: repeatable, of the right width, and of sums as of means."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.bootstrap import RESAMPLES, draws, intervals


def mean_of(sums: np.ndarray) -> dict[str, np.ndarray]:
    """The second column by the first."""
    return {"share": sums[:, 1] / sums[:, 0]}


def test_each_draw_takes_as_many_images_as_there_are():
    weights = np.concatenate(list(draws(7)))
    assert weights.shape == (RESAMPLES, 7)
    assert (weights.sum(1) == 7).all()
    assert weights.mean(0) == pytest.approx(1, abs=0.1)


def test_draws_of_very_many_images_come_in_parts_and_are_as_many():
    parts = [part.shape for part in draws(20_000)]
    assert len(parts) > 1
    assert sum(count for count, _ in parts) == RESAMPLES


def test_a_mean_s_interval_is_that_of_the_normal_distribution_for_many_images():
    values = np.random.default_rng(1).normal(5, 2, 400)
    found, _ = intervals({"value": values}, np.ones((400, 2)), mean_of)
    half = 1.96 * values.std() / 20
    assert found["value"] == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)


def test_sums_are_drawn_with_the_means():
    counts = np.array([[10, n] for n in (1, 4, 6, 9)])
    each, sums = intervals({"share": counts[:, 1] / 10}, counts, mean_of)
    # Images of one size: the data set's share is the images' mean in each draw.
    assert sums["share"] == pytest.approx(each["share"])
    assert 0.1 <= each["share"][0] < 0.5 < each["share"][1] <= 0.9


def test_the_same_images_have_the_same_interval_always():
    counts = np.array([[10, n] for n in (1, 4, 6, 9)])
    once, again = (intervals({"share": counts[:, 1] / 10}, counts, mean_of) for _ in range(2))
    assert once == again


def test_a_single_image_has_no_interval():
    assert intervals({"value": np.ones(1)}, np.ones((1, 2)), mean_of) == ({}, {})
