from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from core.editing.brush import paint_segment
from core.labels import PET
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.brush import BrushTool, size_steps
from petseg_gui.tools.tool import PointerEvent, Tool

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def document() -> Document:
    pixels = np.zeros((60, 80, 3), np.uint8)
    return Document("a.jpg", pixels, np.zeros((60, 80), np.uint8), PET)


def drag(
    tool: Tool,
    document: Document,
    *points: tuple[float, float],
    button: Qt.MouseButton = LEFT,
    modifiers: Qt.KeyboardModifier = PLAIN,
) -> None:
    tool.press(document, PointerEvent(*points[0], button, modifiers))
    for point in points[1:]:
        tool.move(document, PointerEvent(*point, button, modifiers))
    tool.release(document, PointerEvent(*points[-1], button, modifiers))


def test_a_drag_paints_the_class_as_one_edit(document: Document) -> None:
    drag(BrushTool(1, 6), document, (10, 10), (40, 10), (40, 50))
    expected = np.zeros_like(document.mask)
    paint_segment(expected, (10, 10), (40, 10), 6, 1)
    paint_segment(expected, (40, 10), (40, 50), 6, 1)
    assert np.array_equal(document.mask, expected)
    assert document.strokes == 1
    assert document.history.undo_title == "Brush"


def test_a_click_paints_a_dab(document: Document) -> None:
    drag(BrushTool(1, 1), document, (10.7, 12.2))
    assert document.mask[12, 10] == 1
    assert document.mask.sum() == 1


@pytest.mark.parametrize(("button", "modifiers"), [(RIGHT, PLAIN), (LEFT, ALT)])
def test_right_button_or_alt_erases(
    document: Document, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier
) -> None:
    document.mask[:] = 1
    drag(BrushTool(1, 8), document, (10, 10), (30, 10), button=button, modifiers=modifiers)
    assert document.mask[10, 20] == 0
    assert document.history.undo_title == "Eraser"


def test_the_eraser_is_a_brush_of_the_background(document: Document) -> None:
    document.mask[:] = 1
    drag(BrushTool(0, 8, "Eraser"), document, (10, 10), (30, 10))
    assert document.mask[10, 20] == 0
    assert document.mask[40, 20] == 1


def test_hovering_paints_nothing(document: Document) -> None:
    tool = BrushTool(1)
    tool.move(document, PointerEvent(20, 20))
    assert not document.mask.any()
    drag(tool, document, (20, 20))
    painted = document.mask.copy()
    tool.move(document, PointerEvent(60, 40))
    assert np.array_equal(document.mask, painted)


def test_shift_draws_a_straight_line_from_where_the_last_stroke_ended(document: Document) -> None:
    tool = BrushTool(1, 4)
    drag(tool, document, (5, 5), (10, 10))
    drag(tool, document, (60, 50), modifiers=SHIFT)
    assert document.mask[30, 35] == 1  # half way
    drag(tool, document, (60, 10), modifiers=SHIFT)
    assert document.mask[30, 60] == 1
    assert document.strokes == 3


def test_shift_before_any_stroke_paints_a_dab(document: Document) -> None:
    drag(BrushTool(1, 1), document, (30, 30), modifiers=SHIFT)
    assert document.mask.sum() == 1


def test_cancel_takes_the_stroke_back_and_the_rest_of_the_drag_paints_nothing(
    document: Document,
) -> None:
    tool = BrushTool(1, 8)
    drag(tool, document, (10, 10))
    before = document.mask.copy()
    tool.press(document, PointerEvent(30, 30, LEFT))
    tool.move(document, PointerEvent(50, 30, LEFT))
    tool.cancel(document)
    tool.move(document, PointerEvent(60, 40, LEFT))
    tool.release(document, PointerEvent(60, 40, LEFT))
    assert np.array_equal(document.mask, before)
    assert document.strokes == 1


def test_after_a_cancel_shift_starts_no_line_from_the_image_before(document: Document) -> None:
    tool = BrushTool(1, 1)
    drag(tool, document, (10, 10))
    tool.cancel(document)
    drag(tool, document, (40, 40), modifiers=SHIFT)
    assert document.mask.sum() == 2


def test_pressure_scales_the_size(document: Document) -> None:
    tool = BrushTool(1, 40)
    tool.press(document, PointerEvent(40, 30, LEFT, PLAIN, 0.25))
    tool.release(document, PointerEvent(40, 30, LEFT, PLAIN, 0.0))
    assert document.mask[30].sum() == 10
    tool.press(document, PointerEvent(5, 5, LEFT, PLAIN, 0.0))
    tool.release(document, PointerEvent(5, 5, LEFT))
    assert document.mask[:10, :10].sum() == 1


def test_a_change_of_class_during_a_stroke_waits_for_the_next(document: Document) -> None:
    tool = BrushTool(1, 4)
    tool.press(document, PointerEvent(10, 10, LEFT))
    tool.value = 0
    tool.move(document, PointerEvent(30, 10, LEFT))
    tool.release(document, PointerEvent(30, 10, LEFT))
    assert document.mask[10, 28] == 1


def test_the_size_stays_between_1_and_2000() -> None:
    assert BrushTool(1, 0).size == 1
    assert BrushTool(1, 9999).size == 2000


def test_size_steps_go_everywhere_and_are_about_15_percent() -> None:
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
def test_the_outline_is_seen_on_light_and_dark_and_lies_where_the_brush_paints(
    document: Document, backdrop: str
) -> None:
    tool, view = BrushTool(1, 20), View(2.0, 5, 3)
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


def test_the_preview_of_a_straight_line_is_inside_the_bounds(document: Document) -> None:
    tool = BrushTool(1, 4)
    drag(tool, document, (70, 50))
    with_shift = PointerEvent(10, 10, modifiers=SHIFT)
    assert tool.bounds(with_shift).contains(QRectF(10, 10, 60, 40))
    assert tool.bounds(PointerEvent(10, 10)).width() < 10
