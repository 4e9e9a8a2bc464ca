"""Settings: what is set counts at once, is there the next time, and survives bad files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QDialogButtonBox, QSpinBox

from core.errors import BadInput
from petseg_gui.canvas.appearance import Colours
from petseg_gui.look import set_theme
from petseg_gui.settings.options import (
    OPTIONS,
    Choice,
    Range,
    Settings,
    parse_settings,
    settings_json,
)


def _values() -> st.SearchStrategy[Settings]:
    fields = {
        option.id: st.sampled_from(sorted(option.kind.words))
        if isinstance(option.kind, Choice)
        else st.integers(option.kind.low, option.kind.high)
        for option in OPTIONS
    }
    key = st.text(min_size=1, max_size=20)
    keys = st.dictionaries(key, st.lists(key, max_size=2).map(tuple), max_size=4)
    return st.builds(Settings, **fields, keys=keys)


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return tmp_path / "user-config" / "petseg" / "settings.json"


@pytest.fixture
def light_again():
    yield
    set_theme("system")


def _open_settings(parts) -> QDialog:
    parts.actions["settings"].trigger()
    return parts.window.findChild(QDialog, "settings-window")


@given(_values())
def test_settings_come_back_from_their_file_as_they_were(settings):
    assert parse_settings(json.loads(json.dumps(settings_json(settings)))) == settings


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_the_usual_value_is_one_that_can_be_chosen(option):
    usual = getattr(Settings(), option.id)
    assert parse_settings({option.id: usual}) == Settings()


@pytest.mark.parametrize(
    "raw",
    [
        {"theme": "purple"},
        {"theme": 3},
        {"autosave_seconds": 0},
        {"autosave_seconds": True},
        {"autosave_seconds": 2.5},
        {"undo_megabytes": 10**9},
        {"keys": ["Ctrl+Z"]},
        {"keys": {"undo": "Ctrl+Z"}},
        {"keys": {"undo": ["a", "b", "c"]}},
        {"keys": {"undo": [""]}},
    ],
)
def test_a_value_that_does_not_fit_is_refused(raw):
    with pytest.raises(BadInput):
        parse_settings(raw)


def test_what_a_newer_version_adds_is_passed_over():
    assert parse_settings({"theme": "dark", "hologram": True}) == Settings(theme="dark")


def test_each_setting_has_a_control_in_the_window_that_is_put_to_use(
    open_window, make_project, qtbot
):
    parts = open_window(make_project(images=1))
    dialog = _open_settings(parts)
    assert set(dialog.controls) == {option.id for option in OPTIONS}
    dialog.controls["autosave_seconds"].setValue(7)
    dialog.controls["undo_megabytes"].setValue(50)
    dialog.controls["threads"].setValue(1)
    box = dialog.controls["colours"]
    box.setCurrentIndex(box.findData("safe"))
    box.activated.emit(box.currentIndex())
    assert parts.session.save_after_ms == 7000
    assert parts.session.undo_bytes == 50 * 2**20
    assert parts.shelf.threads == 1
    assert parts.canvas.appearance.colours is Colours.SAFE


def test_the_controls_say_ranges_words_and_names(open_window, make_project):
    dialog = _open_settings(open_window(make_project(images=1)))
    for option in OPTIONS:
        control = dialog.controls[option.id]
        assert control.accessibleName() == option.label
        if isinstance(option.kind, Range):
            assert isinstance(control, QSpinBox)
            assert (control.minimum(), control.maximum()) == (option.kind.low, option.kind.high)
        else:
            assert isinstance(control, QComboBox)
            assert {control.itemData(i) for i in range(control.count())} == set(option.kind.words)


def test_settings_are_there_the_next_time(open_window, make_project, qtbot, settings_file):
    folder = make_project(images=1)
    parts = open_window(folder)
    _open_settings(parts).controls["autosave_seconds"].setValue(9)
    parts.window.close()
    assert json.loads(settings_file.read_text())["autosave_seconds"] == 9
    assert open_window(folder).session.save_after_ms == 9000


def test_a_setting_is_on_the_disk_before_the_window_closes(
    open_window, make_project, qtbot, settings_file
):
    parts = open_window(make_project(images=1))
    parts.settings.change(replace(parts.settings.settings, threads=2))
    qtbot.waitUntil(settings_file.exists)
    assert json.loads(settings_file.read_text())["threads"] == 2


def test_reset_brings_the_usual_settings_and_leaves_the_keys(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    keys = {"undo": ("Ctrl+U",)}
    parts.settings.change(Settings(autosave_seconds=30, threads=3, keys=keys))
    dialog = _open_settings(parts)
    assert dialog.controls["autosave_seconds"].value() == 30
    buttons = dialog.findChild(QDialogButtonBox).buttons()
    reset = next(b for b in buttons if b.text() == "Reset to defaults")
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert parts.settings.settings == Settings(keys=keys)
    assert dialog.controls["autosave_seconds"].value() == Settings().autosave_seconds


@pytest.mark.parametrize("content", ["{", "[1]", '{"theme": 7}', "\x00\xff", "null"])
def test_a_damaged_file_is_kept_said_once_and_the_usual_settings_taken(
    open_window, make_project, settings_file, content
):
    settings_file.parent.mkdir(parents=True)
    settings_file.write_text(content)
    folder = make_project(images=1)
    parts = open_window(folder)
    assert "settings.json.bad" in parts.window.banners.text("settings")
    assert settings_file.with_name("settings.json.bad").read_text() == content
    assert parts.settings.settings == Settings()
    parts.window.close()
    assert open_window(folder).window.banners.text("settings") == ""


def test_settings_that_cannot_be_written_are_said_and_count_all_the_same(
    open_window, make_project, qtbot, settings_file
):
    parts = open_window(make_project(images=1))
    settings_file.parent.parent.mkdir(parents=True, exist_ok=True)
    settings_file.parent.write_text("a file where the folder should be")
    parts.settings.change(Settings(autosave_seconds=5))
    qtbot.waitUntil(lambda: "Cannot write" in parts.window.banners.text("settings"))
    assert parts.session.save_after_ms == 5000


def test_a_second_wish_for_the_window_shows_the_one_there_is(open_window, make_project):
    parts = open_window(make_project(images=1))
    first = _open_settings(parts)
    assert _open_settings(parts) is first
    assert len(parts.window.findChildren(QDialog, "settings-window")) == 1


def test_windows_that_were_closed_are_not_told_any_more(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    for command in ("settings", "shortcuts"):
        parts.actions[command].trigger()
    for dialog in parts.window.findChildren(QDialog):
        dialog.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert parts.window.findChildren(QDialog) == []
    parts.settings.change(Settings(threads=2))
    assert parts.shelf.threads == 2


@pytest.mark.usefixtures("light_again")
def test_the_theme_turns_dark_and_light_at_once_with_its_icons(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))

    def lightness() -> int:
        return QApplication.palette().color(QPalette.ColorRole.Window).lightness()

    def icon_key() -> int:
        image = parts.actions["open"].icon().pixmap(20).toImage()
        return max(
            image.pixelColor(x, y).lightness()
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() == 255
        )

    parts.settings.change(Settings(theme="dark"))
    assert lightness() < 100
    qtbot.waitUntil(lambda: icon_key() > 150)
    parts.settings.change(Settings(theme="light"))
    assert lightness() > 150
    qtbot.waitUntil(lambda: icon_key() < 100)
