"""Panels above each other: each is opened with the height that its contents need."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDockWidget

from petseg_gui.after import after_painting


@pytest.fixture
def opened(open_window, make_project):
    """opened() -> the parts of a window of 1280 x 800, of the same folder each time."""
    folder = make_project(images=1, masked=0)

    def open_():
        parts = open_window(folder)
        parts.window.resize(1280, 800)
        return parts

    return open_


def toggle(parts, title: str) -> QDockWidget:
    """The panel, opened or closed as the View menu does."""
    dock = parts.window.findChild(QDockWidget, title)
    dock.toggleViewAction().trigger()
    return dock


@pytest.fixture
def drag(qtbot):
    """drag(parts, dock, distance): the line under a panel, so many pixels down."""

    def act(parts, dock: QDockWidget, distance: int) -> None:
        start = dock.geometry().bottomLeft() + QPoint(dock.width() // 2, 3)
        end, height = start + QPoint(0, distance), dock.height()
        qtbot.mousePress(parts.window, Qt.MouseButton.LeftButton, pos=start)
        qtbot.mouseMove(parts.window, end)
        qtbot.waitUntil(lambda: dock.height() == height + distance)
        qtbot.mouseRelease(parts.window, Qt.MouseButton.LeftButton, pos=end)

    return act


@pytest.fixture
def two(opened, qtbot):
    """A window, Classes and History, opened one after the other: both as high as they need."""
    parts = opened()
    docks = toggle(parts, "Classes"), toggle(parts, "History")
    qtbot.waitUntil(lambda: all(d.height() >= d.sizeHint().height() for d in docks))
    return parts, *docks


def test_panels_share_the_height_by_what_they_need(two, qtbot):
    parts, *docks = two
    docks.append(toggle(parts, "Prediction"))
    qtbot.waitUntil(lambda: all(d.height() >= 0.9 * d.sizeHint().height() for d in docks))


def test_heights_that_a_person_dragged_stay_in_proportion(two, drag, qtbot):
    parts, classes, history = two
    drag(parts, classes, 100)
    before = classes.height() / history.height()
    prediction = toggle(parts, "Prediction")
    qtbot.waitUntil(lambda: prediction.height() > 200)  # not only its threshold
    assert classes.height() / history.height() == pytest.approx(before, rel=0.05)


def test_a_panel_that_is_opened_again_is_as_low_as_it_was_left(two, opened, drag, qtbot):
    parts, classes, history = two
    drag(parts, classes, history.height() - 150)
    for shown in (False, True):
        toggle(parts, "History")
        qtbot.waitUntil(lambda shown=shown: (classes.height() < 600) is shown)
    with qtbot.waitCallback() as later:
        after_painting(parts.window, later)  # room would have been made by then
    assert history.height() == pytest.approx(150, abs=8)
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    again = opened().window.findChild(QDockWidget, "History")
    qtbot.waitUntil(lambda: again.height() == pytest.approx(150, abs=8))
