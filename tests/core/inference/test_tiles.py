"""Window by window: every pixel is asked for, no seams, and nothing as large as the image."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inference import tiles
from core.inference.tiles import ask_in_windows, longer_side, windows

SIZE = 32
LENGTHS = st.integers(1, 300)


def colours(window: np.ndarray) -> np.ndarray:
    """Two classes: how red a pixel is, and how little."""
    red = window[..., 0].astype(np.float32) / 255
    return np.stack([red, 1 - red])


def smooth_picture(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    red = 127 + 120 * np.sin(rows / 17) * np.cos(columns / 23)
    return np.repeat(red.astype(np.uint8)[..., None], 3, 2)


@given(LENGTHS, st.integers(32, 80), st.integers(1, 5))
def test_windows_cover_a_row_and_their_shares_sum_to_one(length: int, size: int, step: int):
    total = np.zeros(length)
    starts = []
    for window in windows(length, size, step):
        assert len(window.shares) == min(size, length - window.start)
        assert window.start % step == 0
        assert (window.shares > 0).all()
        total[window.start : window.start + size] += window.shares
        starts.append(window.start)
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert starts == sorted(set(starts))


@given(LENGTHS, st.integers(32, 80))
def test_no_more_windows_than_their_overlap_needs(length: int, size: int):
    count = len(windows(length, size))
    assert (count - 2) * (size - size // 4) + size < length or count == 1


@given(st.integers(1, 90), st.integers(1, 90))
def test_each_pixels_answer_lands_where_it_was_asked(height: int, width: int):
    pixels = np.random.default_rng(height * 100 + width).integers(
        0, 256, (height, width, 3), dtype=np.uint8
    )
    planes = ask_in_windows(pixels, SIZE, 2, colours)
    assert planes.dtype == np.float32
    np.testing.assert_allclose(planes, colours(pixels), atol=1e-6)


def test_windows_that_disagree_leave_no_seam():
    """Each window says another number; between neighbours the answer changes bit by bit."""
    said = iter(np.random.default_rng(0).random(1000))

    def moody(window: np.ndarray) -> np.ndarray:
        one = np.full((SIZE, SIZE), next(said), np.float32)
        return np.stack([one, 1 - one])

    planes = ask_in_windows(np.zeros((150, 170, 3), np.uint8), SIZE, 2, moody)
    np.testing.assert_allclose(planes.sum(0), 1, atol=1e-6)
    assert planes[0].std() > 0.05
    # An overlap has at least SIZE / 4 pixels: no step is much larger than its share of them.
    assert np.abs(np.diff(planes[0], axis=0)).max() < 0.25
    assert np.abs(np.diff(planes[0], axis=1)).max() < 0.25


@pytest.mark.parametrize(("height", "width"), [(100, 140), (97, 31), (30, 201)])
def test_a_large_answer_is_kept_in_bytes_then_at_a_lower_resolution(
    monkeypatch: pytest.MonkeyPatch, height: int, width: int
):
    pixels = smooth_picture(height, width)
    whole = colours(pixels)
    monkeypatch.setattr(tiles, "MOST_FLOATS", 1)
    in_bytes = ask_in_windows(pixels, SIZE, 2, colours)
    assert in_bytes.dtype == np.uint8
    np.testing.assert_allclose(in_bytes / 255, whole, atol=0.51 / 255)
    monkeypatch.setattr(tiles, "MOST_BYTES", whole.size // 7)
    lower = ask_in_windows(pixels, SIZE, 2, colours)
    assert lower.shape == (2, -(-height // 3), -(-width // 3))
    np.testing.assert_allclose(lower[:, 3, 3] / 255, whole[:, 9:12, 9:12].mean((1, 2)), atol=0.01)
    # Its last row and column too, wherever the windows end.
    np.testing.assert_allclose(lower[:, -1, -1] / 255, whole[:, -1, -1], atol=0.1)


def test_memory_does_not_grow_with_the_image():
    """24 megapixels in floats would be 192 MB."""
    pixels = np.broadcast_to(np.uint8(9), (4000, 6000, 3))
    said = np.full((2, 512, 512), 0.2, np.float32)
    tracemalloc.start()
    planes = ask_in_windows(pixels, 512, 2, lambda window: said)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert planes.dtype == np.uint8
    assert (planes == 51).all()
    assert most - planes.nbytes < 80e6


@given(st.integers(1, 5000), st.integers(32, 512), st.integers(1, 32))
def test_more_tiles_show_an_image_larger_up_to_its_own_size(length: int, size: int, count: int):
    side = longer_side(length, size, count)
    assert side >= longer_side(length, size, max(1, count - 1)) >= size
    assert side <= max(length, size)
    if side > size:
        assert len(windows(side, size)) <= count
    if size + (count - 1) * size < length:
        assert len(windows(side, size)) == count


def test_one_tile_is_the_whole_image():
    assert longer_side(4000, 192, 1) == longer_side(20, 192, 1) == 192
