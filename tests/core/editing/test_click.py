from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.click import correct
from core.editing.probability import ProbabilityMap
from core.editing.region import Region
from core.labels import VOID

SHAPE = (150, 200)


def scene(scale: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A brown animal whose tail is of the same fur, on green grass; and where it is (1)."""
    rng = np.random.default_rng(0)
    truth = np.zeros((SHAPE[0] * scale, SHAPE[1] * scale), np.uint8)
    cv2.circle(truth, (80 * scale, 75 * scale), 45 * scale, 1, -1)
    cv2.rectangle(truth, (115 * scale, 66 * scale), (170 * scale, 84 * scale), 1, -1)
    pixels = np.where(truth[..., None] == 1, (150, 100, 60), (70, 140, 60))
    grain = rng.normal(0, 8, pixels.shape)
    return (pixels + grain).clip(0, 255).astype(np.uint8), truth


def without_tail(truth: np.ndarray, scale: int = 1) -> np.ndarray:
    mask = truth.copy()
    mask[:, 127 * scale :] = 0
    return mask


def with_grass(truth: np.ndarray, scale: int = 1) -> np.ndarray:
    mask = truth.copy()
    cv2.circle(mask, (80 * scale, 128 * scale), 18 * scale, 1, -1)
    return mask


def model(mask: np.ndarray, sure: float = 0.9) -> ProbabilityMap:
    """A model that gave this mask, of fewer pixels."""
    height, width = mask.shape
    small = cv2.resize((mask == 1).astype(np.float32), (50, 38), interpolation=cv2.INTER_AREA)
    values = (1 - sure) + (2 * sure - 1) * cv2.GaussianBlur(small, (0, 0), 1)
    return ProbabilityMap((0, 0, width, height), values)


def apply(mask: np.ndarray, region: Region | None, value: int) -> np.ndarray:
    changed = mask.copy()
    if region is not None:
        x0, y0, x1, y1 = region.box
        changed[y0:y1, x0:x1][region.inside] = value
    return changed


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a == 1) & (b == 1)).sum() / ((a == 1) | (b == 1)).sum())


@pytest.mark.parametrize("with_model", [True, False])
def test_one_click_brings_back_a_tail(with_model: bool):
    pixels, truth = scene()
    mask = without_tail(truth)
    probability = model(mask) if with_model else None
    region = correct(pixels, mask, (148.5, 75.5), True, 1, probability)
    assert iou(mask, truth) < 0.92
    assert iou(apply(mask, region, 1), truth) > 0.97


@pytest.mark.parametrize("with_model", [True, False])
def test_one_right_click_takes_the_grass_away(with_model: bool):
    pixels, truth = scene()
    mask = with_grass(truth)
    probability = model(mask) if with_model else None
    region = correct(pixels, mask, (80.5, 132.5), False, 1, probability)
    assert iou(mask, truth) < 0.92
    assert iou(apply(mask, region, 0), truth) > 0.97


def test_a_large_photo_is_corrected_alike():
    pixels, truth = scene(12)
    mask = without_tail(truth, 12)
    region = correct(pixels, mask, (148 * 12.0, 75 * 12.0), True, 1, model(mask))
    assert iou(apply(mask, region, 1), truth) > 0.97


def test_an_error_elsewhere_is_left_for_its_own_click():
    pixels, truth = scene()
    mask = without_tail(with_grass(truth))
    mask[70:80, 60:70] = 0  # a hole in the middle
    region = correct(pixels, mask, (148.5, 75.5), True, 1, model(mask))
    changed = apply(mask, region, 1)
    np.testing.assert_array_equal(changed[:, :115], mask[:, :115])


def test_void_and_other_classes_are_right_for_no_class_but_their_own():
    pixels, truth = scene()
    mask = without_tail(truth)
    tail = (truth == 1) & (mask == 0)
    mask[tail] = VOID
    region = correct(pixels, mask, (148.5, 75.5), True, 1, None)
    assert (apply(mask, region, 1)[tail] == 1).mean() > 0.95


@pytest.mark.parametrize(
    "point", [(-1.0, 5.0), (5.0, -0.1), (200.0, 5.0), (5.0, 150.0), (1e9, 1e9)]
)
def test_outside_the_image_nothing_changes(point: tuple[float, float]):
    pixels, truth = scene()
    assert correct(pixels, truth, point, True, 1) is None


def test_what_is_right_already_stays():
    pixels, truth = scene()
    assert correct(pixels, truth, (80.5, 75.5), True, 1, model(truth)) is None
    assert correct(pixels, truth, (5.5, 5.5), False, 1, model(truth)) is None


@settings(max_examples=40)
@given(
    st.integers(0, 9),
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_max=True),
    st.booleans(),
    st.sampled_from([0, 1, 2, VOID]),
    st.booleans(),
)
def test_a_click_changes_one_piece_that_holds_it_and_only_what_is_wrong(
    seed: int, height: int, width: int, u: float, v: float, add: bool, value: int, with_model: bool
):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 3, (3, 4), dtype=np.uint8)
    mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask.flags.writeable = pixels.flags.writeable = False
    x, y = int(u * width), int(v * height)
    whole = (0, 0, width, height)
    known = ProbabilityMap(whole, rng.random((4, 5), np.float32)) if with_model else None
    region = correct(pixels, mask, (u * width, v * height), add, value, known)
    if (mask[y, x] == value) == add:
        assert region is None
        return
    assert region is not None
    inside = region.within(whole)
    assert inside[y, x]
    assert ((mask[inside] == value) != add).all()
    assert cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)[0] == 2


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (60, 80)])
def test_an_empty_or_full_mask_over_one_colour_raises_nothing(shape: tuple[int, int], value: int):
    pixels = np.full((*shape, 3), 90, np.uint8)
    mask = np.full(shape, value, np.uint8)
    region = correct(pixels, mask, (0.5, 0.5), value == 0, 1)
    assert region is not None
    assert region.within((0, 0, 1, 1)).all()
