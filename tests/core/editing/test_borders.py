from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing import borders
from core.editing.borders import grow, nearest_other, shrink, smooth


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(borders, "_TILE", 8)


def noise(seed: int, height: int, width: int, few: int) -> np.ndarray:
    """Mostly background, with some dots of other classes and void."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    for _ in range(few):
        mask[rng.integers(height), rng.integers(width)] = rng.choice([1, 2, 255])
    return mask


masks = st.builds(
    noise, st.integers(0, 999), st.integers(1, 20), st.integers(1, 20), st.integers(0, 300)
)
radii = st.integers(1, 9)
boxes = st.tuples(*[st.integers(0, 20)] * 4)


def within(mask: np.ndarray, sides: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A box inside the mask of at least one pixel."""
    height, width = mask.shape
    (x0, x1), (y0, y1) = sorted(sides[::2]), sorted(sides[1::2])
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x0, y0, min(max(x1, x0 + 1), width), min(max(y1, y0 + 1), height)


def distances(inside: np.ndarray) -> np.ndarray:
    """Of each pixel's centre to the nearest one inside, by looking at all of them."""
    y, x = np.nonzero(inside)
    if len(y) == 0:
        return np.full(inside.shape, np.inf)
    rows, columns = np.mgrid[: inside.shape[0], : inside.shape[1]]
    return np.hypot(rows[..., None] - y, columns[..., None] - x).min(axis=-1)


@settings(deadline=None)
@given(masks, radii, boxes)
def test_growing_takes_in_exactly_what_is_near_enough(
    mask: np.ndarray, radius: int, sides: tuple[int, int, int, int]
) -> None:
    box = x0, y0, x1, y1 = within(mask, sides)
    after = mask.copy()
    grow(after, 1, radius, box)
    part = np.zeros(mask.shape, bool)
    part[y0:y1, x0:x1] = True
    near = distances(mask == 1) <= radius
    assert (after[part & near] == 1).all()
    assert np.array_equal(after[~(part & near)], mask[~(part & near)])


@settings(deadline=None)
@given(masks, radii, boxes)
def test_shrinking_takes_away_exactly_what_is_near_enough(
    mask: np.ndarray, radius: int, sides: tuple[int, int, int, int]
) -> None:
    mask = np.where(mask == 0, np.uint8(1), np.where(mask == 1, np.uint8(0), mask))
    box = x0, y0, x1, y1 = within(mask, sides)
    after = mask.copy()
    shrink(after, 1, radius, box)
    part = np.zeros(mask.shape, bool)
    part[y0:y1, x0:x1] = True
    lost = part & (mask == 1) & (distances(mask != 1) <= radius)
    assert (after[lost] != 1).all()
    assert np.array_equal(after[~lost], mask[~lost])
    assert set(after.ravel().tolist()) <= set(mask.ravel().tolist())


def test_what_is_lost_becomes_what_is_nearest() -> None:
    mask = np.ones((9, 30), np.uint8)
    mask[:, :3], mask[:, 27:] = 2, 255
    after = nearest_other(mask, 1)
    assert (after[:, :15] == 2).all()
    assert (after[:, 15:] == 255).all()
    shrink(mask, 1, 4, (0, 0, 30, 9))
    assert mask[4].tolist() == [2] * 7 + [1] * 16 + [255] * 7


def test_an_animal_cut_off_by_the_edge_does_not_shrink_from_there() -> None:
    mask = np.zeros((12, 12), np.uint8)
    mask[4:] = 1
    shrink(mask, 1, 3, (0, 0, 12, 12))
    assert (mask[:7] == 0).all()
    assert (mask[7:] == 1).all()


@settings(deadline=None)
@given(masks, radii)
def test_the_same_over_many_tiles_as_in_one(mask: np.ndarray, radius: int) -> None:
    height, width = mask.shape
    whole = (0, 0, width, height)
    for value in (1, None):
        tiled, at_once = mask.copy(), mask.copy()
        smooth(tiled, value, radius, whole)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(borders, "_TILE", 1000)
            smooth(at_once, value, radius, whole)
        # Only sums of floats in another order may break an even split differently.
        assert np.count_nonzero(tiled != at_once) <= mask.size // 50


def test_smoothing_takes_specks_and_teeth_away_and_keeps_the_body() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[20:, :] = 1
    straight = mask.copy()
    mask[18:20, ::4] = 1  # teeth
    mask[5, 5] = 2
    mask[40:42, 30:32] = 0
    smooth(mask, None, 6, (0, 0, 60, 60))
    assert np.count_nonzero(mask != straight) <= 60
    assert set(mask.ravel().tolist()) == {0, 1}


def test_smoothing_a_class_moves_its_own_border_only() -> None:
    rng = np.random.default_rng(3)
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 40:] = np.where(rng.random((40, 20)) < 0.5, 2, 3)  # ragged, but not the class's
    mask[10:30, 5:20] = 1
    mask[9, 7:18:5] = 1
    before = mask.copy()
    smooth(mask, 1, 5, (0, 0, 60, 40))
    assert np.array_equal(mask[:, 30:], before[:, 30:])
    assert not (mask[9] == 1).any()
    assert (mask[12:28, 8:17] == 1).all()


def test_nothing_to_smooth_changes_nothing() -> None:
    for mask in (np.full((9, 9), 4, np.uint8), np.zeros((1, 1), np.uint8)):
        before = mask.copy()
        for value in (1, 4, None):
            smooth(mask, value, 3, (0, 0, mask.shape[1], mask.shape[0]))
            grow(mask, 4, 3, (0, 0, mask.shape[1], mask.shape[0]))
            shrink(mask, 4, 3, (0, 0, mask.shape[1], mask.shape[0]))
        assert np.array_equal(mask, before)
