from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing import refine as module
from core.editing.refine import refine

SHAPE = (90, 120)


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A light animal with a ragged outline on dark ground, and where it is (1, else 0)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    angle = np.arctan2(y - 45, x - 60)
    radius = 28 + 3 * np.sin(9 * angle + seed) + 2 * np.sin(17 * angle)
    truth = (np.hypot(x - 60, y - 45) < radius).astype(np.uint8)
    pixels = np.where(truth[..., None] == 1, (190, 170, 140), (60, 80, 70))
    noisy = pixels + rng.normal(0, 12, pixels.shape)
    return noisy.clip(0, 255).astype(np.uint8), truth


def disk(radius: int) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    cv2.circle(mask, (60, 45), radius, 1, -1)
    return mask


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a == 1) & (b == 1)).sum() / ((a == 1) | (b == 1)).sum())


def near_border(own: np.ndarray, width: int) -> np.ndarray:
    """Which pixels have one of the other side at most ``width`` from them: all are looked at."""
    height, across = own.shape
    padded = np.pad(own, width, mode="edge")
    near = np.zeros(own.shape, bool)
    for dy in range(-width, width + 1):
        for dx in range(-width, width + 1):
            if dx * dx + dy * dy <= width * width:
                top, left = width + dy, width + dx
                near |= padded[top : top + height, left : left + across] != own
    return near


@pytest.mark.parametrize("radius", [24, 28, 33])
@pytest.mark.parametrize("tile", [512, 40])
def test_the_border_is_drawn_along_the_fur(
    radius: int, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TILE", tile)
    pixels, truth = scene()
    rough = disk(radius)
    after = refine(pixels, rough, 1, 10)
    assert iou(rough, truth) < 0.9
    assert iou(after, truth) > 0.94


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 99), st.integers(15, 40), st.integers(1, 12), st.sampled_from([512, 30]))
def test_nothing_changes_outside_the_band_nor_in_what_came_in(
    seed: int, radius: int, width: int, tile: int
) -> None:
    pixels, _ = scene(seed)
    mask = disk(radius)
    before = mask.copy()
    pixels.flags.writeable = mask.flags.writeable = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_TILE", tile)
        after = refine(pixels, mask, 1, width)
    assert np.array_equal(mask, before)
    far = ~near_border(mask == 1, width)
    assert np.array_equal(after[far], before[far])


def test_the_same_mask_is_refined_in_the_same_way_every_time() -> None:
    pixels, _ = scene()
    assert np.array_equal(refine(pixels, disk(26), 1, 8), refine(pixels, disk(26), 1, 8))


def test_only_the_box_is_worked_on() -> None:
    pixels, _ = scene()
    mask = disk(33)
    whole, left = refine(pixels, mask, 1, 10), refine(pixels, mask, 1, 10, (0, 0, 60, 90))
    assert np.array_equal(left[:, 60:], mask[:, 60:])
    assert np.count_nonzero(left[:, :60] != mask[:, :60]) > 100
    assert np.mean(left[:, :60] == whole[:, :60]) > 0.98


def test_what_is_lost_becomes_the_nearest_class_and_void_stays() -> None:
    pixels, _ = scene()
    mask = disk(33)
    mask[:, :60][mask[:, :60] == 0] = 3
    mask[20:70, 85:88] = 255
    after = refine(pixels, mask, 1, 10)
    assert np.array_equal(after == 255, mask == 255)
    assert set(np.unique(after)) == {0, 1, 3, 255}
    lost = (mask == 1) & (after != 1)
    assert lost[:, :58].sum() > 50
    assert (after[:, :58][lost[:, :58]] == 3).all()
    assert (after[:, 62:][lost[:, 62:]] == 0).all()


@pytest.mark.parametrize("value", [1, 7, 0, 255])
@pytest.mark.parametrize("fill", [0, 1, 255])
def test_a_class_that_is_not_there_or_everywhere_changes_nothing(value: int, fill: int) -> None:
    pixels, _ = scene()
    mask = np.full(SHAPE, fill, np.uint8)
    assert np.array_equal(refine(pixels, mask, value, 10), mask)
    single = mask[:1, :1]
    assert np.array_equal(refine(pixels[:1, :1], single, value, 10), single)


def test_a_single_pixel_and_an_image_of_one_colour_do_no_harm() -> None:
    flat = np.full((*SHAPE, 3), 80, np.uint8)
    mask = np.zeros(SHAPE, np.uint8)
    mask[5, 5] = 1
    for pixels in (flat, scene()[0]):
        after = refine(pixels, mask, 1, 100)
        assert set(np.unique(after)) <= {0, 1}
    two = np.array([[0, 1]], np.uint8)
    assert refine(flat[:1, :2], two, 1, 5).shape == (1, 2)


@pytest.mark.parametrize("width", [5, 60])
@pytest.mark.parametrize("gap", [2, 300])
def test_classes_with_void_between_them_are_refined_up_to_it(gap: int, width: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, 700, 3), dtype=np.uint8)
    mask = np.zeros((30, 700), np.uint8)
    mask[:, 350:] = 1
    mask[:, 350 - gap // 2 : 350 + gap // 2] = 255
    after = refine(pixels, mask, 1, width)
    assert np.array_equal(after == 255, mask == 255)
    assert np.array_equal(after[:, : 350 - width - 1], mask[:, : 350 - width - 1])
    if gap > 2 * width:
        assert np.array_equal(after, mask)
