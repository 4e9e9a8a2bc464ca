"""Fill and click to correct: shown where the pointer rests, done by a click."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt

from core.editing.region import Region
from petseg_gui.tools.click import ClickTool
from petseg_gui.tools.fill import FillTool
from petseg_gui.tools.tool import PointerEvent

RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def outlined(document):
    """The document with a closed ring of the class."""
    document.mask[10:40, 20:50] = 1
    document.mask[12:38, 22:48] = 0
    return document


@pytest.fixture
def fill(bench):
    return FillTool(bench)


def test_a_resting_pointer_shows_what_would_be_filled_and_changes_nothing(outlined, hand, fill):
    before = outlined.mask.copy()
    hand.hover(fill, 30, 20)
    assert fill.bounds(PointerEvent(30, 20)) == QRectF(22, 12, 26, 26)
    assert np.array_equal(outlined.mask, before)
    fill.move(outlined, PointerEvent(31, 20))
    assert fill.bounds(PointerEvent(31, 20)) == QRectF()
    fill.put_down(outlined)
    assert outlined.strokes == 0


@pytest.mark.parametrize("rested", [True, False])
def test_a_click_fills_the_closed_outline(outlined, hand, fill, rested):
    if rested:
        hand.hover(fill, 30, 20)
    hand.click(fill, 30, 20)
    assert outlined.mask.sum() == 900
    assert (outlined.strokes, outlined.history.undo_title) == (1, "Fill")


def test_a_click_before_the_preview_is_ready_is_done_all_the_same(outlined, hand, fill, later):
    hand.hover(fill, 30, 20)
    hand.click(fill, 30, 20)
    assert outlined.strokes == 0
    later.work()
    assert outlined.mask.sum() == 900


def test_a_right_click_removes_a_piece_of_the_class(outlined, hand, fill):
    hand.hover(fill, 21, 20)
    hand.click(fill, 21, 20, button=RIGHT)
    assert not outlined.mask.any()


def test_the_wrong_button_says_which_is_right(outlined, hand, fill, told):
    hand.click(fill, 21, 20)
    assert "right click" in told[-1]
    hand.click(fill, 30, 20, button=RIGHT)
    assert "a click adds" in told[-1]
    assert outlined.strokes == 0


def test_outside_and_locked_do_nothing(outlined, hand, fill, told):
    hand.hover(fill, -4, 20)
    hand.click(fill, -4, 20)
    assert told == []
    outlined.locked = frozenset({1})
    hand.click(fill, 30, 20)
    assert "locked" in told[-1]
    assert outlined.strokes == 0


def test_another_class_drops_what_is_shown(outlined, hand, fill, choose):
    hand.hover(fill, 30, 20)
    choose(value=2)
    fill.refresh(outlined)
    assert fill.bounds(PointerEvent(30, 20)) == QRectF()


@pytest.fixture
def asked(monkeypatch):
    """Every call of ``correct``, which finds a square around the point."""
    calls = []

    def correct(pixels, mask, point, add, value, probability):
        calls.append((point, add, value, probability))
        x, y = (int(v) for v in point)
        return Region((x - 2, y - 2, x + 2, y + 2), np.ones((4, 4), bool))

    monkeypatch.setitem(sys.modules, "core.editing.click", SimpleNamespace(correct=correct))
    return calls


def test_a_click_corrects_with_what_the_model_says(document, hand, bench, asked):
    plane = np.full((6, 8), 0.5, np.float32)
    bench.probability = lambda *_: plane
    tool = ClickTool(bench)
    hand.hover(tool, 30, 20)
    hand.click(tool, 30, 20)
    assert document.mask[18:22, 28:32].all()
    assert document.mask.sum() == 16
    hand.click(tool, 30, 20, button=RIGHT)
    assert not document.mask.any()
    assert [call[:3] for call in asked] == [((30, 20), True, 1), ((30, 20), False, 1)]
    assert all(call[3] is plane for call in asked)


def test_over_the_class_the_resting_pointer_foresees_a_right_click(document, hand, bench, asked):
    document.mask[:] = 1
    hand.hover(ClickTool(bench), 30, 20)
    assert [call[1] for call in asked] == [False]


def test_a_click_that_finds_nothing_says_so(document, hand, bench, told, monkeypatch):
    nothing = SimpleNamespace(correct=lambda *_: None)
    monkeypatch.setitem(sys.modules, "core.editing.click", nothing)
    hand.click(ClickTool(bench), 30, 20)
    assert "brush" in told[-1]
    assert document.strokes == 0
