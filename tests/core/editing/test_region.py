from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.editing.region import Region, region_of

inside = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))
corner = st.tuples(st.integers(0, 30), st.integers(0, 30))
boxes = st.tuples(
    st.integers(-5, 40), st.integers(-5, 40), st.integers(1, 50), st.integers(1, 50)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))

# Larger than anything drawn above, so that every region lies somewhere in it.
WHOLE = (0, 0, 60, 60)


def placed(array: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """The array in an image, its first pixel at (x, y)."""
    image = np.zeros((60, 60), bool)
    image[at[1] : at[1] + array.shape[0], at[0] : at[0] + array.shape[1]] = array
    return image


@given(inside, corner)
def test_a_region_holds_exactly_the_pixels_it_is_made_of(
    array: np.ndarray, at: tuple[int, int]
) -> None:
    region = region_of(array, *at)
    if region is None:
        assert not array.any()
        return
    image = placed(array, at)
    assert np.array_equal(region.within(WHOLE), image)
    assert region.count == array.sum()


@given(inside, corner)
def test_the_box_is_the_smallest(array: np.ndarray, at: tuple[int, int]) -> None:
    region = region_of(array, *at)
    if region is not None:
        x0, y0, x1, y1 = region.box
        assert region.inside.shape == (y1 - y0, x1 - x0)
        for side in (0, -1):
            assert region.inside[side].any()
            assert region.inside[:, side].any()


@given(inside, corner, boxes)
def test_seen_in_another_box_it_is_cut_to_that(
    array: np.ndarray, at: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    region = region_of(array, *at)
    if region is None:
        return
    x0, y0, x1, y1 = box
    seen = region.within(box)
    assert seen.shape == (y1 - y0, x1 - x0)
    image = np.pad(placed(array, at), 100)[y0 + 100 : y1 + 100, x0 + 100 : x1 + 100]
    assert np.array_equal(seen, image)


def test_of_no_pixels_there_is_no_region() -> None:
    assert region_of(np.zeros((4, 5), bool)) is None
    assert region_of(np.zeros((0, 5), bool)) is None


def test_a_region_cannot_be_moved() -> None:
    region = Region((0, 0, 1, 1), np.ones((1, 1), bool))
    with pytest.raises(AttributeError):
        region.box = (1, 1, 2, 2)  # type: ignore[misc]
