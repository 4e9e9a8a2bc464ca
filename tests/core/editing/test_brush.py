from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.editing.brush import paint_segment, segment_box

WIDTH, HEIGHT = 61, 47
coordinates = st.floats(-200, 250, allow_nan=False)
points = st.tuples(coordinates, coordinates)
inside = st.tuples(st.floats(0, WIDTH - 0.01), st.floats(0, HEIGHT - 0.01))
sizes = st.integers(1, 90)


def blank() -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


@given(inside)
def test_size_1_paints_exactly_the_pixel_under_the_pointer(point: tuple[float, float]) -> None:
    mask = blank()
    box = paint_segment(mask, point, point, 1, 7)
    x, y = int(point[0]), int(point[1])
    assert box == (x, y, x + 1, y + 1)
    assert mask[y, x] == 7
    assert np.count_nonzero(mask) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 12, 24, 25, 40])
def test_a_dab_has_the_size_it_is_given_and_is_round(size: int) -> None:
    mask = np.zeros((64, 64), np.uint8)
    box = paint_segment(mask, (32.2, 31.7), (32.2, 31.7), size, 1)
    assert box is not None
    x0, y0, x1, y1 = box
    assert (x1 - x0, y1 - y0) == (size, size)
    dab = mask[y0:y1, x0:x1]
    assert dab.any(axis=0).all()
    assert dab.any(axis=1).all()
    assert np.array_equal(dab, dab[::-1])
    assert np.array_equal(dab, dab.T)
    if size > 8:
        assert dab.sum() == pytest.approx(np.pi * size**2 / 4, rel=0.05)


@given(inside, inside, st.integers(1, 9))
def test_a_fast_move_leaves_no_gap(
    start: tuple[float, float], end: tuple[float, float], size: int
) -> None:
    mask = blank()
    paint_segment(mask, start, end, size, 1)
    pieces, _ = cv2.connectedComponents(mask, connectivity=8)
    assert pieces - 1 == 1
    for x, y in (start, end):
        assert mask[int(y), int(x)] == 1


@given(points, points, sizes)
def test_a_stroke_is_every_pixel_within_half_its_size_of_the_line(
    start: tuple[float, float], end: tuple[float, float], size: int
) -> None:
    # Half integers, as the brush itself snaps them, so that both sides mean the same line.
    offset = 0.5 if size % 2 else 0.0
    a = np.floor(start) + offset
    b = np.floor(end) + offset
    mask = blank()
    paint_segment(mask, (a[0], a[1]), (b[0], b[1]), size, 1)

    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    d = b - a
    along = ((x - a[0]) * d[0] + (y - a[1]) * d[1]) / max(float(d @ d), 1e-9)
    along = along.clip(0, 1)
    distance = np.hypot(x - a[0] - along * d[0], y - a[1] - along * d[1])
    assert (mask[distance < size / 2 - 1e-3] == 1).all()
    assert (mask[distance > size / 2 + 1e-3] == 0).all()


@given(points, points, sizes)
def test_nothing_changes_outside_the_box(
    start: tuple[float, float], end: tuple[float, float], size: int
) -> None:
    mask = blank()
    box = paint_segment(mask, start, end, size, 3)
    assert box == segment_box(mask.shape, start, end, size)
    if box is not None:
        x0, y0, x1, y1 = box
        assert 0 <= x0 < x1 <= WIDTH
        assert 0 <= y0 < y1 <= HEIGHT
        mask[y0:y1, x0:x1] = 0
    assert not mask.any()


def test_a_stroke_outside_the_image_paints_nothing() -> None:
    mask = blank()
    assert paint_segment(mask, (-90, 10), (-50, 1e7), 20, 1) is None
    assert not mask.any()


def test_the_largest_brush_covers_a_whole_image() -> None:
    mask = blank()
    assert paint_segment(mask, (30, 20), (31, 20), 2000, 1) == (0, 0, WIDTH, HEIGHT)
    assert mask.all()


def test_painting_the_eraser_value_takes_pixels_away() -> None:
    mask = np.ones((HEIGHT, WIDTH), np.uint8)
    paint_segment(mask, (10, 10), (20, 10), 6, 0)
    assert mask[10, 15] == 0
    assert mask[30, 15] == 1
