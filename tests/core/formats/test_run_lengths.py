"""Run lengths say what pycocotools says, and never more pixels than there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from core.formats import run_lengths
from core.formats.polygons import parts
from core.formats.source import FormatError

shapes = array_shapes(min_dims=2, max_dims=2, max_side=20)
binary = arrays(np.uint8, shapes, elements=st.integers(0, 1))


@given(mask=binary)
def test_compressed_runs_are_those_of_pycocotools(mask: np.ndarray) -> None:
    height, width = mask.shape
    for part in parts(mask):
        whole = np.zeros(mask.shape, np.uint8, order="F")
        whole[part.top : part.top + part.height, part.left : part.left + part.width] = part.pixels
        text = run_lengths.compressed(part, (width, height))
        assert text == coco.encode(whole)["counts"]
        again = np.zeros(mask.shape, np.uint8)
        run_lengths.paint_compressed(again, text, 5, "here")
        np.testing.assert_array_equal(again, 5 * whole)


@given(mask=binary)
def test_rows_there_and_back(mask: np.ndarray) -> None:
    height, width = mask.shape
    runs = run_lengths.rows(mask.astype(bool))
    np.testing.assert_array_equal(run_lengths.of_rows(runs, (width, height), "here"), mask)


@given(text=st.binary(max_size=40))
def test_no_text_makes_pycocotools_leave_its_memory(text: bytes) -> None:
    pixels = np.zeros((7, 9), np.uint8)
    try:
        run_lengths.paint_compressed(pixels, text, 1, "here")
    except FormatError:
        assert not pixels.any()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([3], "3 pixels, shorter than the 9 x 7"),
        ([], "0 pixels, shorter"),
        ([3, 61], "64 pixels, longer"),
        ([2**40, 2**40], "longer"),
        ([-1, 64], "below 0"),
    ],
)
def test_runs_that_do_not_fit_are_refused(counts: list[int], words: str) -> None:
    pixels = np.zeros((7, 9), np.uint8)
    with pytest.raises(FormatError, match=words):
        run_lengths.paint_columns(pixels, np.array(counts, np.int64), 1, "here")
    with pytest.raises(FormatError, match=words):
        run_lengths.of_rows(np.array(counts, np.int64), (9, 7), "here")
    assert not pixels.any()


def test_an_empty_run_at_the_start_and_full_columns() -> None:
    pixels = np.zeros((2, 3), np.uint8)
    run_lengths.paint_columns(pixels, np.array([0, 4, 2]), 1, "here")
    np.testing.assert_array_equal(pixels, [[1, 1, 0], [1, 1, 0]])
