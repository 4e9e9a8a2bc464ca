from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt

from core.labels import PET
from petseg_gui.document import Document
from petseg_gui.tools.outlines import EllipseTool, LassoTool, PolygonTool, RectangleTool
from petseg_gui.tools.tool import Operation, PointerEvent

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
ENTER, BACKSPACE = Qt.Key.Key_Return, Qt.Key.Key_Backspace
DRAGGED = (RectangleTool, EllipseTool, LassoTool)


def test_a_rectangle_fills_what_was_dragged_over_as_one_edit(document, hand, bench):
    hand.drag(RectangleTool(bench), (10, 12), (40, 20), (30, 32))
    assert document.mask[12:32, 10:30].all()
    assert document.mask.sum() == 20 * 20
    assert (document.strokes, document.history.undo_title) == (1, "Rectangle")


def test_an_ellipse_fits_the_box_that_was_dragged(document, hand, bench):
    hand.drag(EllipseTool(bench), (10, 10), (50, 30))
    assert document.mask.sum() == pytest.approx(np.pi * 20 * 10, rel=0.02)
    assert document.mask[20, 10]
    assert not document.mask[11, 11]


def test_a_lasso_closes_where_the_button_is_let_go(document, hand, bench):
    hand.drag(LassoTool(bench), (10, 10), (50, 10), (50, 40), (10, 40))
    assert document.mask.sum() == 40 * 30


@pytest.mark.parametrize("tool_type", DRAGGED)
@pytest.mark.parametrize(
    "points", [[(10, 10)], [(10, 10), (10, 10)], [(10, 5), (10, 50)], [(-20, -9), (-3, -1)]]
)
def test_an_outline_of_no_area_changes_nothing(document, hand, bench, tool_type, points):
    hand.drag(tool_type(bench), *points)
    assert not document.mask.any()
    assert document.strokes == 0


@pytest.mark.parametrize("tool_type", DRAGGED)
def test_an_outline_that_begins_and_ends_outside_takes_what_is_inside(
    document, hand, bench, tool_type
):
    corners = [(-900, -900), (-900, 980), (980, 980)]
    if tool_type is LassoTool:
        corners.append((980, -900))
    hand.drag(tool_type(bench), *corners)
    assert document.mask.all()


@pytest.mark.parametrize("tool_type", DRAGGED)
def test_escape_drops_the_outline_and_the_rest_of_the_drag_draws_nothing(
    document, bench, tool_type
):
    tool = tool_type(bench)
    tool.press(document, PointerEvent(5, 5, LEFT))
    tool.move(document, PointerEvent(40, 30, LEFT))
    assert tool.pending
    assert tool.bounds(PointerEvent(40, 30)).isValid()
    tool.cancel(document)
    assert not tool.pending
    assert tool.bounds(PointerEvent(40, 30)) == QRectF()
    tool.move(document, PointerEvent(60, 50, LEFT))
    tool.release(document, PointerEvent(60, 50, LEFT))
    assert document.strokes == 0


def test_the_right_button_takes_only_the_class_away(document, hand, bench, choose):
    document.mask[:, :20] = 1
    document.mask[:, 20:] = 2
    hand.drag(RectangleTool(bench), (10, 10), (30, 20), button=RIGHT)
    assert not document.mask[10:20, 10:20].any()
    assert (document.mask[:, 20:] == 2).all()
    document.undo()
    choose(operation=Operation.REMOVE)
    hand.drag(RectangleTool(bench), (10, 10), (30, 20))
    assert not document.mask[10:20, 10:20].any()


def test_selecting_changes_no_pixel_and_a_click_selects_nothing(document, hand, bench, choose):
    choose(operation=Operation.SELECT)
    hand.drag(RectangleTool(bench), (10, 10), (30, 20))
    assert document.selection.box == (10, 10, 30, 20)
    assert document.strokes == 0
    hand.click(RectangleTool(bench), 5, 5)
    assert document.selection is None


def test_a_locked_class_is_neither_added_to_nor_taken_from(document, hand, bench, told):
    document.mask[:30] = 1
    document.locked = frozenset({1})
    hand.drag(RectangleTool(bench), (0, 0), (80, 60))
    hand.drag(RectangleTool(bench), (0, 0), (80, 60), button=RIGHT)
    assert document.strokes == 0
    assert "locked" in told[0]


def polygon(hand, bench, *corners):
    tool = PolygonTool(bench)
    for corner in corners:
        hand.click(tool, *corner)
    return tool


SQUARE = (10, 10), (50, 10), (50, 40), (10, 40)


def test_enter_closes_a_polygon(document, hand, bench):
    tool = polygon(hand, bench, *SQUARE)
    assert document.strokes == 0
    assert hand.key(tool, ENTER)
    assert document.mask.sum() == 40 * 30
    assert not tool.pending
    assert not hand.key(tool, ENTER)  # so that Enter is free for "approve and go on"


def test_a_double_click_closes_a_polygon_with_its_corner(document, hand, bench):
    tool = polygon(hand, bench, *SQUARE)
    hand.click(tool, 10, 40, double=True)
    assert document.mask.sum() == 40 * 30


def test_a_click_on_the_first_corner_closes_a_polygon(document, hand, bench):
    tool = polygon(hand, bench, *SQUARE)
    hand.click(tool, 11, 12)
    assert document.mask.sum() == 40 * 30
    assert not tool.pending


def test_backspace_removes_the_last_corner_until_none_is_left(document, hand, bench):
    tool = polygon(hand, bench, *SQUARE, (0, 25))
    assert hand.key(tool, BACKSPACE)
    assert tool.corners == list(SQUARE)
    for _ in SQUARE:
        assert hand.key(tool, BACKSPACE)
    assert not hand.key(tool, BACKSPACE)
    assert not tool.pending


def test_undo_takes_back_one_corner(document, hand, bench):
    tool = polygon(hand, bench, *SQUARE)
    tool.take_back(document)
    assert tool.corners == list(SQUARE[:3])


@pytest.mark.parametrize("number", [1, 2])
def test_a_polygon_of_one_or_two_points_is_not_closed_and_goes_on(
    document, hand, bench, told, number
):
    tool = polygon(hand, bench, *SQUARE[:number])
    hand.key(tool, ENTER)
    assert "three" in told[-1]
    assert document.strokes == 0
    assert tool.corners == list(SQUARE[:number])


def test_a_polygon_on_one_line_changes_nothing(document, hand, bench):
    tool = polygon(hand, bench, (10, 10), (30, 10), (60, 10))
    hand.key(tool, ENTER)
    assert document.strokes == 0


def test_a_corner_can_be_dragged(document, hand, bench):
    tool = polygon(hand, bench, *SQUARE)
    hand.drag(tool, (50, 41), (60, 50), (70, 40))
    hand.key(tool, ENTER)
    assert tool.corners == []
    assert document.mask[35, 60]
    assert document.mask.sum() == pytest.approx((40 + 60) / 2 * 30, abs=30)


def test_corners_are_found_at_the_same_distance_on_the_screen_at_every_zoom(document, bench):
    tool = PolygonTool(bench)
    tool.press(document, PointerEvent(10, 10, LEFT, zoom=10))
    tool.release(document, PointerEvent(10, 10, zoom=10))
    tool.press(document, PointerEvent(12, 10, LEFT, zoom=10))  # 20 device pixels away
    tool.release(document, PointerEvent(12, 10, zoom=10))
    assert len(tool.corners) == 2
    tool.press(document, PointerEvent(12.5, 10, LEFT, zoom=10))  # 5 device pixels
    assert len(tool.corners) == 2


def test_escape_leaves_a_polygon_and_another_tool_keeps_it(document, hand, bench):
    tool = polygon(hand, bench, *SQUARE)
    tool.put_down(document)
    assert tool.corners == list(SQUARE)
    tool.cancel(document)
    assert not tool.pending
    assert document.strokes == 0


def test_the_bounds_hold_the_outline_its_handles_and_the_line_to_the_pointer(hand, bench):
    tool = polygon(hand, bench, (10, 10), (50, 10))
    bounds = tool.bounds(PointerEvent(70, 55, zoom=2))
    assert bounds.contains(QRectF(8, 8, 62, 47))
    away = tool.bounds(PointerEvent(0, 0, zoom=2, away=True))
    assert away.contains(QRectF(8, 8, 44, 4))
    assert away.height() < 20


def test_an_outline_on_an_image_of_one_pixel(bench):
    document = Document("a", np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), PET)
    tool = RectangleTool(bench)
    tool.press(document, PointerEvent(-1, -1, LEFT))
    tool.move(document, PointerEvent(3, 3, LEFT))
    tool.release(document, PointerEvent(3, 3, LEFT))
    assert document.mask[0, 0] == 1


def test_two_outlines_in_a_row_are_both_drawn_though_work_takes_its_time(
    document, hand, bench, later
):
    hand.drag(RectangleTool(bench), (0, 0), (10, 10))
    hand.drag(RectangleTool(bench), (5, 5), (20, 20))
    assert not document.mask.any()
    later.work()
    assert document.mask.sum() == 100 + 225 - 25
    document.undo()
    assert document.mask.sum() == 100


def test_putting_a_tool_down_waits_for_what_it_drew(document, hand, bench, later):
    tool = RectangleTool(bench)
    hand.drag(tool, (0, 0), (10, 10))
    tool.put_down(document)
    assert document.mask.sum() == 100
