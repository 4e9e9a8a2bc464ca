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


@pytest.fixture
def toggle(qtbot):
    """toggle(parts, title) -> the panel, opened or closed as the View menu does, and laid out."""

    def act(parts, title: str) -> QDockWidget:
        dock = parts.window.findChild(QDockWidget, title)
        dock.toggleViewAction().trigger()
        with qtbot.waitCallback() as laid_out:
            after_painting(dock, laid_out)  # begun later than what makes room: called later
        return dock

    return act


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


def test_panels_share_the_height_by_what_they_need(opened, toggle):
    parts = opened()
    classes, history = toggle(parts, "Classes"), toggle(parts, "History")
    assert history.height() >= history.sizeHint().height()
    docks = [classes, history, toggle(parts, "Prediction")]
    assert all(d.height() >= 0.9 * d.sizeHint().height() for d in docks)


def test_heights_that_a_person_dragged_stay_in_proportion(opened, toggle, drag):
    parts = opened()
    classes, history = toggle(parts, "Classes"), toggle(parts, "History")
    drag(parts, classes, 150)
    before = classes.height() / history.height()
    prediction = toggle(parts, "Prediction")
    assert prediction.height() > 200  # not only its threshold
    assert classes.height() / history.height() == pytest.approx(before, rel=0.05)


def test_a_panel_that_is_opened_again_is_as_low_as_it_was_left(opened, toggle, drag, qtbot):
    parts = opened()
    history, prediction = toggle(parts, "History"), toggle(parts, "Prediction")
    drag(parts, history, prediction.height() - 200)
    for _ in range(2):
        toggle(parts, "Prediction")
    assert prediction.height() == pytest.approx(200, abs=8)
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    again = opened().prediction_dock
    qtbot.waitUntil(lambda: again.height() > 124)
    assert again.height() == pytest.approx(200, abs=8)
