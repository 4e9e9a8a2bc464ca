"""Keys: shown everywhere, changed in a window, kept, exported, imported; one sheet of all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QPalette
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QScrollArea, QWidget

from core.errors import BadInput
from core.project.reviews import Status
from petseg_gui.actions import COMMANDS, GESTURES, HELD_KEYS, make_actions, shortcuts_of
from petseg_gui.help import in_columns, show_cheat_sheet
from petseg_gui.settings.keys import (
    KeyTaken,
    give,
    move,
    owner_of,
    portable,
    read_keys,
    reset,
    write_keys,
)
from petseg_gui.settings.options import Settings
from petseg_gui.settings.shortcuts_dialog import ShortcutsDialog

_IDS = [command.id for command in COMMANDS]


def _keys_of(keys) -> list[str]:
    return [portable(key) for has in shortcuts_of(keys).values() for key in has]


@pytest.fixture
def shortcuts(open_window, make_project):
    """The program's parts and its shortcuts window."""
    parts = open_window(make_project(images=2, masked=0))
    parts.actions["shortcuts"].trigger()
    return parts, parts.window.findChild(ShortcutsDialog)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(_IDS),
            st.lists(st.sampled_from(["Ctrl+Z", "B", "F9", "Ctrl+Alt+K", "U", "["]), max_size=2),
        ),
        max_size=8,
    )
)
def test_whatever_is_moved_no_key_starts_two_commands(moves):
    keys: dict[str, tuple[str, ...]] = {}
    for command, wanted in moves:
        keys = move(keys, command, wanted)
        assert set(shortcuts_of(keys)[command]) == {portable(key) for key in wanted}
        found = _keys_of(keys)
        assert len(found) == len(set(found))


@given(st.sampled_from(_IDS), st.sampled_from(["F9", "Ctrl+Alt+K"]))
def test_only_what_differs_is_kept_and_reset_forgets_it(command, key):
    keys = give({}, command, [key])
    assert list(keys) == [command]
    assert reset(keys, command) == {}


def test_a_taken_key_is_refused_with_its_owner():
    with pytest.raises(KeyTaken, match="Undo") as caught:
        give({}, "redo", ["Ctrl+Z"])
    assert caught.value.owner == "undo"


@pytest.mark.parametrize("key", ["H", "Space", "Esc", "Tab", "Return", "Left"])
def test_keys_that_mean_something_else_cannot_be_given(key):
    with pytest.raises(BadInput):
        move({}, "undo", [key])


def test_a_usual_key_that_was_given_away_is_not_in_two_places():
    # As after an update whose new command has a key that a person had taken already.
    keys = {"about": ("Ctrl+Z",)}
    assert shortcuts_of(keys)["undo"] == ()
    assert owner_of(keys, "ctrl+z") == "about"


def test_a_key_in_the_settings_that_is_none_stands_in_nobodys_way():
    kept = {"brush": ("garbage",)}
    assert give(kept, "eraser", ["Ctrl+Alt+E"])["eraser"] == ("Ctrl+Alt+E",)
    assert move(kept, "eraser", ["B"])["eraser"] == ("B",)


def test_a_file_brings_the_same_keys_back(tmp_path):
    keys = move(give({}, "about", ["F9"]), "brush", ["E", "Ctrl+B"])
    write_keys(tmp_path / "keys.json", keys)
    assert shortcuts_of(read_keys(tmp_path / "keys.json")) == shortcuts_of(keys)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"keys": {}}',
        '{"petseg": "shortcuts"}',
        '{"petseg": "shortcuts", "keys": {"undo": ["Ctrl+U"], "redo": ["Ctrl+U"]}}',
        '{"petseg": "shortcuts", "keys": {"undo": ["H"]}}',
        '{"petseg": "shortcuts", "keys": {"undo": ["no such key"]}}',
        '{"petseg": "shortcuts", "keys": {"undo": 3}}',
    ],
)
def test_a_file_that_is_none_of_ours_changes_nothing(shortcuts, tmp_path, content):
    parts, dialog = shortcuts
    file = tmp_path / "keys.json"
    file.write_text(content)
    dialog.import_from(file)
    assert dialog.message.text()
    assert parts.settings.settings.keys == {}


def test_a_key_typed_in_the_window_starts_the_command_and_is_shown(shortcuts, qtbot):
    parts, dialog = shortcuts
    dialog.choose("next")
    qtbot.keyClick(dialog.first_key, Qt.Key.Key_Q)
    assert parts.actions["next"].shortcuts()[0] == QKeySequence("Q")
    assert "Q" in parts.actions["next"].toolTip()
    dialog.close()
    parts.window.activateWindow()
    parts.canvas.setFocus()
    qtbot.waitUntil(parts.canvas.hasFocus)
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Q)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")


def test_a_key_given_to_a_command_is_no_classs_any_more_and_its_own_again_after(shortcuts, qtbot):
    parts, dialog = shortcuts
    dialog.close()
    parts.window.activateWindow()
    parts.canvas.setFocus()
    qtbot.waitUntil(parts.canvas.hasFocus)
    for keys, tool in (({"lasso": ("0",)}, "lasso"), ({}, "brush")):
        parts.toolbox.take("brush")
        parts.class_panel.choose(1)
        parts.settings.change(Settings(keys=keys))
        qtbot.keyClick(parts.canvas, Qt.Key.Key_0)
        assert parts.toolbox.tool_id == tool
        assert parts.class_panel.current == int(tool == "lasso")


def test_a_conflict_is_named_and_the_key_moved_only_when_asked(shortcuts, qtbot):
    parts, dialog = shortcuts
    dialog.choose("about")
    qtbot.keyClick(dialog.first_key, Qt.Key.Key_A)
    assert "Approve mask" in dialog.message.text()
    assert parts.actions["about"].shortcuts() == []
    assert parts.actions["approve"].shortcuts() == [QKeySequence("A")]
    qtbot.mouseClick(dialog.move_button, Qt.MouseButton.LeftButton)
    assert parts.actions["about"].shortcuts() == [QKeySequence("A")]
    assert parts.actions["approve"].shortcuts() == []
    assert not dialog.move_button.isVisible()


def test_a_key_can_be_removed(shortcuts, qtbot):
    parts, dialog = shortcuts
    dialog.choose("redo")
    first, second = parts.actions["redo"].shortcuts()
    remove = next(b for b in dialog.findChildren(QPushButton) if b.accessibleName() == "Remove key")
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert parts.actions["redo"].shortcuts() == [second]
    assert dialog.first_key.keySequence() == second
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert parts.actions["redo"].shortcuts() == []
    assert not remove.isEnabled()
    qtbot.mouseClick(dialog.reset_button, Qt.MouseButton.LeftButton)
    assert parts.actions["redo"].shortcuts() == [first, second]


def test_reset_and_reset_all(shortcuts, qtbot):
    parts, dialog = shortcuts
    for command, key in (("about", Qt.Key.Key_F8), ("open_demo", Qt.Key.Key_F9)):
        dialog.choose(command)
        qtbot.keyClick(dialog.first_key, key)
    qtbot.mouseClick(dialog.reset_button, Qt.MouseButton.LeftButton)
    assert list(parts.settings.settings.keys) == ["about"]
    qtbot.mouseClick(dialog.reset_all_button, Qt.MouseButton.LeftButton)
    assert parts.settings.settings.keys == {}
    assert parts.actions["about"].shortcuts() == []


def test_export_and_import_between_two_people(shortcuts, qtbot, tmp_path):
    parts, dialog = shortcuts
    dialog.choose("about")
    qtbot.keyClick(dialog.first_key, Qt.Key.Key_F8)
    dialog.export_to(tmp_path / "mine.json")
    assert set(json.loads((tmp_path / "mine.json").read_text())["keys"]) == set(_IDS)
    qtbot.mouseClick(dialog.reset_all_button, Qt.MouseButton.LeftButton)
    dialog.import_from(tmp_path / "mine.json")
    assert parts.actions["about"].shortcuts() == [QKeySequence("F8")]


def test_chosen_keys_are_there_the_next_time(open_window, make_project, shortcuts, qtbot):
    parts, dialog = shortcuts
    dialog.choose("about")
    qtbot.keyClick(dialog.first_key, Qt.Key.Key_F8)
    parts.window.close()
    again = open_window(make_project(images=1, folder="other"))
    assert again.actions["about"].shortcuts() == [QKeySequence("F8")]


def test_the_table_lists_every_command_and_the_search_finds_by_name_and_key(shortcuts, qtbot):
    _, dialog = shortcuts
    assert set(dialog._items) == set(_IDS)
    qtbot.keyClicks(dialog.search_box, "ctrl+z")
    shown = [id_ for id_, item in dialog._items.items() if not item.isHidden()]
    assert shown == ["undo"]
    dialog.search_box.clear()
    qtbot.keyClicks(dialog.search_box, "approve m")
    shown = [id_ for id_, item in dialog._items.items() if not item.isHidden()]
    assert shown == ["approve"]


def test_return_on_the_canvas_approves_and_goes_on(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2, masked=0))
    parts.window.activateWindow()
    parts.canvas.setFocus()
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    qtbot.waitUntil(lambda: parts.session.status("animal-0.png") is Status.APPROVED)


def test_return_in_the_search_box_approves_nothing(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2, masked=0))
    parts.window.activateWindow()
    parts.browser.focus_search()
    qtbot.keyClicks(parts.browser.search_box, "1")
    qtbot.keyClick(parts.browser.search_box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    assert parts.session.counts[Status.APPROVED] == 0


def test_the_sheet_shows_every_key_as_it_is_now(shortcuts, qtbot):
    parts, dialog = shortcuts
    dialog.choose("about")
    qtbot.keyClick(dialog.first_key, Qt.Key.Key_F8)
    parts.actions["cheat_sheet"].trigger()
    sheet = next(d for d in parts.window.findChildren(QDialog) if d.windowTitle() == "All keys")
    texts = [label.text() for label in sheet.findChildren(QLabel)]
    for action in parts.actions.values():
        for key in action.shortcuts():
            native = key.toString(QKeySequence.SequenceFormat.NativeText)
            assert any(native in text.split(", ") for text in texts), action.objectName()
    assert "F8" in texts
    for _, meaning in (*HELD_KEYS, *GESTURES):
        assert meaning in texts


def test_the_sheet_fits_on_a_small_screen(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    sheet = show_cheat_sheet(parent, make_actions(parent, QPalette()))
    inner = sheet.findChild(QScrollArea).widget().sizeHint()
    assert inner.width() <= 1240
    assert inner.height() <= 700
    sheet.close()


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_columns_keep_order_and_groups(sizes):
    groups = [(str(n), [("K", "what")] * size) for n, size in enumerate(sizes)]
    columns = in_columns(groups)
    assert [group for column in columns for group in column] == groups
    assert all(columns)
    assert len(columns) <= 4


def test_tool_tips_and_menus_show_the_keys_in_this_systems_words(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    actions = make_actions(parent, QGuiApplication.palette())
    native = QKeySequence("Ctrl+Z").toString(QKeySequence.SequenceFormat.NativeText)
    assert actions["undo"].toolTip().endswith(f"({native})")


def test_return_is_the_tools_while_something_is_pending(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2, masked=0))
    canvas = parts.canvas
    parts.window.activateWindow()
    canvas.setFocus()
    parts.actions["polygon"].trigger()
    middle = canvas.rect().center()
    for dx, dy in ((-60, -60), (60, -60), (60, 60)):
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(dx, dy))
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.document.mask.any())
    assert parts.session.wanted == "animal-0.png"
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
