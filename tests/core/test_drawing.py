"""The demo's drawn animals: repeatable, well-formed, and neither trivial nor hopeless."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from core.drawing.animal_photo import draw_animal

SEEDS = range(20)
WIDTH, HEIGHT = 160, 120


@cache
def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    return draw_animal(seed, WIDTH, HEIGHT)


def largest_share(mask: np.ndarray) -> float:
    """The largest connected component's share of the mask."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return float(stats[1:, cv2.CC_STAT_AREA].max() / mask.sum())


def best_threshold_iou(picture: np.ndarray, mask: np.ndarray) -> float:
    """The IoU of the best of all channels' Otsu thresholds, either side taken as the pet."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    best = 0.0
    for channel in cv2.split(np.dstack([picture, hsv])):
        _, above = cv2.threshold(channel, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        for guess in (above == 1, above == 0):
            union = np.count_nonzero(guess | (mask == 1))
            best = max(best, np.count_nonzero(guess & (mask == 1)) / union)
    return best


def test_the_same_seed_draws_the_same_picture():
    again = draw_animal(3, WIDTH, HEIGHT)
    assert all(np.array_equal(a, b) for a, b in zip(drawn(3), again, strict=True))


def test_other_seeds_draw_other_pictures():
    pictures = [drawn(seed)[0].tobytes() for seed in SEEDS]
    assert len(set(pictures)) == len(pictures)


@pytest.mark.parametrize(("width", "height"), [(160, 120), (96, 160), (131, 97), (64, 64)])
def test_any_size(width: int, height: int):
    picture, mask = draw_animal(1, width, height)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    assert mask.shape == (height, width)
    assert mask.dtype == np.uint8


def test_the_default_size():
    picture, mask = draw_animal(0)
    assert picture.shape == (360, 480, 3)
    assert mask.shape == (360, 480)


@pytest.mark.parametrize("seed", SEEDS)
def test_mask(seed: int):
    mask = drawn(seed)[1]
    assert set(np.unique(mask)) == {0, 1}
    assert 0.08 <= mask.mean() <= 0.62
    # An object in front may cut the animal in two; fur ends are a few loose pixels.
    assert largest_share(mask) > 0.6


def test_masks_are_mostly_in_one_piece():
    assert np.median([largest_share(drawn(seed)[1]) for seed in SEEDS]) > 0.98


@pytest.mark.parametrize("seed", SEEDS)
def test_pictures_have_contrast_and_are_not_blown_out(seed: int):
    picture = drawn(seed)[0]
    assert picture.std() > 15
    assert np.mean((picture == 0) | (picture == 255)) < 0.2


def test_a_colour_threshold_does_not_find_the_animal():
    scores = [best_threshold_iou(*drawn(seed)) for seed in SEEDS]
    assert np.mean(scores) < 0.7
    assert np.median(scores) < 0.75
