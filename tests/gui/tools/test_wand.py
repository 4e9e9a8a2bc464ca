from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt

from petseg_gui.tools.tool import Operation, PointerEvent
from petseg_gui.tools.wand import WandTool

RIGHT, ENTER = Qt.MouseButton.RightButton, Qt.Key.Key_Return
BRIGHT = (slice(10, 40), slice(20, 50))  # see the document's photo


@pytest.fixture
def tool(bench):
    return WandTool(bench)


def test_a_click_only_proposes_and_enter_takes_it(document, hand, tool):
    hand.click(tool, 30, 20)
    assert tool.pending
    assert tool.bounds(PointerEvent(0, 0)) == QRectF(20, 10, 30, 30)
    assert not document.mask.any()
    assert hand.key(tool, ENTER)
    assert document.mask[BRIGHT].all()
    assert document.mask.sum() == 900
    assert document.history.undo_title == "Magic wand"
    assert not hand.key(tool, ENTER)


def test_a_double_click_takes_it(document, hand, tool):
    hand.click(tool, 30, 20)
    hand.click(tool, 30, 20, double=True)
    assert document.mask.sum() == 900
    assert not tool.pending


def test_the_next_click_takes_it_and_proposes_anew(document, hand, tool):
    hand.click(tool, 30, 20)
    hand.click(tool, 5, 5)
    assert document.mask.sum() == 900
    assert tool.pending
    tool.put_down(document)
    assert document.mask.all()


def test_escape_leaves_every_byte(document, hand, tool):
    hand.click(tool, 30, 20)
    tool.cancel(document)
    assert not hand.key(tool, ENTER)
    assert not document.mask.any()
    assert tool.bounds(PointerEvent(0, 0)) == QRectF()


def test_the_proposal_follows_the_tolerance(document, hand, tool, choose):
    hand.click(tool, 30, 20)
    choose(tolerance=200)
    tool.refresh(document)
    hand.key(tool, ENTER)
    assert document.mask.all()


def test_not_contiguous_finds_what_is_alike_elsewhere(document, hand, tool, choose):
    document.pixels[50:55, 70:75] = 200
    choose(contiguous=False)
    hand.click(tool, 30, 20)
    hand.key(tool, ENTER)
    assert document.mask.sum() == 925


def test_the_right_button_takes_away(document, hand, tool):
    document.mask[:] = 1
    hand.click(tool, 30, 20, button=RIGHT)
    hand.key(tool, ENTER)
    assert not document.mask[BRIGHT].any()
    assert document.mask.sum() == 80 * 60 - 900


def test_selecting_follows_the_tolerance_too(document, hand, tool, choose):
    choose(operation=Operation.SELECT)
    hand.click(tool, 30, 20)
    assert document.selection.count == 900
    choose(operation=Operation.SELECT, tolerance=255)
    tool.refresh(document)
    assert document.selection.count == 80 * 60
    assert not document.mask.any()


def test_a_click_outside_proposes_nothing(document, hand, tool):
    hand.click(tool, -5, 20)
    assert not tool.pending
    hand.key(tool, ENTER)
    assert document.strokes == 0


def test_enter_before_the_newest_proposal_is_ready_takes_that_one_when_it_is(
    document, hand, tool, choose, later
):
    hand.click(tool, 30, 20)
    later.work()
    choose(tolerance=200)
    tool.refresh(document)
    hand.key(tool, ENTER)
    assert not document.mask.any()
    later.work()
    assert document.mask.all()


def test_of_many_tolerances_in_a_row_only_the_last_is_worked_out(
    document, hand, tool, choose, later, monkeypatch
):
    import petseg_gui.tools.wand as module

    worked_out = []
    wand = module._wand
    monkeypatch.setattr(module, "_wand", lambda *a: (worked_out.append(a[2]), wand(*a))[1])
    hand.click(tool, 30, 20)
    for tolerance in range(50, 60):
        choose(tolerance=tolerance)
        tool.refresh(document)
    later.work()
    assert worked_out == [59]


def test_putting_the_tool_down_loses_nothing_though_work_takes_its_time(
    document, hand, tool, later
):
    hand.click(tool, 30, 20)
    tool.put_down(document)
    assert document.mask.sum() == 900


@pytest.mark.parametrize("change", ["set_mask", "stroke", "cancelled stroke"])
def test_a_mask_that_changed_meanwhile_keeps_its_change(document, hand, tool, change):
    hand.click(tool, 30, 20)
    if change == "set_mask":
        document.set_mask(np.full_like(document.mask, 2))
    else:
        document.paint_segment((5, 15), (60, 15), 4, 2)
        if change == "stroke":
            document.commit("Brush")
        else:
            document.cancel()
    before = document.mask.copy()
    hand.key(tool, ENTER)
    assert document.mask[BRIGHT].all()
    outside = np.ones_like(before, bool)
    outside[BRIGHT] = False
    assert np.array_equal(document.mask[outside], before[outside])
    document.undo()
    assert np.array_equal(document.mask, before)


def test_a_class_that_was_locked_meanwhile_is_left_alone(document, hand, tool):
    document.mask[:, 30:] = 2
    before = document.mask.copy()
    hand.click(tool, 25, 20)
    document.locked = frozenset({2})
    hand.key(tool, ENTER)
    assert np.array_equal(document.mask == 2, before == 2)
    assert document.mask[20, 25] == 1


def test_work_that_begins_just_as_it_is_taken_is_not_lost(document, hand, bench, tool, later):
    hand.click(tool, 30, 20)
    bench.repaint = later.work  # as a thread may, at any moment
    hand.key(tool, ENTER)
    assert document.mask.sum() == 900
