from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.box import Box
from core.editing.grabcut import NO, YES, Marks, grabcut_box
from core.editing.probability import ProbabilityMap
from core.editing.region import Region

SHAPE = (120, 160)
WHOLE = (0, 0, SHAPE[1], SHAPE[0])
BOX = (36, 16, 124, 104)


def scene(scale: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A brown animal with a white patch on green grass, and where it is."""
    rng = np.random.default_rng(0)
    height, width = SHAPE[0] * scale, SHAPE[1] * scale
    inside = np.zeros((height, width), np.uint8)
    cv2.circle(inside, (80 * scale, 60 * scale), 40 * scale, 1, -1)
    patch = np.zeros_like(inside)
    cv2.circle(patch, (80 * scale, 60 * scale), 15 * scale, 1, -1)
    pixels = np.where(inside[..., None] == 1, (150, 100, 60), (70, 140, 60))
    pixels = np.where(patch[..., None] == 1, (230, 230, 225), pixels)
    grain = rng.normal(0, 8, pixels.shape)
    return (pixels + grain).clip(0, 255).astype(np.uint8), inside.astype(bool)


def vague(shape: tuple[int, ...] = SHAPE, shift: int = 0) -> ProbabilityMap:
    """What a model of few pixels says: right in the middle, unsure around it."""
    y, x = np.mgrid[:24, :32] * 5 + 2.5
    distance = np.hypot(x - 80 - shift, y - 60)
    values = 1 / (1 + np.exp((distance - 40) / 8))
    return ProbabilityMap((0, 0, shape[1], shape[0]), values.astype(np.float32))


def seen(region: Region | None, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    if region is None:
        return np.zeros(shape[:2], bool)
    return region.within((0, 0, shape[1], shape[0]))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_the_animal_is_found_by_its_colours_alone():
    pixels, truth = scene()
    assert iou(seen(grabcut_box(pixels, BOX)), truth) > 0.95


def test_with_a_model_it_is_found_though_the_model_is_vague_and_beside_it():
    pixels, truth = scene()
    probability = vague(shift=8)
    own = probability.over(WHOLE, (SHAPE[1], SHAPE[0])) >= 0.5
    assert iou(own, truth) < 0.85
    assert iou(seen(grabcut_box(pixels, BOX, probability)), truth) > 0.97


def test_a_model_of_the_box_alone_serves_as_well():
    pixels, truth = scene()
    whole = vague()
    x0, y0, x1, y1 = BOX
    part = ProbabilityMap(BOX, whole.over(BOX, ((x1 - x0) // 4, (y1 - y0) // 4)))
    assert iou(seen(grabcut_box(pixels, BOX, part)), truth) > 0.97


def test_a_large_box_is_solved_smaller_and_its_border_still_fits():
    pixels, truth = scene(10)
    box = (360, 160, 1240, 1040)
    found = grabcut_box(pixels, box, vague(pixels.shape))
    assert iou(seen(found, pixels.shape), truth) > 0.99


def test_nothing_outside_the_box():
    pixels, truth = scene()
    box = (36, 16, 90, 104)  # cuts the animal
    inside = seen(grabcut_box(pixels, box, vague()))
    assert not inside[:, 90:].any()
    assert iou(inside[:, :90], truth[:, :90]) > 0.95


def test_strokes_win():
    pixels, truth = scene()
    values = np.zeros((SHAPE[0], SHAPE[1]), np.uint8)
    values[50:70, 75:85] = NO
    values[10:12, 60:70] = YES  # outside the box, on the grass
    found = seen(grabcut_box(pixels, BOX, vague(), Marks(WHOLE, values)))
    assert not found[50:70, 75:85].any()
    assert found[10:12, 60:70].all()
    # One stroke on the white patch takes all of it out: its colour is background now.
    assert found[48:72, 68:92].mean() < 0.1
    assert iou(found & truth, truth) > 0.7


def test_a_stroke_brings_back_what_the_model_missed():
    pixels, truth = scene()
    doubts = vague()
    patch = seen(grabcut_box(pixels, (60, 40, 100, 80)))
    assert patch.any()
    low = ProbabilityMap(doubts.box, np.minimum(doubts.values, 0.9))
    low.values[9:15, 13:19] = 0.02  # the white patch, of all things
    without = seen(grabcut_box(pixels, BOX, low))
    assert not without[60, 80]
    values = np.zeros((40, 40), np.uint8)
    values[18:22, 15:25] = YES
    helped = seen(grabcut_box(pixels, BOX, low, Marks((60, 40, 100, 80), values)))
    assert iou(helped, truth) > 0.95


@pytest.mark.parametrize("box", [(5, 5, 5, 40), (40, 40, 5, 5), (-9, -9, 0, 0), (900, 5, 950, 9)])
def test_a_box_of_nothing_holds_nothing(box: Box):
    pixels, _ = scene()
    assert grabcut_box(pixels, box) is None
    assert grabcut_box(pixels, box, vague()) is None
    no_marks = Marks(WHOLE, np.zeros(SHAPE, np.uint8))
    assert grabcut_box(pixels, box, vague(), no_marks) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 2), (30, 30)])
@pytest.mark.parametrize("mark", [None, YES, NO])
@pytest.mark.parametrize("with_model", [True, False])
def test_one_colour_and_tiny_images_raise_nothing(
    shape: tuple[int, int], mark: int | None, with_model: bool
):
    pixels = np.full((*shape, 3), 77, np.uint8)
    whole = (0, 0, shape[1], shape[0])
    model = ProbabilityMap(whole, np.full((3, 3), 0.5, np.float32)) if with_model else None
    marks = None if mark is None else Marks(whole, np.full(shape, mark, np.uint8))
    found = grabcut_box(pixels, whole, model, marks)
    if mark == YES:
        assert found is not None
        assert found.count == shape[0] * shape[1]
    if mark == NO:
        assert found is None


@settings(max_examples=25)
@given(
    st.tuples(*[st.integers(-20, 60)] * 4),
    st.booleans(),
    st.integers(0, 5),
)
def test_whatever_the_box_the_region_lies_in_it(box: Box, with_model: bool, seed: int):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    pixels.flags.writeable = False
    model = ProbabilityMap((0, 0, 50, 40), rng.random((7, 9), np.float32)) if with_model else None
    values = rng.integers(0, 3, (10, 10)).astype(np.uint8)
    assert seen(grabcut_box(pixels, box, model), (40, 50))[_outside(box, (40, 50))].sum() == 0
    found = seen(grabcut_box(pixels, box, model, Marks((8, 8, 18, 18), values)), (40, 50))
    assert found[8:18, 8:18][values == YES].all()
    assert not found[8:18, 8:18][values == NO].any()


def _outside(box: Box, shape: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (x < box[0]) | (x >= box[2]) | (y < box[1]) | (y >= box[3])
