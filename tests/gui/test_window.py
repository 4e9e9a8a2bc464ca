"""Commands, menus, help, names for screen readers, light and dark."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QSlider,
    QSpinBox,
    QWidget,
)

from petseg_gui import icons
from petseg_gui.actions import COMMANDS, HELD_KEYS, MENUS
from petseg_gui.help import show_about

_CONTROLS = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QSlider, QSpinBox)


def test_every_command_stands_in_exactly_one_menu():
    placed = Counter(c for menu in MENUS for c in menu.walk())
    assert placed == Counter(command.id for command in COMMANDS)


def test_no_two_commands_share_a_key():
    keys = Counter(key for command in COMMANDS for key in command.shortcuts)
    keys.update(key for key, _ in HELD_KEYS)
    assert [key for key, number in keys.items() if number > 1] == []


def test_about_names_the_versions(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    box = show_about(parent)
    assert isinstance(box, QMessageBox)
    assert "PySide6" in box.informativeText()
    box.close()


def test_every_control_has_a_name_for_screen_readers(open_window, make_project):
    parts = open_window(make_project(images=1))
    nameless = [
        control
        for control in parts.window.findChildren(QWidget)
        if isinstance(control, _CONTROLS)
        and not control.objectName().startswith("qt_")
        and not (
            control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
        )
        and not isinstance(control.parent(), QSpinBox | QComboBox | QLineEdit)
        and control.isVisible()
    ]
    assert nameless == []


def test_icons_follow_the_palette(qtbot):
    dark = QPalette()
    dark.setColor(QPalette.ColorRole.WindowText, QColor("white"))
    light = QPalette()
    light.setColor(QPalette.ColorRole.WindowText, QColor("black"))
    shown = [icons.icon("open", p).pixmap(24).toImage() for p in (dark, light)]
    strokes = [
        {
            image.pixelColor(x, y).lightness()
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() == 255
        }
        for image in shown
    ]
    assert strokes == [{255}, {0}]


def test_the_zoom_is_shown_and_set_by_commands(open_window, make_project):
    parts = open_window(make_project(images=1))
    parts.actions["actual"].trigger()
    assert parts.strip.zoom_label.text() == "100 %"
    parts.actions["zoom_in"].trigger()
    assert parts.canvas.zoom > 1
    parts.actions["fit"].trigger()
    assert parts.canvas.fitted


def test_the_status_bar_names_the_class_under_the_pointer(open_window, make_project):
    parts = open_window(make_project(images=1))
    parts.canvas.hovered.emit((3, 4, 1))
    assert parts.window.hovered.text() == "3, 4  pet" or "object" in parts.window.hovered.text()
    parts.canvas.hovered.emit(None)
    assert parts.window.hovered.text() == ""


def test_banners_can_be_closed(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    from petseg_gui.banner import Level

    parts.window.banners.show_message("x", Level.INFO, "Something")
    banner = parts.window.banners.banner("x")
    qtbot.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)
    assert parts.window.banners.text("x") == ""


def test_keys_are_commands_as_soon_as_a_folder_is_open(open_window, make_project):
    parts = open_window(make_project(images=1))
    assert parts.window.focusWidget() is parts.canvas
