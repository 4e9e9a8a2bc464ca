"""What approving puts where nobody painted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.editing.unpainted import fill_unpainted
from core.labels import VOID

PIXELS = st.lists(st.tuples(st.sampled_from([0, 1, VOID]), st.integers(0, 1)), min_size=1)


@given(PIXELS)
def test_void_becomes_what_the_model_says_and_nothing_else_changes(pairs: list[tuple[int, int]]):
    mask, prediction = (np.array([row], np.uint8) for row in zip(*pairs, strict=True))
    edit, labelled = fill_unpainted(mask, prediction)
    after = mask.copy()
    if edit is not None:
        edit.apply(after)
    assert after.tolist() == [[said if own == VOID else own for own, said in pairs]]
    assert labelled
    assert (edit is None) == (VOID not in mask)


@given(PIXELS)
def test_without_a_model_nothing_changes(pairs: list[tuple[int, int]]):
    mask = np.array([[own for own, _ in pairs]], np.uint8)
    edit, labelled = fill_unpainted(mask, None)
    assert edit is None
    assert labelled == any(own != VOID for own, _ in pairs)
