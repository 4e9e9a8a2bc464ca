"""Outlines hold exactly the pixels that they were made of, whatever their shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.formats import limits
from core.formats.polygons import Part, ellipse, fill, outlines, parts, seamed, turned
from core.formats.source import FormatError
from core.labels import VOID

from .drawn import drawn

shapes = array_shapes(min_dims=2, max_dims=2, max_side=12)
small_masks = arrays(np.uint8, shapes, elements=st.integers(0, 2))


def redrawn(mask: np.ndarray, *, seams: bool) -> np.ndarray:
    again = np.zeros_like(mask)
    for part in parts(mask):
        rings = outlines(part)
        fill(again, [seamed(rings)] if seams else rings, part.label)
    return again


@given(mask=small_masks, seams=st.booleans())
def test_outlines_and_seams_hold_the_same_pixels(mask: np.ndarray, seams: bool) -> None:
    np.testing.assert_array_equal(redrawn(mask, seams=seams), mask)


@pytest.mark.parametrize("seams", [False, True])
def test_drawn_masks_come_back_exactly(seams: bool) -> None:
    for mask in drawn(20):
        np.testing.assert_array_equal(redrawn(mask, seams=seams), mask)


def test_a_part_has_one_outline_and_one_for_each_hole() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[2:18, 3:27] = 1
    mask[5:9, 5:9] = mask[5:9, 20:25] = 0
    mask[6, 6] = 1
    first, second = parts(mask)
    assert [first.left, first.top, first.width, first.height] == [3, 2, 24, 16]
    assert len(outlines(first)) == 3
    assert len(outlines(second)) == 1
    assert len(outlines(second)[0]) == 4


def test_a_rectangle_keeps_its_four_corners() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[4:15, 7:25] = 1
    (part,) = parts(mask)
    (ring,) = outlines(part)
    assert {tuple(point) for point in ring.tolist()} == {(7, 4), (25, 4), (25, 15), (7, 15)}


def test_an_outline_has_fewer_points_than_the_steps_it_cuts() -> None:
    y, x = np.mgrid[:200, :200]
    (diagonal,) = parts((y < x).astype(np.uint8))
    assert len(outlines(diagonal)[0]) <= 6
    (disc,) = parts(((x - 100) ** 2 + (y - 100) ** 2 < 90**2).astype(np.uint8))
    steps = np.count_nonzero(np.diff(disc.pixels.sum(axis=1))) * 4
    assert len(outlines(disc)[0]) < 0.75 * steps


def test_void_is_no_part_where_it_is_left_out() -> None:
    mask = np.array([[1, 255, 0, 2]], np.uint8)
    assert [part.label for part in parts(mask, without=VOID)] == [1, 2]
    assert [part.label for part in parts(mask)] == [1, 2, 255]


coordinates = st.floats(-8, 28, width=32)


@given(points=st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9))
def test_a_pixel_is_filled_where_its_centre_is_inside(points: list[tuple[float, float]]) -> None:
    ring = np.array(points)
    pixels = np.zeros((16, 20), np.uint8)
    fill(pixels, [ring], 7)
    y, x = np.mgrid[:16, :20] + 0.5
    inside, near = np.zeros(pixels.shape, bool), np.zeros(pixels.shape, bool)
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, 1, axis=0), strict=True):
        crosses = (y0 <= y) != (y1 <= y)
        with np.errstate(all="ignore"):
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-12)
        share = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
        near |= np.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0)) < 0.3
    np.testing.assert_array_equal((pixels == 7)[~near], inside[~near])


def test_what_lies_outside_of_the_image_is_cut_off() -> None:
    pixels = np.zeros((10, 10), np.uint8)
    fill(pixels, [np.array([(-50.0, 5), (50, 5), (50, 90), (-50, 90)])], 1)
    np.testing.assert_array_equal(pixels[:, 0], [0] * 5 + [1] * 5)
    assert (pixels == pixels[:, :1]).all()
    fill(pixels, [np.array([(20.0, 20), (30, 20), (30, 30)])], 2)
    assert 2 not in pixels


def test_an_ellipse_and_its_turn() -> None:
    pixels = np.zeros((100, 100), np.uint8)
    fill(pixels, [turned(ellipse(50, 50, 40, 10), 90)], 1)
    y, x = np.mgrid[:100, :100] + 0.5
    where = ((x - 50) / 10) ** 2 + ((y - 50) / 40) ** 2
    assert (pixels[where < 0.95] == 1).all()
    assert (pixels[where > 1.05] == 0).all()


def test_a_turn_goes_clockwise_as_seen() -> None:
    assert turned(np.array([(0.0, 0), (4, 0), (4, 2), (0, 2)]), 90)[0] == pytest.approx((3, -1))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 1, 5, 1], "3 points or more"),
        ([1, 1, 5, 1, 5, 5, 2], "3 points or more"),
        ([1, 1, 5, 1, float("nan"), 5], "not finite"),
        ([1, 1, 5, 1, float("inf"), 5], "not finite"),
        ([1, 1, 5, 1, 10**400, 5], "no numbers"),
        ([1, 1, 5, 1, "x", 5], "no numbers"),
        ([1, 1, 5, 1, [5], 5], "no numbers"),
        ([1, 1, 5, 1, 1e9, 5], "far outside"),
        ([0, 0, 9e5, 9e5] * 3, "outline of more than"),
        (np.zeros(2_000_000), "a polygon of 1,000,000 points"),
    ],
)
def test_a_polygon_that_cannot_be_filled_is_refused(values: list[float], words: str) -> None:
    with pytest.raises(FormatError, match=words) as error:
        limits.ring(values, "here")
    assert str(error.value).startswith("here: ")


def test_outlines_of_a_large_part_stay_where_it_is() -> None:
    pixels = np.zeros((64, 96), bool)
    pixels[3:60, 5:90] = True
    (ring,) = outlines(Part(1, 1000, 2000, pixels))
    again = np.zeros((2100, 1200), np.uint8)
    fill(again, [ring], 1)
    assert again[2003:2060, 1005:1090].all()
    assert again.sum() == 57 * 85
