"""Border figures against their definitions, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import cKDTree

from core.evaluation.surface import match_borders

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two masks of one size; pixels by chance or filled boxes."""
    shape = draw(SHAPES)

    def mask() -> np.ndarray:
        if draw(st.booleans()):
            return draw(hnp.arrays(bool, shape))
        box = np.zeros(shape, bool)
        top, left = draw(st.integers(0, shape[0])), draw(st.integers(0, shape[1]))
        box[top : top + draw(st.integers(0, 12)), left : left + draw(st.integers(0, 12))] = True
        return box

    return mask(), mask()


def near_other(mask: np.ndarray, reach: int, diagonals: bool) -> set[tuple[int, int]]:
    """The mask's pixels with one that is not in it, or outside of the image, within ``reach``."""

    def inside(y: int, x: int) -> bool:
        return 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and bool(mask[y, x])

    steps = [
        (dy, dx)
        for dy in range(-reach, reach + 1)
        for dx in range(-reach, reach + 1)
        if diagonals or abs(dy) + abs(dx) <= reach
    ]
    return {
        (int(y), int(x))
        for y, x in np.argwhere(mask)
        if not all(inside(y + dy, x + dx) for dy, dx in steps)
    }


@given(pairs())
def test_boundary_iou_against_its_definition(masks: tuple[np.ndarray, np.ndarray]):
    truth, said = masks
    match = match_borders(truth, said)
    width = max(1, round(0.02 * float(np.hypot(*truth.shape))))
    ours, theirs = (near_other(mask, width, diagonals=True) for mask in masks)
    if match is None:
        assert not truth.any()
        assert not said.any()
    else:
        assert (match.shared, match.either) == (len(ours & theirs), len(ours | theirs))


def test_the_band_is_2_percent_of_the_diagonal_wide():
    truth = np.zeros((300, 400), bool)  # diagonal 500: ten pixels
    truth[100:200, 100:300] = True
    match = match_borders(truth, truth)
    assert match is not None
    assert match.shared == match.either == 100 * 200 - 80 * 180


@given(pairs())
def test_distances_against_a_search_for_the_nearest_pixel(masks: tuple[np.ndarray, np.ndarray]):
    match = match_borders(*masks)
    ours, theirs = (sorted(near_other(mask, 1, diagonals=False)) for mask in masks)
    if not ours or not theirs:
        diagonal = float(np.hypot(*masks[0].shape))
        assert match is None or (match.hd95, match.distance) == (diagonal, diagonal)
        assert (match is None) == (not ours and not theirs)
        return
    there, back = cKDTree(theirs).query(ours)[0], cKDTree(ours).query(theirs)[0]
    assert match is not None
    assert match.hd95 == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert match.distance == pytest.approx(np.concatenate([there, back]).mean())


def test_a_shift_is_as_far_as_it_is():
    truth = np.zeros((50, 50), bool)
    truth[10:30, 10] = True
    said = np.roll(truth, 7, axis=1)
    match = match_borders(truth, said)
    assert match is not None
    assert (match.hd95, match.distance) == (7, 7)
    assert match.shared == 0


def test_distances_over_a_whole_large_image_are_exact():
    truth, said = np.zeros((2, 1500, 6000), bool)
    truth[0, 0] = said[-1, -1] = True
    match = match_borders(truth, said)
    assert match is not None
    assert match.hd95 == pytest.approx(np.hypot(1499, 5999))
