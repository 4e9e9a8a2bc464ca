from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.brush import paint_segment
from core.editing.bucket import fill_at

RING = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 1, 0, 0, 1, 0],
        [0, 0, 1, 0, 1, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ],
    np.uint8,
)


def test_an_outline_that_is_closed_only_diagonally_holds() -> None:
    region = fill_at(RING, (2.5, 2.5))
    assert region is not None
    assert region.count == 3


def test_what_is_not_enclosed_reaches_the_edge() -> None:
    region = fill_at(RING, (0.5, 0.5))
    assert region is not None
    assert not region.within((2, 2, 3, 3)).any()


def test_clicking_on_the_outline_finds_its_pixels_and_outside_nothing() -> None:
    region = fill_at(RING, (3.9, 1.1))
    assert region is not None
    assert region.count == 2
    assert fill_at(RING, (6.0, 1.0)) is None
    assert fill_at(RING, (-0.01, 1.0)) is None
    single = fill_at(np.full((1, 1), 255, np.uint8), (0.0, 0.0))
    assert single is not None


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1400), st.floats(0, 60), st.floats(0, 1400), st.floats(0, 60)),
        max_size=6,
    ),
    st.integers(0, 1399),
    st.integers(0, 59),
)
def test_one_class_connected_and_complete_also_beyond_the_first_window(
    lines: list, x: int, y: int
) -> None:
    mask = np.zeros((60, 1400), np.uint8)
    for ax, ay, bx, by in lines:
        paint_segment(mask, (ax, ay), (bx, by), 3, 1)
    region = fill_at(mask, (x, y))
    assert region is not None
    inside = region.within((0, 0, 1400, 60))
    assert inside[y, x]
    assert (mask[inside] == mask[y, x]).all()
    # No pixel of the class touches what was found from outside: nothing was left out.
    rim = np.zeros_like(inside)
    rim[1:] |= inside[:-1]
    rim[:-1] |= inside[1:]
    rim[:, 1:] |= inside[:, :-1]
    rim[:, :-1] |= inside[:, 1:]
    assert not (mask[rim & ~inside] == mask[y, x]).any()
