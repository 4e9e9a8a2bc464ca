from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.brush import Point, paint_segment
from core.editing.region import Region
from core.editing.similar import Similar

SHAPE = (60, 90)


def halves() -> np.ndarray:
    """Light on the left, dark on the right, and a light strip behind the dark."""
    pixels = np.full((*SHAPE, 3), 200, np.uint8)
    pixels[:, 40:] = 60
    pixels[:, 70:] = 200
    pixels.flags.writeable = False
    return pixels


def seen(region: Region | None, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    if region is None:
        return np.zeros(shape, bool)
    return region.within((0, 0, shape[1], shape[0]))


def brush(start: Point, end: Point, size: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    paint_segment(mask, start, end, size, 1)
    return mask > 0


points = st.tuples(st.floats(-40, 130), st.floats(-40, 100))


@settings(deadline=None)
@given(points, points, points, st.integers(1, 200), st.integers(0, 255))
def test_it_paints_within_the_brush_only_and_everything_at_full_tolerance(
    first: Point, start: Point, end: Point, size: int, tolerance: int
) -> None:
    drawn = brush(start, end, size)
    similar = Similar(halves(), first, tolerance)
    assert not (seen(similar.segment(start, end, size)) & ~drawn).any()
    everything = Similar(halves(), first, 255)
    assert np.array_equal(seen(everything.segment(start, end, size)), drawn)


def test_it_stops_at_an_edge_and_does_not_jump_over_it() -> None:
    similar = Similar(halves(), (20.0, 30.0), 20)
    painted = seen(similar.segment((20.0, 30.0), (38.0, 30.0), 160))
    assert painted[:, :38].all()
    assert not painted[:, 42:].any()
    # When the pointer itself goes there, it paints there.
    behind = seen(similar.segment((80.0, 30.0), (82.0, 30.0), 10))
    assert behind[30, 80]
    # And never what is not like the start.
    assert similar.segment((55.0, 30.0), (56.0, 30.0), 10) is None


def test_noise_and_a_hair_under_the_pointer_do_not_stop_it() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(90, 150, (*SHAPE, 3), dtype=np.uint8)
    pixels[30] = 0
    similar = Similar(pixels, (20.0, 20.0), 30)
    painted = seen(similar.segment((45.0, 30.5), (45.0, 30.5), 50))
    drawn = brush((45.0, 30.5), (45.0, 30.5), 50)
    drawn[27:34] = False
    assert painted[drawn].mean() > 0.95
    assert not painted[30].any()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(points, st.integers(1, 80)), min_size=1, max_size=4))
def test_what_was_looked_at_before_makes_no_difference(segments: list) -> None:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (300, 40, 3), dtype=np.uint8)
    pixels = coarse.repeat(16, axis=1).repeat(2, axis=0)
    shape = pixels.shape[:2]
    similar = Similar(pixels, (5.0, 5.0), 90)
    for (x, y), size in segments:
        at = (x * 6, y * 6)
        again = Similar(pixels, (5.0, 5.0), 90).segment(at, at, size)
        assert np.array_equal(seen(similar.segment(at, at, size), shape), seen(again, shape))


def test_a_wide_brush_keeps_to_the_edge_too() -> None:
    pixels = np.full((1300, 1700, 3), 200, np.uint8)
    pixels[:, 900:1000] = 50
    similar = Similar(pixels, (600.0, 600.0), 30)
    start, end = (600.0, 600.0), (640.0, 610.0)
    painted = seen(similar.segment(start, end, 1500), (1300, 1700))
    drawn = brush(start, end, 1500, (1300, 1700))
    assert painted[:, :896][drawn[:, :896]].all()
    assert not painted[:, 903:].any()


@pytest.mark.parametrize("far", [(-1e9, 0.0), (1e9, 1e9)])
def test_strokes_outside_and_tiny_images_do_no_harm(far: Point) -> None:
    similar = Similar(halves(), far, 10)
    assert similar.segment(far, far, 50) is None
    assert Similar(halves(), far, 255).segment(far, (5.0, 5.0), 9) is not None
    one = Similar(np.full((1, 1, 3), 9, np.uint8), (0.5, 0.5), 0)
    region = one.segment((0.5, 0.5), (0.5, 0.5), 2000)
    assert region is not None
    assert region.box == (0, 0, 1, 1)
