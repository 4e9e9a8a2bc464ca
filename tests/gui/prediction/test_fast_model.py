"""The fast model that comes with PetSeg: chosen like any other, offered on a slow machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from core.modelfile import onnx_path, read_description
from core.project.project import open_project
from petseg_gui.settings.kept import config_folder

KEY = "fast-model"


@pytest.fixture
def fast(make_model, default_model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fast model beside the default one, with a card."""
    path = tmp_path / "own" / "fast.safetensors"
    path.parent.mkdir()
    made = make_model(seed=3, name="Quick one")
    for file in (made, onnx_path(made)):
        shutil.copy(file, path.with_suffix(file.suffix))
    path.with_suffix(".md").write_text("# Quick one\n\nFor old\nmachines.\n", "utf-8")
    for module in (
        "core.inference.catalogue",
        "petseg_gui.prediction.models",
        "petseg_gui.wiring.fast_model",
    ):
        monkeypatch.setattr(f"{module}.fast_model", lambda: path)
    monkeypatch.setattr("petseg_gui.wiring.fast_model.bundled_model", lambda: default_model)
    return path


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("petseg_gui.wiring.fast_model._SLOW", 0.0)


def listed(parts) -> list[str]:
    return [entry.title for entry in parts.models.entries]


def test_it_is_chosen_like_any_other_model_and_the_choice_is_kept(
    open_window, make_project, fast, default_model, qtbot
):
    folder = make_project(2, 0)
    parts = open_window(folder)
    qtbot.waitUntil(lambda: listed(parts) == ["Tiny", "Quick one"])
    assert "For old machines." in parts.chooser.itemData(1, Qt.ItemDataRole.ToolTipRole)
    parts.chooser.setCurrentIndex(1)
    parts.chooser.activated.emit(1)
    assert parts.models.path == fast
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    assert parts.session.predicted_by("animal-0.png") == read_description(fast).id
    qtbot.waitUntil(lambda: open_project(folder).settings.model == "fast")
    again = open_window(folder)
    assert again.models.path == fast
    qtbot.waitUntil(lambda: len(again.models.entries) == 2)
    again.models.choose(default_model)
    assert again.models.path != fast


def test_where_it_is_missing_the_default_one_segments(
    open_window, make_project, fast, qtbot, default_model
):
    folder = make_project(1, 0)
    parts = open_window(folder)
    parts.models.choose(fast)
    qtbot.waitUntil(lambda: open_project(folder).settings.model == "fast")
    fast.unlink()
    again = open_window(folder)
    qtbot.waitUntil(lambda: again.models.path == default_model)
    assert "is missing" in again.window.statusBar().currentMessage()


def test_a_slow_machine_is_offered_it_once(
    open_window, make_project, fast, slow_machine, qtbot, default_model
):
    parts = open_window(make_project(5, 0))
    qtbot.waitUntil(lambda: len(parts.models.entries) == 2)
    with qtbot.waitSignal(parts.batch.finished):
        parts.desk.segment_these(["animal-0.png", "animal-1.png"])
    assert not parts.window.banners.text(KEY)  # two photos tell too little
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
    assert "Quick one is quicker" in parts.window.banners.text(KEY)
    assert parts.models.path == default_model  # nobody chose for the person
    parts.window.banners._banners[KEY].buttons[0].click()
    assert parts.models.path == fast
    assert not parts.window.banners.text(KEY)
    parts.models.choose(default_model)
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    state = json.loads((config_folder() / "state.json").read_text())
    assert state["fast_offered"] is True
    parts.window.close()
    again = open_window(make_project(5, 0, folder="others"))
    qtbot.waitUntil(lambda: len(again.models.entries) == 2)
    with qtbot.waitSignal(again.batch.finished):
        again.actions["segment_all"].trigger()
    assert again.shelf.quickest(default_model) is not None
    assert not again.window.banners.text(KEY)


def test_a_machine_that_is_quick_enough_is_offered_nothing(
    open_window, make_project, fast, qtbot, default_model, monkeypatch
):
    monkeypatch.setattr("petseg_gui.wiring.fast_model._SLOW", 1e6)
    parts = open_window(make_project(4, 0))
    qtbot.waitUntil(lambda: len(parts.models.entries) == 2)
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
    assert parts.shelf.quickest(default_model) > 0
    assert not parts.window.banners.text(KEY)
