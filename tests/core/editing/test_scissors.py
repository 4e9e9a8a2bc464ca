from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.scissors import WINDOW, Scissors, path

CENTRE, RADIUS = (150.0, 120.0), 80.0


@pytest.fixture(scope="module")
def disk() -> np.ndarray:
    """A light disk on a dark ground, slightly noisy."""
    pixels = np.random.default_rng(0).integers(30, 60, (240, 320, 3), dtype=np.uint8)
    cv2.circle(pixels, (150, 120), 80, (200, 180, 160), -1)
    pixels.flags.writeable = False
    return pixels


def on_circle(degrees: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return CENTRE[0] + RADIUS * math.cos(angle), CENTRE[1] + RADIUS * math.sin(angle)


@settings(deadline=None, max_examples=20)
@given(start=st.floats(0, 360), turn=st.floats(20, 100))
def test_the_path_clings_to_the_edge(disk: np.ndarray, start: float, turn: float) -> None:
    a, b = on_circle(start), on_circle(start + turn)
    points = path(disk, a, b)
    assert points[0] == a
    assert points[-1] == b
    off = [abs(math.dist(p, CENTRE) - RADIUS) for p in points]
    assert max(off) < 4
    straight = math.dist(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), CENTRE)
    assert RADIUS - straight > max(off) or turn < 40


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(st.floats(-50, 400), st.floats(-50, 300)),
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
)
def test_a_path_joins_any_two_points_step_by_step(
    disk: np.ndarray, start: tuple[float, float], end: tuple[float, float]
) -> None:
    points = path(disk, start, end)
    assert (points[0], points[-1]) == (start, end)
    between = points[1:-1]
    for a, b in pairwise(between):
        assert max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1
    for x, y in between:
        assert 0 < x < 320
        assert 0 < y < 240


def test_one_anchor_serves_many_points(disk: np.ndarray) -> None:
    scissors = Scissors(disk, on_circle(10))
    for degrees in (30, 60, 90):
        assert scissors.to(on_circle(degrees)) == path(disk, on_circle(10), on_circle(degrees))


def test_a_large_image_is_looked_at_in_a_window_only_and_the_rest_is_straight() -> None:
    pixels = np.zeros((2000, 3000, 3), np.uint8)
    pixels[1000:] = 200  # an edge at y = 1000
    start, end = (1000.0, 1000.0), (2500.0, 1100.0)
    points = path(pixels, start, end)
    reached = points[-2]
    assert reached[0] == pytest.approx(1000 + WINDOW / 2, abs=2)
    assert points[-1] == end
    assert all(abs(x - 1000) <= WINDOW / 2 + 1 for x, _ in points[:-1])
    assert sum(abs(y - 1000) < 3 for _, y in points) > 100  # it clings until it must leave


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_images_do_no_harm(shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 77, np.uint8)
    assert path(pixels, (0.5, 0.5), (0.5, 0.5))[0] == (0.5, 0.5)
    assert path(pixels, (0.2, 0.9), (5.0, 5.0))[-1] == (5.0, 5.0)
