"""The history panel: the edits of the open image, and going to one of them."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QDockWidget

from core.editing.history import compare


@pytest.fixture
def edited(open_window, make_project, qtbot):
    """A window with three edits of its first image, the history panel shown."""
    parts = open_window(make_project(2, change=np.zeros_like))
    dock = parts.history_panel.parentWidget()
    assert isinstance(dock, QDockWidget)
    dock.show()
    document = parts.session.document
    for value in (1, 2, 3):
        new = document.mask.copy()
        new[value * 5, :] = 1
        document.apply(compare(document.mask, new, f"Edit {value}"))
    return parts


def titles(parts) -> list[str]:
    model = parts.history_panel.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def present(parts) -> int:
    return parts.history_panel.list.currentIndex().row()


def click(qtbot, parts, row: int) -> None:
    view = parts.history_panel.list
    at: QPoint = view.visualRect(view.model().index(row, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_edits_are_listed_in_order_and_the_present_is_marked(edited):
    assert titles(edited) == ["As opened", "Edit 1", "Edit 2", "Edit 3"]
    assert present(edited) == 3
    edited.actions["undo"].trigger()
    assert titles(edited) == ["As opened", "Edit 1", "Edit 2", "Edit 3"]
    assert present(edited) == 2
    model = edited.history_panel.list.model()
    faint = edited.history_panel.palette().brush(QPalette.ColorRole.PlaceholderText)
    assert model.index(3, 0).data(Qt.ItemDataRole.ForegroundRole) == faint
    assert model.index(2, 0).data(Qt.ItemDataRole.ForegroundRole) is None


def test_a_click_goes_there_in_one_step(edited, qtbot):
    document = edited.session.document
    told: list[str] = []
    document.edited.connect(lambda: told.append("edited"))
    document.changed.connect(lambda rect: told.append("changed"))
    click(qtbot, edited, 0)
    assert not document.mask.any()
    assert told == ["changed", "edited"]
    assert present(edited) == 0
    click(qtbot, edited, 2)
    assert document.mask[5].all()
    assert document.mask[10].all()
    assert not document.mask[15].any()
    assert titles(edited) == ["As opened", "Edit 1", "Edit 2", "Edit 3"]


def test_the_keyboard_goes_there_too(edited, qtbot):
    edited.history_panel.list.setFocus()
    qtbot.keyClick(edited.history_panel.list, Qt.Key.Key_Up)
    assert present(edited) == 2
    assert not edited.session.document.mask[15].any()
    qtbot.keyClick(edited.history_panel.list, Qt.Key.Key_Home)
    assert not edited.session.document.mask.any()


def test_going_back_is_an_edit_that_is_saved(edited, qtbot):
    click(qtbot, edited, 1)
    edited.session.save()
    qtbot.waitUntil(lambda: not edited.session.saver.busy and not edited.session.dirty)
    saved = edited.session.project.read_mask("animal-0.png")
    assert (saved == edited.session.document.mask).all()
    assert saved.any()


def test_each_image_has_its_own_list(edited, go_to):
    go_to(edited, "animal-1.png")
    assert titles(edited) == ["As opened"]
    go_to(edited, "animal-0.png")
    assert titles(edited) == ["As opened", "Edit 1", "Edit 2", "Edit 3"]


def test_a_new_edit_drops_what_was_undone(edited, qtbot):
    click(qtbot, edited, 1)
    edited.session.document.apply(
        compare(edited.session.document.mask, np.ones((48, 48), np.uint8), "Other")
    )
    assert titles(edited) == ["As opened", "Edit 1", "Other"]


def test_hundreds_of_edits_and_forgotten_ones(edited):
    document = edited.session.document
    for number in range(300):
        new = document.mask.copy()
        new[number % 48, number // 48] ^= 1
        document.apply(compare(document.mask, new, "Brush"))
    assert len(titles(edited)) == 304
    view = edited.history_panel.list
    assert view.viewport().rect().contains(view.visualRect(view.currentIndex()).center())
    document.history.forget_oldest()
    edited.history_panel.refresh()
    assert titles(edited)[0] == "Oldest step kept"
    assert present(edited) == 302
