from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.box import intersection, union
from core.editing.brush import paint_segment, segment_box
from core.editing.draft import Draft
from core.editing.history import TILE, Edit, History, Step, compare

# Larger than a tile each way, and no multiple of one.
SHAPE = (TILE + 37, 2 * TILE + 21)

point = st.tuples(st.floats(-80, SHAPE[1] + 80), st.floats(-80, SHAPE[0] + 80))
segment = st.tuples(point, point, st.integers(1, 120), st.integers(0, 255))
stroke = st.lists(segment, min_size=1, max_size=4)


def draw(mask: np.ndarray, segments: list[tuple], title: str = "Brush") -> Edit | None:
    draft = Draft(mask)
    for start, end, size, value in segments:
        box = segment_box(mask.shape, start, end, size)
        if box is not None:
            draft.protect(box)
            paint_segment(mask, start, end, size, value)
    return draft.finish(title)


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, SHAPE, dtype=np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.lists(stroke, min_size=1, max_size=5))
def test_undoing_everything_restores_each_state_and_redo_repeats_it(strokes: list) -> None:
    mask = noise()
    history = History()
    states = [mask.copy()]
    for segments in strokes:
        edit = draw(mask, segments)
        if edit is not None:
            history.push(edit)
            states.append(mask.copy())
    for state in reversed(states[:-1]):
        assert history.undo(mask) is not None
        assert np.array_equal(mask, state)
    assert history.undo(mask) is None
    for state in states[1:]:
        assert history.redo(mask) is not None
        assert np.array_equal(mask, state)
    assert history.redo(mask) is None


@settings(max_examples=40, deadline=None)
@given(stroke)
def test_an_edit_changes_nothing_outside_its_box_and_its_box_is_tight(segments: list) -> None:
    mask = noise()
    before = mask.copy()
    edit = draw(mask, segments)
    changed = mask != before
    if edit is None:
        assert not changed.any()
        return
    ys, xs = np.nonzero(changed)
    assert edit.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


def test_undo_touches_only_what_the_edit_changed() -> None:
    mask = np.zeros(SHAPE, np.uint8)
    history = History()
    edit = draw(mask, [((20, 20), (40, 40), 9, 1)])
    assert edit is not None
    history.push(edit)
    mask[200, 400] = 7  # e.g. another process's mask, read anew
    history.undo(mask)
    assert mask[200, 400] == 7
    assert np.count_nonzero(mask) == 1


def test_painting_what_is_there_already_is_no_edit() -> None:
    mask = np.ones(SHAPE, np.uint8)
    assert draw(mask, [((5, 5), (90, 90), 12, 1)]) is None


def test_a_long_diagonal_keeps_only_the_tiles_it_crosses() -> None:
    mask = np.zeros((TILE * 8, TILE * 8), np.uint8)
    edit = draw(mask, [((0, 0), (TILE * 8, TILE * 8), 3, 1)])
    assert edit is not None
    assert edit.box == (0, 0, TILE * 8, TILE * 8)
    assert len(edit.patches) < 8 * 8 / 2


def test_restoring_a_draft_brings_every_byte_back_and_says_where() -> None:
    mask = noise()
    before = mask.copy()
    draft = Draft(mask)
    assert draft.restore() is None
    for start, end, size in (((10.0, 10.0), (300.0, 200.0), 40), ((290.0, 280.0), (9e3, 9e3), 90)):
        box = segment_box(mask.shape, start, end, size)
        assert box is not None
        draft.protect(box)
        paint_segment(mask, start, end, size, 9)
    changed = np.argwhere(mask != before)
    box = draft.restore()
    assert box is not None
    assert np.array_equal(mask, before)
    assert (changed >= (box[1], box[0])).all()
    assert (changed < (box[3], box[2])).all()
    assert intersection(box, (0, 0, SHAPE[1], SHAPE[0])) == box


def test_a_new_edit_ends_what_could_be_redone() -> None:
    mask = np.zeros(SHAPE, np.uint8)
    history = History()
    for x in (10.0, 50.0):
        edit = draw(mask, [((x, 10), (x, 10), 5, 1)])
        assert edit is not None
        history.push(edit)
    history.undo(mask)
    assert history.can_redo
    edit = draw(mask, [((90, 90), (90, 90), 5, 1)], "Eraser")
    assert edit is not None
    history.push(edit)
    assert not history.can_redo
    assert history.redo(mask) is None
    first = draw(np.zeros(SHAPE, np.uint8), [((10, 10), (10, 10), 5, 1)])
    assert first is not None
    assert history.nbytes == first.nbytes + edit.nbytes  # what is gone takes no memory
    assert (history.undo_title, history.redo_title) == ("Eraser", "")
    history.undo(mask)
    assert (history.undo_title, history.redo_title) == ("Brush", "Eraser")


def test_what_is_forgotten_first_is_what_undo_would_come_to_last() -> None:
    mask = np.zeros((64, 64), np.uint8)
    history = History()
    for value in (1, 2, 3):
        edit = compare(mask, np.full_like(mask, value), "Segment")
        assert edit is not None
        mask[:] = value
        history.push(edit)
    history.undo(mask)
    history.forget_oldest()
    assert history.undo(mask) == (0, 0, 64, 64)
    assert (mask == 1).all()
    assert history.undo(mask) is None
    history.forget_oldest()
    assert (history.steps, history.can_redo) == (1, True)


def test_each_step_is_told_with_the_pixels_that_it_leaves() -> None:
    mask = np.zeros((8, 8), np.uint8)
    edit = compare(mask, np.eye(8, dtype=np.uint8), "Brush")
    assert edit is not None
    copy, history = mask.copy(), History()

    def follow(step: Step) -> None:
        for (x0, y0, x1, y1), packed in step.packed():
            data = zlib.decompress(packed) if len(packed) > 1 else packed * ((x1 - x0) * (y1 - y0))
            copy[y0:y1, x0:x1] = np.frombuffer(data, np.uint8).reshape(y1 - y0, x1 - x0)

    history.on_step = follow
    edit.apply(mask)
    history.push(edit)
    assert np.array_equal(copy, mask)
    history.undo(mask)
    assert np.array_equal(copy, mask)
    history.redo(mask)
    assert np.array_equal(copy, np.eye(8))


def test_an_edit_of_everything_takes_little_memory_where_tiles_are_of_one_class() -> None:
    before, after = np.zeros(SHAPE, np.uint8), np.full(SHAPE, 3, np.uint8)
    after[5, 7] = 1
    edit = compare(before, after, "Fill")
    assert edit is not None
    assert edit.nbytes < 1000 * len(edit.patches)
    mask = before.copy()
    edit.apply(mask)
    assert np.array_equal(mask, after)
    edit.revert(mask)
    assert np.array_equal(mask, before)


def test_comparing_equal_masks_finds_no_edit() -> None:
    assert compare(noise(), noise(), "Segment") is None


def test_an_edit_cannot_be_changed() -> None:
    edit = compare(noise(0), noise(1), "Segment")
    assert edit is not None
    with pytest.raises(AttributeError):
        edit.title = "Brush"  # type: ignore[misc]


def test_boxes_unite_and_intersect() -> None:
    assert union((0, 5, 3, 9), (2, 1, 8, 6)) == (0, 1, 8, 9)
    assert intersection((0, 0, 5, 5), (3, 2, 9, 9)) == (3, 2, 5, 5)
    assert intersection((0, 0, 5, 5), (5, 0, 9, 9)) is None
