from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.change import UNCHANGED, changes, fill, replace, unlocked
from core.editing.history import TILE, Edit, History
from core.editing.region import Region, region_of
from core.editing.shapes import ellipse

# Larger than a tile each way, and no multiple of one.
SHAPE = (TILE + 37, 2 * TILE + 21)
CLASSES = (0, 1, 2, 3, 255)

values = st.sampled_from(CLASSES)
corners = st.tuples(st.floats(-50, SHAPE[1] + 50), st.floats(-50, SHAPE[0] + 50))
regions = st.builds(lambda a, b: ellipse(a, b, SHAPE), corners, corners).filter(bool)
locks = st.sets(values, max_size=3)
fills = st.tuples(regions, values, locks, st.none() | values)


def blocks(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.choice(np.array(CLASSES, np.uint8), (SHAPE[0] // 8 + 1, SHAPE[1] // 8 + 1))
    return coarse.repeat(8, axis=0).repeat(8, axis=1)[: SHAPE[0], : SHAPE[1]].copy()


def applied(mask: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = mask.copy()
    if edit is not None:
        edit.apply(after)
    return after


@settings(deadline=None, max_examples=40)
@given(st.lists(fills, min_size=1, max_size=6))
def test_undo_after_any_edits_restores_the_bytes_and_redo_repeats_them(steps: list) -> None:
    mask = blocks()
    history = History()
    states = [mask.copy()]
    for region, value, locked, only in steps:
        edit = fill(mask, region, value, "Lasso", locked, only)
        if edit is not None:
            edit.apply(mask)
            history.push(edit)
            states.append(mask.copy())
    for state in reversed(states[:-1]):
        history.undo(mask)
        assert np.array_equal(mask, state)
    for state in states[1:]:
        history.redo(mask)
        assert np.array_equal(mask, state)


@settings(deadline=None, max_examples=40)
@given(fills)
def test_a_fill_changes_exactly_the_pixels_it_may(step: tuple) -> None:
    region, value, locked, only = step
    mask = blocks()
    before = mask.copy()
    mask.flags.writeable = False
    edit = fill(mask, region, value, "Lasso", locked, only)
    assert np.array_equal(mask, before)
    expected = region.within((0, 0, SHAPE[1], SHAPE[0])) & ~np.isin(before, list(locked))
    if only is not None:
        expected &= before == only
    if value in locked:
        expected[:] = False
    assert np.array_equal(applied(mask, edit), np.where(expected, np.uint8(value), before))
    if edit is not None:
        ys, xs = np.nonzero(expected & (before != value))
        assert edit.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


@settings(deadline=None, max_examples=40)
@given(regions, locks, st.integers(0, 99))
def test_locked_classes_neither_lose_nor_gain_a_pixel(
    region: Region, locked: set[int], seed: int
) -> None:
    mask = blocks()
    x0, y0, x1, y1 = region.box
    wanted = blocks(seed + 1)[y0:y1, x0:x1]
    edit = replace(mask, region.box, wanted, "Segment", locked)
    after = applied(mask, edit)
    for value in locked:
        assert np.array_equal(after == value, mask == value)
    outside = np.ones(SHAPE, bool)
    outside[y0:y1, x0:x1] = False
    assert np.array_equal(after[outside], mask[outside])
    free = unlocked(mask[y0:y1, x0:x1], locked) & unlocked(wanted, locked)
    assert np.array_equal(after[y0:y1, x0:x1][free], wanted[free])


@settings(deadline=None, max_examples=40)
@given(fills)
def test_what_is_shown_of_an_edit_is_what_it_changes(step: tuple) -> None:
    region, value, locked, only = step
    mask = blocks()
    edit = fill(mask, region, value, "Lasso", locked, only)
    if edit is None:
        return
    x0, y0, x1, y1 = edit.box
    after = applied(mask, edit)[y0:y1, x0:x1]
    shown = changes(edit)
    differs = after != mask[y0:y1, x0:x1]
    assert (shown[differs] == after[differs]).all()
    assert (shown[~differs] == UNCHANGED).all()


def test_what_would_change_nothing_is_no_edit() -> None:
    mask = np.ones(SHAPE, np.uint8)
    region = region_of(np.ones((5, 5), bool), 250, 250)
    assert region is not None
    assert fill(mask, region, 1, "Lasso") is None
    assert fill(mask, region, 2, "Lasso", only=3) is None
    assert fill(mask, region, 2, "Lasso", locked={1}) is None
    assert fill(mask, region, 2, "Lasso", locked={2}) is None
    assert replace(mask, (0, 0, 9, 9), mask[:9, :9], "Segment") is None
    edit = fill(mask, region, 2, "Lasso", locked={3})
    assert edit is not None
    assert (edit.title, edit.box) == ("Lasso", (250, 250, 255, 255))
