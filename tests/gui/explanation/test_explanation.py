"""Model > Why this mask: asked of a process or in a thread, shown on the canvas, cancelled."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDockWidget

from core.editing.region import Region
from core.labels import scheme_of
from petseg_gui.explanation.panel import ExplanationPanel
from petseg_gui.tools.tool import Operation

WAIT_MS = 120_000  # a process has to import torch first


def open_panel(parts, method: str = "occlusion", detail: str = "coarse") -> ExplanationPanel:
    parts.actions["explain"].trigger()
    panel = parts.window.findChild(ExplanationPanel)
    panel.method.setCurrentIndex(panel.method.findData(method))
    panel.detail.setCurrentIndex(panel.detail.findData(detail))
    return panel


def explain(qtbot, panel: ExplanationPanel) -> None:
    panel.start.click()
    assert panel.cancel.isVisible()
    qtbot.waitUntil(lambda: panel.result.text() != "", timeout=WAIT_MS)
    assert not panel.cancel.isVisible()


@pytest.mark.parametrize(
    ("method", "high", "words"),
    [("gradcam", "1 (the most)", "Asked about"), ("occlusion", "points", "covering costs")],
)
def test_the_answer_is_a_heat_map_with_its_limits(
    open_window, make_project, qtbot, method, high, words
):
    parts = open_window(make_project(images=1))
    panel = open_panel(parts, method)
    assert "not a proof" in panel.limits.text()
    explain(qtbot, panel)
    assert words in panel.result.text()
    heat = parts.compare.heat
    assert heat.title == "Why object"
    assert high in heat.high
    assert heat.values.max() == 255
    assert parts.canvas.accessibleDescription() == heat.title
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Escape)
    assert parts.compare.heat is None
    assert panel.result.text() == ""


def test_it_is_asked_about_the_selection(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    panel = open_panel(parts)
    document = parts.session.document
    document.select(Region((4, 4, 20, 20), np.ones((16, 16), bool)))
    assert "256 pixels" in panel.place.text()
    explain(qtbot, panel)
    assert "the place you chose" in panel.result.text()
    panel.everywhere.click()
    assert document.selection is None
    assert "Wherever" in panel.place.text()


def test_a_box_is_drawn_and_the_tool_of_before_comes_back(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    parts.actions["eraser"].trigger()
    before = parts.session.document.mask.copy()
    panel = open_panel(parts)
    panel.draw.click()
    panel.draw.click()  # twice is as good as once
    assert parts.toolbox.tool_id == "rectangle"
    centre = parts.canvas.rect().center()
    qtbot.mousePress(parts.canvas, Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseMove(parts.canvas, centre + QPoint(60, 60))
    qtbot.mouseRelease(parts.canvas, Qt.MouseButton.LeftButton, pos=centre + QPoint(60, 60))
    qtbot.waitUntil(lambda: parts.session.document.selection is not None)
    assert parts.toolbox.tool_id == "eraser"
    assert parts.toolbox.operation is Operation.ADD
    assert "The selection" in panel.place.text()
    assert np.array_equal(parts.session.document.mask, before)


def test_another_tool_that_is_taken_instead_of_the_box_stays(open_window, make_project):
    parts = open_window(make_project(images=1))
    panel = open_panel(parts)
    panel.draw.click()
    parts.actions["eraser"].trigger()
    assert parts.toolbox.operation is Operation.ADD
    parts.session.document.select(Region((4, 4, 20, 20), np.ones((16, 16), bool)))
    assert parts.toolbox.tool_id == "eraser"


def test_looking_at_something_else_ends_it(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    panel = open_panel(parts, detail="fine")
    panel.start.click()
    qtbot.waitUntil(lambda: parts.compare.heat is not None)
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Escape)
    assert not panel.bar.isVisible()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert parts.compare.heat is None
    assert parts.actions["compare_off"].isChecked()


def test_the_photos_that_were_asked_about_are_let_go(open_window, make_project, qtbot, go_to):
    parts = open_window(make_project(images=2))
    explain(qtbot, open_panel(parts))
    photo = weakref.ref(parts.session.document.pixels)
    go_to(parts, "animal-1.png")
    parts.session.loader.read_ahead(())
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    gc.collect()
    assert photo() is None


@pytest.mark.parametrize("method", ["gradcam", "occlusion"])
def test_it_is_cancelled(open_window, make_project, qtbot, method):
    parts = open_window(make_project(images=1))
    panel = open_panel(parts, method, "fine")
    panel.start.click()
    panel.cancel.click()
    assert not panel.bar.isVisible()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert parts.compare.heat is None
    assert panel.result.text() == ""


def test_another_image_ends_it_and_takes_the_answer_away(open_window, make_project, qtbot, go_to):
    parts = open_window(make_project(images=2))
    panel = open_panel(parts)
    explain(qtbot, panel)
    panel.detail.setCurrentIndex(panel.detail.findData("fine"))
    panel.start.click()
    go_to(parts, "animal-1.png")
    assert not panel.bar.isVisible()
    assert parts.compare.heat is None
    assert parts.actions["compare_off"].isChecked()


def test_a_class_that_the_model_does_not_know_is_told(
    open_window, make_project, qtbot, make_model, monkeypatch
):
    other = make_model(scheme_of("three", ["background", "cat", "dog"]))
    parts = open_window(make_project(images=1))
    monkeypatch.setattr("petseg_gui.prediction.models.bundled_model", lambda: other)
    panel = open_panel(parts)
    explain(qtbot, panel)
    assert "the project has background, object" in panel.result.text()


def test_closing_the_window_ends_its_process(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    open_panel(parts, "gradcam").start.click()
    parts.window.close()
    assert not parts.window.isVisible()


def test_the_panel_is_made_once(open_window, make_project):
    parts = open_window(make_project(images=1))
    open_panel(parts)
    parts.window.findChild(QDockWidget, "Why this mask").close()
    assert open_panel(parts).isVisible()
    assert len(parts.window.findChildren(ExplanationPanel)) == 1
