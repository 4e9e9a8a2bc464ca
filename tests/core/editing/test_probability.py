from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.editing.probability import ProbabilityMap

SIDES = st.integers(1, 40)


def values(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 100 + width).random((height, width), np.float32)


@given(SIDES, SIDES, st.integers(1, 120), st.integers(1, 120))
def test_over_its_own_box_it_is_what_opencv_makes_of_it(h: int, w: int, height: int, width: int):
    small = values(h, w)
    seen = ProbabilityMap((0, 0, 640, 480), small).over((0, 0, 640, 480), (width, height))
    assert seen.shape == (height, width)
    assert seen.dtype == np.float32
    wanted = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(seen, wanted, atol=1e-5)


def test_a_part_of_the_image_is_the_part_of_the_whole():
    whole = ProbabilityMap((0, 0, 100, 80), values(8, 10))
    everywhere = whole.over((0, 0, 100, 80), (100, 80))
    part = whole.over((20, 30, 60, 70), (40, 40))
    np.testing.assert_allclose(part, everywhere[30:70, 20:60], atol=1e-5)


def test_a_map_of_a_part_lies_where_the_part_is():
    halves = np.zeros((1, 2), np.float32)
    halves[0, 1] = 1
    seen = ProbabilityMap((40, 10, 60, 20), halves).over((0, 0, 100, 30), (100, 30))
    assert (seen[:, :45] == 0).all()
    assert (seen[:, 55:] == 1).all()


@pytest.mark.parametrize("box", [(-500, -500, -400, -400), (900, 0, 910, 10)])
def test_beyond_its_end_the_nearest_value_goes_on(box: tuple[int, int, int, int]):
    seen = ProbabilityMap((0, 0, 100, 80), np.full((3, 3), 0.25, np.float32)).over(box, (4, 5))
    np.testing.assert_allclose(seen, 0.25)
