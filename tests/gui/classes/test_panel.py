"""The class panel: what it shows, what it says, and what strokes make of it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction

from core.labels import PET, VOID, scheme_of
from core.project.project import open_project
from core.project.settings import ProjectSettings, write_settings
from petseg_gui.classes.model import Column
from petseg_gui.classes.panel import ClassPanel

THREE = scheme_of("custom", ["background", "cat", "dog"])
MANY = scheme_of("custom", ["background"] + [f"class {i}" for i in range(1, 254)])


@pytest.fixture
def panel(qtbot) -> ClassPanel:
    made = ClassPanel(QAction("Classes…"))
    made.class_wanted.connect(made.choose)
    qtbot.addWidget(made)
    made.resize(220, 400)
    made.show()
    return made


@pytest.fixture
def three_classes(make_project):
    """A folder with three classes and one mask without any of them."""
    folder = make_project(2, 1, change=np.zeros_like)
    write_settings(folder / ".petseg" / "project.json", ProjectSettings(scheme=THREE))
    return folder


def texts(panel: ClassPanel, column: Column) -> list[str]:
    model = panel.list.model()
    return [model.index(row, column).data() for row in range(model.rowCount())]


def click(qtbot, panel: ClassPanel, row: int, column: Column) -> None:
    index = panel.list.model().index(row, column)
    panel.list.scrollTo(index)
    at = panel.list.visualRect(index).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=at)


def stroke(qtbot, parts) -> None:
    centre = parts.canvas.rect().center()
    qtbot.mousePress(parts.canvas, Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseRelease(parts.canvas, Qt.MouseButton.LeftButton, pos=centre + QPoint(0, 0))


def test_classes_stand_with_their_keys_and_void_last(panel):
    panel.set_scheme(THREE, THREE.keys)
    assert texts(panel, Column.NAME) == ["Background", "Cat", "Dog", "Void (unlabelled)"]
    assert texts(panel, Column.KEY) == ["0", "1", "2", ""]
    assert panel.search.isHidden()


def test_a_click_chooses_a_class(panel, qtbot):
    panel.set_scheme(THREE, THREE.keys)
    chosen: list[int] = []
    panel.class_set.connect(chosen.append)
    click(qtbot, panel, 2, Column.NAME)
    click(qtbot, panel, 3, Column.NAME)
    assert chosen == [2, VOID]
    qtbot.keyClick(panel.list, Qt.Key.Key_Up)
    assert panel.current == 2


def test_a_click_on_the_lock_locks_without_choosing(panel, qtbot):
    panel.set_scheme(THREE, THREE.keys)
    locked: list[frozenset[int]] = []
    panel.locked_changed.connect(locked.append)
    click(qtbot, panel, 2, Column.LOCK)
    click(qtbot, panel, 3, Column.LOCK)
    click(qtbot, panel, 2, Column.LOCK)
    assert locked == [{2}, {2, VOID}, {VOID}]
    assert panel.current == 1
    qtbot.keyClick(panel.list, Qt.Key.Key_Space)
    assert panel.locked == {1, VOID}


def test_254_classes_are_found_by_typing(panel, qtbot):
    panel.set_scheme(MANY, MANY.keys)
    assert not panel.search.isHidden()
    qtbot.keyClicks(panel.search, "class 20")
    rows = range(panel.list.model().rowCount())
    shown = [r for r in rows if not panel.list.isRowHidden(r, QModelIndex())]
    assert shown == [20, *range(200, 210)]
    left: list[bool] = []
    panel.left.connect(lambda: left.append(True))
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert panel.current == 20
    assert left == [True]
    assert not panel.list.isRowHidden(3, QModelIndex())
    panel.choose(253)
    index = panel.list.model().index(253, Column.NAME)
    assert panel.list.viewport().rect().contains(panel.list.visualRect(index).center())


def test_what_is_gone_is_neither_chosen_nor_locked(panel):
    panel.set_scheme(THREE, THREE.keys)
    panel.choose(2)
    panel.toggle_lock(2)
    panel.toggle_lock(1)
    panel.set_scheme(PET, PET.keys)
    assert panel.current == 1
    assert panel.locked == {1}


def test_screen_readers_are_told_of_locks_and_keys(panel):
    panel.set_scheme(THREE, THREE.keys)
    panel.toggle_lock(1)
    role = Qt.ItemDataRole.AccessibleTextRole
    model = panel.list.model()
    assert [model.index(1, column).data(role) for column in Column] == [
        "Cat",
        "key 1",
        "Cat is locked: strokes leave it alone",
    ]


def test_keys_choose_what_is_painted(open_window, three_classes, qtbot):
    parts = open_window(three_classes)
    assert parts.class_dock.isVisible()
    parts.window.activateWindow()
    qtbot.keyClick(parts.canvas, Qt.Key.Key_2)
    assert "dog" in parts.strip.class_button.accessibleName().lower()
    stroke(qtbot, parts)
    mask = parts.session.document.mask
    assert set(np.unique(mask)) == {0, 2}
    qtbot.keyClick(parts.canvas, Qt.Key.Key_V, Qt.KeyboardModifier.ShiftModifier)
    stroke(qtbot, parts)
    assert VOID in np.unique(mask)
    parts.session.save()
    qtbot.waitUntil(lambda: not parts.session.saver.busy and not parts.session.dirty)
    saved = np.asarray(Image.open(three_classes / "masks" / "animal-0.png"))
    assert (saved == mask).all()


def test_a_digit_typed_into_a_search_box_chooses_no_class(open_window, three_classes, qtbot):
    parts = open_window(three_classes)
    parts.window.activateWindow()
    parts.browser.search_box.setFocus()
    qtbot.keyClick(parts.browser.search_box, Qt.Key.Key_2)
    assert parts.class_panel.current == 1
    assert parts.browser.search_box.text() == "2"


def test_locks_hold_for_strokes_and_for_the_images_to_come(
    open_window, three_classes, qtbot, go_to
):
    parts = open_window(three_classes)
    parts.window.activateWindow()
    parts.actions["lock_class"].trigger()
    assert parts.class_panel.locked == {1}
    assert "Cat is locked" in parts.window.statusBar().currentMessage()
    parts.class_panel.toggle_lock(0)
    before = parts.session.document.mask.copy()
    qtbot.keyClick(parts.canvas, Qt.Key.Key_2)
    stroke(qtbot, parts)
    assert (parts.session.document.mask == before).all()
    go_to(parts, "animal-1.png")
    assert parts.session.document.locked == {0, 1}


def test_with_two_classes_the_panel_stays_away_until_it_is_asked_for(
    open_window, make_project, qtbot
):
    parts = open_window(make_project(1))
    assert not parts.class_dock.isVisible()
    qtbot.mouseClick(parts.strip.class_button, Qt.MouseButton.LeftButton)
    assert parts.class_dock.isVisible()


def test_another_folder_starts_with_class_1_and_no_locks(
    open_window, three_classes, make_project, qtbot
):
    from petseg_gui.wiring.folder import open_folder

    parts = open_window(three_classes)
    parts.class_panel.choose(2)
    parts.class_panel.toggle_lock(2)
    other = make_project(1, folder="other")
    open_folder(parts, other)
    qtbot.waitUntil(lambda: parts.session.project.folder == open_project(other).folder)
    qtbot.waitUntil(lambda: parts.session.document is not None)
    assert parts.class_panel.current == parts.toolbox.value == 1
    assert parts.session.document.locked == frozenset()


def test_the_class_under_the_pointer_is_named_among_254(open_window, make_project, qtbot):
    folder = make_project(1, change=lambda mask: np.full_like(mask, 253))
    write_settings(folder / ".petseg" / "project.json", ProjectSettings(scheme=MANY))
    parts = open_window(folder)
    qtbot.mouseMove(parts.canvas, parts.canvas.rect().center())
    qtbot.waitUntil(lambda: "class 253" in parts.window.hovered.text())
