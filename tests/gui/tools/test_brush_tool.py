from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from core.editing.brush import paint_segment
from petseg_gui.canvas.view import View
from petseg_gui.tools.brush import BrushTool, EraserTool, size_steps
from petseg_gui.tools.tool import Options, PointerEvent, Workbench

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
PLAIN = Qt.KeyboardModifier.NoModifier


def brush(size):
    return BrushTool(Workbench(Options(size=size)))


def test_a_drag_paints_the_class_as_one_edit(document, hand):
    hand.drag(brush(6), (10, 10), (40, 10), (40, 50))
    expected = np.zeros_like(document.mask)
    paint_segment(expected, (10, 10), (40, 10), 6, 1)
    paint_segment(expected, (40, 10), (40, 50), 6, 1)
    assert np.array_equal(document.mask, expected)
    assert document.strokes == 1
    assert document.history.undo_title == "Brush"


def test_a_click_paints_a_dab(document, hand):
    hand.drag(brush(1), (10.7, 12.2))
    assert document.mask[12, 10] == 1
    assert document.mask.sum() == 1


@pytest.mark.parametrize(("button", "modifiers"), [(RIGHT, PLAIN), (LEFT, ALT)])
def test_right_button_or_alt_erases(document, hand, button, modifiers):
    document.mask[:] = 1
    hand.drag(brush(8), (10, 10), (30, 10), button=button, modifiers=modifiers)
    assert document.mask[10, 20] == 0
    assert document.history.undo_title == "Eraser"


def test_the_eraser_is_a_brush_of_the_background(document, hand, bench):
    document.mask[:] = 1
    hand.drag(EraserTool(bench), (10, 10), (30, 10))
    assert document.mask[10, 20] == 0
    assert document.mask[40, 20] == 1


def test_hovering_paints_nothing(document, hand):
    tool = brush(24)
    tool.move(document, PointerEvent(20, 20))
    assert not document.mask.any()
    hand.drag(tool, (20, 20))
    painted = document.mask.copy()
    tool.move(document, PointerEvent(60, 40))
    assert np.array_equal(document.mask, painted)


def test_shift_draws_a_straight_line_from_where_the_last_stroke_ended(document, hand):
    tool = brush(4)
    hand.drag(tool, (5, 5), (10, 10))
    hand.drag(tool, (60, 50), modifiers=SHIFT)
    assert document.mask[30, 35] == 1  # half way
    hand.drag(tool, (60, 10), modifiers=SHIFT)
    assert document.mask[30, 60] == 1
    assert document.strokes == 3


def test_shift_before_any_stroke_paints_a_dab(document, hand):
    hand.drag(brush(1), (30, 30), modifiers=SHIFT)
    assert document.mask.sum() == 1


def test_cancel_takes_the_stroke_back_and_the_rest_of_the_drag_paints_nothing(document, hand):
    tool = brush(8)
    hand.drag(tool, (10, 10))
    before = document.mask.copy()
    tool.press(document, PointerEvent(30, 30, LEFT))
    tool.move(document, PointerEvent(50, 30, LEFT))
    tool.cancel(document)
    tool.move(document, PointerEvent(60, 40, LEFT))
    tool.release(document, PointerEvent(60, 40, LEFT))
    assert np.array_equal(document.mask, before)
    assert document.strokes == 1


def test_after_a_cancel_shift_starts_no_line_from_the_image_before(document, hand):
    tool = brush(1)
    hand.drag(tool, (10, 10))
    tool.cancel(document)
    hand.drag(tool, (40, 40), modifiers=SHIFT)
    assert document.mask.sum() == 2


def test_pressure_scales_the_size(document):
    tool = brush(40)
    tool.press(document, PointerEvent(40, 30, LEFT, PLAIN, 0.25))
    tool.release(document, PointerEvent(40, 30, LEFT, PLAIN, 0.0))
    assert document.mask[30].sum() == 10
    tool.press(document, PointerEvent(5, 5, LEFT, PLAIN, 0.0))
    tool.release(document, PointerEvent(5, 5, LEFT))
    assert document.mask[:10, :10].sum() == 1


def test_a_change_of_class_during_a_stroke_waits_for_the_next(document):
    tool = brush(4)
    tool.press(document, PointerEvent(10, 10, LEFT))
    tool.bench.options = Options(value=0, size=4)
    tool.move(document, PointerEvent(30, 10, LEFT))
    tool.release(document, PointerEvent(30, 10, LEFT))
    assert document.mask[10, 28] == 1


def test_size_steps_go_everywhere_and_are_about_15_percent():
    size, sizes = 1, [1]
    while size < 2000:
        larger = size_steps(size, 1)
        assert size < larger <= max(size + 1, size * 1.16 + 1)
        size = larger
        sizes.append(size)
    assert 40 <= len(sizes) <= 70
    assert size_steps(2000, 1) == 2000
    while size > 1:
        smaller = size_steps(size, -1)
        assert smaller < size
        size = smaller
    assert size_steps(1, -1) == 1
    assert size_steps(100, 2) == size_steps(size_steps(100, 1), 1)


@pytest.mark.parametrize("backdrop", ["black", "white"])
def test_the_outline_is_seen_on_light_and_dark_and_lies_where_the_brush_paints(backdrop):
    tool, view = brush(20), View(2.0, 5, 3)
    event = PointerEvent(40, 30)
    image = QImage(200, 160, QImage.Format.Format_RGB32)
    image.fill(QColor(backdrop))
    blank = image.copy()
    painter = QPainter(image)
    tool.paint(painter, view, event)
    painter.end()
    differ = [
        (x, y)
        for x in range(200)
        for y in range(160)
        if abs(image.pixelColor(x, y).lightness() - blank.pixelColor(x, y).lightness()) > 60
    ]
    xs, ys = [x for x, _ in differ], [y for _, y in differ]
    assert max(xs) - min(xs) == pytest.approx(40, abs=4)
    assert (min(xs) + max(xs)) / 2 == pytest.approx(5 + 80, abs=2)
    assert (min(ys) + max(ys)) / 2 == pytest.approx(3 + 60, abs=2)
    assert tool.bounds(event).contains(QRectF(30, 20, 20, 20))


def test_the_preview_of_a_straight_line_is_inside_the_bounds(hand):
    tool = brush(4)
    hand.drag(tool, (70, 50))
    with_shift = PointerEvent(10, 10, modifiers=SHIFT)
    assert tool.bounds(with_shift).contains(QRectF(10, 10, 60, 40))
    assert tool.bounds(PointerEvent(10, 10)).width() < 10


def test_a_locked_class_is_neither_painted_nor_painted_over(document, hand, bench, told):
    document.mask[:, 40:] = 1
    before = document.mask.copy()
    document.locked = frozenset({1})
    hand.drag(BrushTool(bench), (10, 10), (70, 10))
    assert "locked" in told[-1]
    hand.drag(EraserTool(bench), (70, 10), (10, 50))
    assert np.array_equal(document.mask, before)
    assert document.strokes == 0


def test_a_stroke_that_begins_and_ends_outside_paints_what_it_crosses(document, hand):
    hand.drag(brush(4), (-30, 20), (200, 20))
    assert document.mask[20].all()
    hand.drag(brush(4), (-30, -20), (200, -20))
    assert document.strokes == 1
