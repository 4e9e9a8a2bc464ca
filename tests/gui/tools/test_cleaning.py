from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF, Qt

from core.editing.region import Region
from core.labels import scheme_of
from petseg_gui.document import Document
from petseg_gui.tools.cleaning import CleaningTool
from petseg_gui.tools.recipes import recipe
from petseg_gui.tools.tool import Options, PointerEvent, Workbench

ENTER = Qt.Key.Key_Return
ALL = (
    "fill_holes",
    "remove_islands",
    "keep_largest",
    "grow",
    "shrink",
    "smooth",
    "refine_edge",
    "invert",
    "clear",
)


@pytest.fixture
def ended():
    return []


@pytest.fixture
def clean(bench, ended, document):
    """clean(id) -> the clean-up, proposed."""

    def start(id_, **changes):
        tool = CleaningTool(bench, recipe(id_), lambda: ended.append(id_))
        for name, value in changes.items():
            setattr(tool, name, value)
        tool.refresh(document)
        return tool

    return start


def test_nothing_changes_before_enter(document, hand, clean, ended):
    document.mask[10:20, 10:20] = 1
    before = document.mask.copy()
    tool = clean("grow")
    assert np.array_equal(document.mask, before)
    assert tool.bounds(PointerEvent(0, 0)).contains(QRectF(9, 9, 12, 12))
    assert hand.key(tool, ENTER)
    assert document.mask.sum() > 100
    assert (document.strokes, document.history.undo_title) == (1, "Grow")
    assert ended == ["grow"]


def test_escape_leaves_every_byte_and_ends_it(document, clean, ended, hand):
    document.mask[10:20, 10:20] = 1
    before = document.mask.copy()
    tool = clean("clear")
    tool.cancel(document)
    tool.refresh(document)
    tool.put_down(document)
    assert np.array_equal(document.mask, before)
    assert ended == ["clear"]


def test_leaving_takes_it_though_it_is_still_being_worked_out(document, clean, later):
    document.mask[10:20, 10:20] = 1
    clean("clear").put_down(document)
    assert not document.mask.any()


def test_another_number_proposes_anew_and_the_count_waits_for_it(document, clean, later):
    document.mask[10:20, 10:20] = 1
    tool = clean("grow")
    later.work()
    small = tool.count
    tool.amount = 8
    tool.refresh(document)
    assert tool.count is None
    later.work()
    assert tool.count > small


def test_a_clean_up_with_nothing_to_do_counts_zero_and_says_so(document, clean, hand, told):
    tool = clean("fill_holes")
    assert tool.count == 0
    hand.key(tool, ENTER)
    assert "nothing to change" in told[-1]
    assert document.strokes == 0


def test_it_acts_on_the_class_in_hand_or_on_all(document, clean, choose, hand):
    document.mask[10:20, 10:20] = 1
    document.mask[30:40, 10:20] = 2
    choose(value=2)
    assert clean("clear").count == 100
    hand.key(clean("clear", every_class=True), ENTER)
    assert not document.mask.any()


def test_a_selection_limits_it(document, clean, hand):
    document.mask[:] = 1
    inside = np.zeros((10, 10), bool)
    inside[2:5, 2:5] = True
    document.select(Region((20, 20, 30, 30), inside))
    tool = clean("clear")
    assert tool.count == 9
    hand.key(tool, ENTER)
    assert np.argwhere(document.mask == 0).tolist() == [
        [y, x] for y in (22, 23, 24) for x in (22, 23, 24)
    ]


masks = st.lists(st.tuples(st.integers(0, 3), *[st.integers(0, 30)] * 4), min_size=1, max_size=6)


@given(blocks=masks, id_=st.sampled_from(ALL), locked=st.sets(st.integers(0, 3)), box=st.booleans())
def test_the_count_is_what_then_changes_inside_the_selection_and_no_locked_class_does(
    blocks, id_, locked, box
):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    mask = np.zeros((30, 30), np.uint8)
    for value, x0, y0, x1, y1 in blocks:
        mask[min(y0, y1) : max(y0, y1), min(x0, x1) : max(x0, x1)] = value
    document = Document("a", pixels, mask, scheme_of("custom", list("abcd")))
    document.locked = frozenset(locked)
    if box:
        document.select(Region((5, 5, 20, 25), np.eye(20, 15, dtype=bool)))
    before = mask.copy()
    tool = CleaningTool(Workbench(Options(value=1)), recipe(id_), lambda: None)
    tool.refresh(document)
    count = tool.count
    assert np.array_equal(mask, before)
    tool.put_down(document)
    differs = mask != before
    assert count == differs.sum()
    for value in locked:
        assert np.array_equal(mask == value, before == value)
    if box:
        assert not (differs & ~document.selection.within((0, 0, 30, 30))).any()
    document.undo()
    assert np.array_equal(mask, before)
