from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from petseg_gui.tools.segment_box import SegmentBoxTool

ENTER = Qt.Key.Key_Return
BOX = (10, 5, 40, 35)
CORNERS = (10, 5), (40, 35)


@pytest.fixture
def looked(bench):
    """The boxes that the model looked at; it finds a pet in the left half of each."""
    boxes = []

    def segment(document, box):
        boxes.append(box)
        pixels = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        pixels[:, : pixels.shape[1] // 2] = 1
        return pixels

    bench.segment = segment
    return boxes


@pytest.fixture
def tool(bench, looked):
    return SegmentBoxTool(bench)


def test_a_box_proposes_what_the_model_says_and_enter_takes_it_as_one_edit(
    document, hand, tool, looked
):
    document.mask[:] = 1
    hand.drag(tool, *CORNERS)
    assert looked == [BOX]
    assert document.mask.all()
    assert hand.key(tool, ENTER)
    expected = np.ones_like(document.mask)
    expected[5:35, 25:40] = 0
    assert np.array_equal(document.mask, expected)
    assert (document.strokes, document.history.undo_title) == (1, "Segment in a box")
    document.undo()
    assert document.mask.all()


def test_esc_drops_it_and_that_is_said(document, hand, tool, told):
    hand.drag(tool, *CORNERS)
    assert "Esc" in told[-1]
    tool.cancel(document)
    assert not tool.pending
    assert not hand.key(tool, ENTER)
    assert not document.mask.any()


def test_the_next_box_takes_the_one_before(document, hand, tool):
    hand.drag(tool, *CORNERS)
    hand.drag(tool, (50, 40), (70, 55))
    assert document.mask[5:35, 10:25].all()
    assert not document.mask[40:55, 50:70].any()
    assert tool.pending


def test_a_locked_class_keeps_its_pixels(document, hand, tool):
    document.mask[:] = 1
    document.locked = frozenset({1})
    hand.drag(tool, *CORNERS)
    hand.key(tool, ENTER)
    assert document.mask.all()


def test_a_click_without_a_box_asks_nothing(document, hand, tool, looked):
    hand.click(tool, 20, 20)
    assert not looked
    assert not tool.pending


def test_a_box_beyond_the_image_is_cut_to_it(document, hand, tool, looked):
    hand.drag(tool, (-20, -20), (15, 12))
    assert looked == [(0, 0, 15, 12)]
    hand.drag(tool, (-30, -30), (-5, -5))
    assert len(looked) == 1
