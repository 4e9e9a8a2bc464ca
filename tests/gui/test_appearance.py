from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QSlider, QWidget
from pytestqt.qtbot import QtBot

from petseg_gui.appearance_panel import AppearancePanel
from petseg_gui.canvas.appearance import Appearance, Colours, Mode
from petseg_gui.parts import Parts

OpenWindow = Callable[..., Parts]
MakeProject = Callable[..., Path]


@pytest.fixture
def panel(qtbot: QtBot) -> AppearancePanel:
    panel = AppearancePanel()
    qtbot.addWidget(panel)
    panel.appearance_set.connect(panel.show_appearance)  # as the canvas lets it
    panel.show()
    return panel


def test_each_control_sets_its_part_of_the_appearance(panel: AppearancePanel) -> None:
    told: list[Appearance] = []
    panel.appearance_set.connect(told.append)
    panel.mode.activated.emit(1)
    panel.outline_width.slider.setValue(7)
    panel.colours.activated.emit(1)
    panel.brightness.slider.setValue(-30)
    panel.contrast.slider.setValue(40)
    panel.grid.click()
    assert told[-1] == Appearance(
        mode=Mode.OUTLINE,
        outline_width=7,
        colours=Colours.SAFE,
        brightness=-0.3,
        contrast=0.4,
        grid=True,
    )
    panel.mode.activated.emit(0)
    panel.opacity.slider.setValue(80)
    assert (told[-1].mode, told[-1].opacity) == (Mode.FILL, 0.8)
    panel.reset.click()
    assert told[-1] == Appearance()
    assert panel.brightness.value.text() == "0 %"


def test_showing_an_appearance_sets_nothing(panel: AppearancePanel) -> None:
    told: list[Appearance] = []
    panel.appearance_set.connect(told.append)
    panel.show_appearance(
        Appearance(opacity=0.25, mode=Mode.CUTOUT, contrast=0.5, grid=True, colours=Colours.SAFE)
    )
    assert told == []
    assert panel.mode.currentText() == "Cut-out"
    assert panel.colours.currentText() == "Colour-blind safe"
    assert panel.contrast.value.text() == "+50 %"
    assert panel.opacity.value.text() == "25 %"
    assert panel.grid.isChecked()


def test_what_has_no_effect_cannot_be_set(panel: AppearancePanel) -> None:
    panel.show_appearance(Appearance(mode=Mode.OUTLINE))
    assert not panel.opacity.isEnabled()
    assert panel.outline_width.isEnabled()
    panel.show_appearance(Appearance())
    assert panel.opacity.isEnabled()
    assert not panel.outline_width.isEnabled()


def test_the_panel_is_worked_with_the_keyboard_alone(panel: AppearancePanel, qtbot: QtBot) -> None:
    controls: list[QWidget] = [*panel.findChildren(QSlider), *panel.findChildren(QComboBox)]
    controls += [panel.grid, panel.reset]
    assert all(c.focusPolicy() & Qt.FocusPolicy.TabFocus for c in controls)
    assert all(c.accessibleName() or c.text() for c in controls)  # type: ignore[attr-defined]
    panel.contrast.slider.setFocus()
    qtbot.keyClick(panel.contrast.slider, Qt.Key.Key_PageUp)
    assert panel._appearance.contrast == 0.1
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_commands_change_the_look_and_show_how_it_is(
    open_window: OpenWindow, make_project: MakeProject
) -> None:
    parts = open_window(make_project())
    actions, canvas = parts.actions, parts.canvas
    actions["outline_only"].trigger()
    assert canvas.appearance.mode is Mode.OUTLINE
    actions["cut_out"].trigger()
    assert canvas.appearance.mode is Mode.CUTOUT
    assert not actions["outline_only"].isChecked()
    actions["cut_out"].trigger()
    assert canvas.appearance.mode is Mode.FILL
    for _ in range(12):
        actions["brighter"].trigger()
        actions["less_contrast"].trigger()
    assert (canvas.appearance.brightness, canvas.appearance.contrast) == (1.0, -1.0)
    actions["darker"].trigger()
    actions["more_contrast"].trigger()
    assert (canvas.appearance.brightness, canvas.appearance.contrast) == (0.9, -0.9)
    actions["pixel_grid"].trigger()
    assert canvas.appearance.grid
    parts.strip.opacity_slider.setValue(20)
    assert canvas.opacity == 0.2
    actions["reset_appearance"].trigger()
    assert canvas.appearance == Appearance()
    assert parts.strip.opacity_slider.value() == 50
    assert not actions["pixel_grid"].isChecked()


def test_the_panel_opens_from_the_strip_and_follows_the_canvas(
    open_window: OpenWindow, make_project: MakeProject
) -> None:
    parts = open_window(make_project())
    parts.strip.appearance_button.click()
    panel = parts.window.findChild(AppearancePanel)
    assert panel is not None
    assert panel.isVisible()
    panel.opacity.slider.setValue(10)
    assert parts.canvas.opacity == 0.1
    assert parts.strip.opacity_slider.value() == 10
    parts.actions["outline_only"].trigger()
    assert panel.mode.currentText() == "Outline only"
    panel.close()
    parts.actions["appearance"].trigger()
    assert len(parts.window.findChildren(AppearancePanel)) == 1
    panel.close()
