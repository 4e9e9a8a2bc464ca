from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt

from petseg_gui.tools.grabcut import GrabCutTool
from petseg_gui.tools.tool import Operation, PointerEvent

RIGHT, ENTER = Qt.MouseButton.RightButton, Qt.Key.Key_Return
SQUARE = (slice(10, 40), slice(20, 50))  # the bright one in the document's photo
AROUND = (14, 5), (56, 46)


@pytest.fixture
def tool(bench):
    return GrabCutTool(bench)


def overlap(mask):
    square = np.zeros_like(mask, bool)
    square[SQUARE] = True
    found = mask == 1
    return (square & found).sum() / (square | found).sum()


def test_a_box_proposes_what_is_in_it_and_enter_takes_it(document, hand, tool):
    hand.drag(tool, *AROUND)
    assert tool.pending
    assert not document.mask.any()
    assert hand.key(tool, ENTER)
    assert overlap(document.mask) > 0.95
    assert (document.strokes, document.history.undo_title) == (1, "GrabCut")
    assert not tool.pending


def test_a_stroke_of_the_right_button_in_the_box_takes_out_what_it_passes_over(
    document, hand, tool
):
    document.pixels[30:40, 20:50] = (40, 160, 60)
    hand.drag(tool, *AROUND)
    hand.drag(tool, (22, 35), (48, 35), button=RIGHT)
    assert not document.mask.any()
    hand.key(tool, ENTER)
    assert not document.mask[35, 24:46].any()
    assert document.mask[15, 35]


def test_a_stroke_of_the_left_button_brings_in_what_it_passes_over(document, hand, tool):
    hand.drag(tool, *AROUND)
    hand.drag(tool, (52, 25), (54, 25))
    hand.key(tool, ENTER)
    assert document.mask[25, 53]


def test_the_next_box_takes_the_proposal(document, hand, tool):
    hand.drag(tool, *AROUND)
    hand.drag(tool, (72, 5), (79, 20))
    assert overlap(document.mask) > 0.95
    assert tool.pending


def test_escape_leaves_every_byte(document, hand, tool):
    hand.drag(tool, *AROUND)
    tool.cancel(document)
    assert not tool.pending
    assert not hand.key(tool, ENTER)
    assert document.strokes == 0
    assert tool.bounds(PointerEvent(0, 0)) == QRectF()


@pytest.mark.parametrize("corners", [[(20, 20)], [(20, 20), (20, 50)], [(-30, -30), (-2, -2)]])
def test_a_box_of_no_area_proposes_nothing(document, hand, tool, corners):
    hand.drag(tool, *corners)
    assert not tool.pending
    hand.key(tool, ENTER)
    assert document.strokes == 0


def test_a_box_can_select(document, hand, tool, choose):
    choose(operation=Operation.SELECT)
    hand.drag(tool, *AROUND)
    assert document.selection is not None
    assert not document.mask.any()


def test_a_locked_class_is_left_alone(document, hand, tool, told):
    document.locked = frozenset({1})
    hand.drag(tool, *AROUND)
    assert "locked" in told[-1]
    assert not tool.pending


def test_the_bounds_hold_box_proposal_and_stroke(document, hand, tool):
    hand.drag(tool, *AROUND)
    assert tool.bounds(PointerEvent(0, 0)).contains(QRectF(14, 5, 42, 41))
    tool.press(document, PointerEvent(50, 44, Qt.MouseButton.LeftButton))
    tool.move(document, PointerEvent(75, 58, Qt.MouseButton.LeftButton))
    assert tool.bounds(PointerEvent(75, 58)).contains(QRectF(50, 44, 25, 14))


def test_in_its_box_nothing_but_the_animal_is_left_of_the_class(document, hand, tool):
    document.mask[:] = 1  # a model took everything for an animal
    hand.drag(tool, *AROUND)
    tool.key(document, Qt.Key.Key_Return)
    (x0, y0), (x1, y1) = AROUND
    inside = np.zeros_like(document.mask, bool)
    inside[y0:y1, x0:x1] = True
    assert document.mask[~inside].all()  # outside of the box nothing changes
    assert overlap(document.mask * inside) > 0.95
