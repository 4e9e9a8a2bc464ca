from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.editing.region import Region
from core.editing.shapes import ellipse, polygon, rectangle

SHAPE = (23, 31)
WHOLE = (0, 0, SHAPE[1], SHAPE[0])

# Also coordinates on the very centres and corners of pixels, where ties must be broken one way.
coordinate = st.one_of(
    st.floats(-20, 50), st.integers(-40, 100).map(lambda n: n / 2), st.sampled_from([1e300, -1e12])
)
point = st.tuples(coordinate, coordinate)
near = st.one_of(st.floats(-20, 50), st.integers(-40, 100).map(lambda n: n / 2))
outline = st.lists(st.tuples(near, near), min_size=3, max_size=12)


def seen(region: Region | None) -> np.ndarray:
    return np.zeros(SHAPE, bool) if region is None else region.within(WHOLE)


def even_odd(corners: list[tuple[float, float]]) -> np.ndarray:
    """Each pixel by itself: a ray to the left of its centre crosses the outline an odd number."""
    inside = np.zeros(SHAPE, bool)
    for row in range(SHAPE[0]):
        for column in range(SHAPE[1]):
            x, y = column + 0.5, row + 0.5
            for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
                if ay > by:
                    ax, ay, bx, by = bx, by, ax, ay
                if ay <= y < by and ax + (y - ay) / (by - ay) * (bx - ax) <= x:
                    inside[row, column] ^= True
    return inside


@given(outline)
def test_a_polygon_is_every_pixel_whose_centre_is_inside(corners: list) -> None:
    assert np.array_equal(seen(polygon(corners, SHAPE)), even_odd(corners))


@given(point, point)
def test_a_rectangle_is_the_polygon_of_its_corners(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    drawn = polygon([a, (b[0], a[1]), b, (a[0], b[1])], SHAPE)
    assert np.array_equal(seen(rectangle(a, b, SHAPE)), seen(drawn))
    assert np.array_equal(seen(rectangle(b, a, SHAPE)), seen(drawn))


@given(st.tuples(near, near), st.tuples(near, near))
def test_an_ellipse_is_every_pixel_whose_centre_is_inside(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    drawn = seen(ellipse(a, b, SHAPE))
    rx, ry = abs(a[0] - b[0]) / 2, abs(a[1] - b[1]) / 2
    if rx < 1e-3 or ry < 1e-3:
        assert drawn.sum() <= SHAPE[0]
        return
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    distance = np.hypot((x - (a[0] + b[0]) / 2) / rx, (y - (a[1] + b[1]) / 2) / ry)
    assert drawn[distance < 1 - 1e-6].all()
    assert not drawn[distance > 1 + 1e-6].any()


@given(st.lists(point, max_size=8))
def test_a_region_is_in_the_image_and_in_the_smallest_box(corners: list) -> None:
    regions = [polygon(corners, SHAPE)]
    if len(corners) >= 2:
        regions += [rectangle(*corners[:2], SHAPE), ellipse(*corners[:2], SHAPE)]
    for region in regions:
        if region is not None:
            x0, y0, x1, y1 = region.box
            assert 0 <= x0 < x1 <= SHAPE[1]
            assert 0 <= y0 < y1 <= SHAPE[0]
            assert region.inside.shape == (y1 - y0, x1 - x0)
            for side in (0, -1):
                assert region.inside[side].any()
                assert region.inside[:, side].any()


@given(st.integers(0, 30), st.integers(0, 22))
def test_outlines_that_share_a_side_share_no_pixel_and_leave_none_out(x: int, y: int) -> None:
    middle = (x + 0.5, y + 0.5)
    corners = [(0.0, 0.0), (31.0, 0.0), (31.0, 23.0), (0.0, 23.0)]
    times = np.zeros(SHAPE, int)
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        times += seen(polygon([a, b, middle], SHAPE))
    assert (times == 1).all()


@pytest.mark.parametrize(
    "corners",
    [
        [],
        [(3.0, 3.0)],
        [(3.0, 3.0), (9.0, 9.0)],
        [(3.0, 3.0)] * 5,
        [(1.2, 1.0), (9.2, 9.0), (20.2, 20.0)],
        [(-9.0, -9.0), (-1.0, -9.0), (-1.0, 40.0)],
        [(4.1, 4.1), (4.3, 4.1), (4.2, 4.3)],
    ],
)
def test_an_outline_without_an_inside_is_none(corners: list[tuple[float, float]]) -> None:
    assert polygon(corners, SHAPE) is None


def test_a_box_without_an_area_or_outside_is_none() -> None:
    for shape in (rectangle, ellipse):
        assert shape((3.0, 3.0), (3.0, 9.0), SHAPE) is None
        assert shape((3.0, 3.0), (3.0, 3.0), SHAPE) is None
        assert shape((-9.0, -9.0), (-1.0, -1.0), SHAPE) is None
    assert np.array_equal(seen(rectangle((-1e300, -1e300), (1e300, 1e300), SHAPE)), np.ones(SHAPE))


def test_a_figure_of_eight_is_inside_in_both_loops_and_what_is_drawn_twice_is_not() -> None:
    eight = seen(polygon([(2.0, 2.0), (20.0, 20.0), (2.0, 20.0), (20.0, 2.0)], SHAPE))
    assert eight[4, 11]
    assert eight[18, 11]
    assert not eight[11, 4]
    square = [(2.0, 2.0), (20.0, 2.0), (20.0, 20.0), (2.0, 20.0)]
    assert polygon(square + square, SHAPE) is None


def test_an_outline_taller_than_a_band_is_whole() -> None:
    shape = (900, 40)
    region = polygon([(3.0, 0.0), (37.0, 0.0), (37.0, 900.0), (3.0, 900.0)], shape)
    assert region is not None
    assert region.box == (3, 0, 37, 900)
    assert region.inside.all()
