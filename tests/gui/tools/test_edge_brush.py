from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from petseg_gui.tools.edge_brush import EdgeBrushTool

RIGHT = Qt.MouseButton.RightButton
BRIGHT = (slice(10, 40), slice(20, 50))  # see the document's photo


@pytest.fixture
def tool(bench, choose):
    choose(size=16)
    return EdgeBrushTool(bench)


def test_it_paints_inside_the_edge_only(document, hand, tool):
    hand.drag(tool, (30, 20), (48, 20), (60, 20))
    outside = np.ones_like(document.mask, bool)
    outside[BRIGHT] = False
    assert not document.mask[outside].any()
    assert document.mask[20, 30:48].all()
    assert document.strokes == 1


def test_it_erases_inside_the_edge_only(document, hand, tool):
    document.mask[:] = 1
    hand.drag(tool, (30, 20), (60, 20), button=RIGHT)
    assert not document.mask[20, 30:48].any()
    assert document.mask[:, 50:].all()
    assert document.history.undo_title == "Eraser"


def test_every_stroke_begins_anew(document, hand, tool):
    hand.drag(tool, (30, 20), (40, 20))
    hand.drag(tool, (60, 20), (55, 20))
    assert document.mask[20, 57]


def test_it_leaves_locked_classes_alone(document, hand, tool):
    document.mask[:, 30:] = 2
    before = document.mask.copy()
    document.locked = frozenset({2})
    hand.drag(tool, (25, 20), (45, 20))
    assert np.array_equal(document.mask == 2, before == 2)
    assert document.mask[20, 25] == 1


@pytest.mark.parametrize("points", [[(-40, -40), (-10, -10)], [(-50, 30), (200, 30)]])
def test_a_stroke_that_begins_and_ends_outside_does_no_harm(document, hand, tool, points):
    hand.drag(tool, *points)
    assert not document.stroking
    document.undo()
    assert not document.mask.any()
