"""What holds for every tool."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from petseg_gui.actions import COMMANDS
from petseg_gui.actions import TOOLS as BAR
from petseg_gui.canvas.view import View
from petseg_gui.tools.catalogue import TOOLS, make_tool
from petseg_gui.tools.tool import PointerEvent

LEFT = Qt.MouseButton.LeftButton
SIZE = 400, 320
LINE = 4  # device pixels, the room that the canvas leaves for the width of lines


def outside_of_bounds(tool, event, view):
    """How many pixels a tool paints that are not in what it says it paints in."""
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    tool.paint(painter, view, event)
    painter.end()
    bounds = tool.bounds(event)
    left, top = view.to_device(bounds.left(), bounds.top())
    area = QRectF(left, top, bounds.width() * view.zoom, bounds.height() * view.zoom)
    if not bounds.isNull():
        painter = QPainter(image)
        painter.fillRect(area.adjusted(-LINE, -LINE, LINE, LINE), QColor("black"))
        painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(SIZE[1], SIZE[0], 4)
    return int(pixels[..., :3].any(axis=2).sum())


def test_every_tool_is_a_command_and_stands_in_the_bar():
    assert set(TOOLS) <= {command.id for command in COMMANDS}
    assert [id_ for id_ in BAR if id_ != "-"] == list(TOOLS)


@pytest.mark.parametrize("zoom", [0.5, 4.0])
@pytest.mark.parametrize("id_", TOOLS)
def test_what_a_tool_paints_lies_in_its_bounds_at_every_moment(document, bench, id_, zoom):
    tool, view = make_tool(id_, bench), View(zoom, 11, 7)
    points = [(10, 12), (60, 14), (62, 50), (15, 45), (30, 20)]
    for _ in range(2):  # the second time round, what began the first is there already
        for x, y in points:
            hovering = PointerEvent(x, y, zoom=zoom)
            held = PointerEvent(x, y, LEFT, zoom=zoom)
            further = PointerEvent(x + 7, y + 5, LEFT, zoom=zoom)
            tool.move(document, hovering)
            tool.rest(document, hovering)
            assert outside_of_bounds(tool, hovering, view) == 0
            tool.press(document, held)
            assert outside_of_bounds(tool, held, view) == 0
            tool.move(document, further)
            assert outside_of_bounds(tool, further, view) == 0
            tool.release(document, further)
            assert outside_of_bounds(tool, further, view) == 0
    away = PointerEvent(0, 0, zoom=zoom, away=True)
    assert outside_of_bounds(tool, away, view) == 0
    tool.cancel(document)
    assert outside_of_bounds(tool, away, view) == 0


@pytest.mark.parametrize("id_", TOOLS)
def test_nothing_is_left_to_see_once_a_tool_is_cancelled(document, bench, id_):
    tool = make_tool(id_, bench)
    tool.press(document, PointerEvent(10, 12, LEFT))
    committed = document.mask.copy() if document.strokes else np.zeros_like(document.mask)
    tool.move(document, PointerEvent(50, 40, LEFT))
    tool.cancel(document)
    assert not tool.pending
    assert np.array_equal(document.mask, committed)
    assert tool.bounds(PointerEvent(0, 0, away=True)) == QRectF()
