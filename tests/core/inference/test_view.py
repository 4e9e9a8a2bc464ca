"""The view ``whole``: fitted and padded, never stretched; shared by training and prediction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inference.view import fit_whole
from core.labels import VOID

SIDES = st.integers(1, 3000)


@given(SIDES, SIDES, st.sampled_from([32, 48, 64, 160]))
def test_an_image_is_never_stretched(height: int, width: int, size: int):
    fitted = fit_whole(height, width, size)
    assert max(fitted.width, fitted.height) == size
    scale = size / max(height, width)
    assert abs(fitted.width - width * scale) <= 0.5 or fitted.width == 1
    assert abs(fitted.height - height * scale) <= 0.5 or fitted.height == 1


@given(SIDES, SIDES, st.sampled_from([32, 48, 64]))
def test_an_image_lies_in_the_middle(height: int, width: int, size: int):
    fitted = fit_whole(height, width, size)
    right, below = size - fitted.left - fitted.width, size - fitted.top - fitted.height
    assert 0 <= right - fitted.left <= 1
    assert 0 <= below - fitted.top <= 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (37, 91), (300, 200), (64, 64)])
def test_the_padding_repeats_the_edge_and_is_void_in_the_mask(height: int, width: int):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    fitted = fit_whole(height, width, 64)
    placed = fitted.place(pixels)
    assert placed.shape == (64, 64, 3)
    padded = np.pad(
        fitted.cut(placed.transpose(2, 0, 1)).transpose(1, 2, 0),
        (
            (fitted.top, 64 - fitted.top - fitted.height),
            (fitted.left, 64 - fitted.left - fitted.width),
            (0, 0),
        ),
        mode="edge",
    )
    np.testing.assert_array_equal(placed, padded)
    mask = fitted.place_mask(np.ones((height, width), np.uint8), VOID)
    assert (fitted.cut(mask) == 1).all()
    assert (mask == 1).sum() == fitted.width * fitted.height
    assert set(np.unique(mask)) <= {1, VOID}


def test_a_mask_is_never_blended_into_classes_that_nobody_drew():
    mask = np.zeros((90, 120), np.uint8)
    mask[:, 60:] = 7
    assert set(np.unique(fit_whole(90, 120, 64).place_mask(mask, VOID))) == {0, 7, VOID}


def test_image_and_mask_move_alike():
    mask = np.zeros((200, 300), np.uint8)
    mask[50:120, 80:210] = 1
    fitted = fit_whole(200, 300, 64)
    seen = fitted.place(np.dstack([mask * 255] * 3))[..., 0]
    placed = fitted.place_mask(mask, VOID)
    assert (seen[placed == 1] > 60).all()
    assert (seen[placed == 0] < 195).all()
