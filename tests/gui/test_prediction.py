"""Segmenting one image or all, and what a prediction may replace."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPlainTextEdit

from core.inference.predictor import Predictor
from core.labels import PET, BorderRule
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.prediction.chooser import ModelChooser
from petseg_gui.tools.cleaning import CleaningTool


def _predicted(model: Path, folder: Path, name: str) -> np.ndarray:
    pixels = open_project(folder).read_image(name).pixels
    return Predictor(model).predict(pixels).mask(PET, BorderRule.FOREGROUND)


def _wait_predicted(qtbot, parts, number):
    qtbot.waitUntil(lambda: parts.session.counts[Status.PREDICTED] == number)


def test_segment_shows_and_stores_the_models_mask(open_window, make_project, qtbot, default_model):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    assert not parts.session.document.mask.any()
    parts.actions["segment"].trigger()
    _wait_predicted(qtbot, parts, 1)
    wanted = _predicted(default_model, folder, "animal-0.png")
    assert wanted.any()
    assert (parts.session.document.mask == wanted).all()
    assert (open_project(folder).read_prediction("animal-0.png", (48, 48)) == wanted).all()
    assert not (folder / "masks").exists()
    assert not parts.session.dirty


def test_an_unlabelled_image_is_segmented_on_opening(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2, masked=1), segment=True)
    parts.actions["next"].trigger()
    _wait_predicted(qtbot, parts, 1)
    assert parts.session.status("animal-0.png") is Status.APPROVED


def test_segment_on_opening_can_be_switched_off(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2, masked=0), segment=False)
    parts.actions["next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    parts.actions["previous"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-0.png")
    assert parts.session.counts[Status.PREDICTED] == 0


def test_a_mask_of_a_person_is_kept_and_the_prediction_can_be_taken_as_an_edit(
    open_window, make_project, qtbot, default_model
):
    folder = make_project(images=1)
    parts = open_window(folder)
    before = parts.session.document.mask.copy()
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    assert (parts.session.document.mask == before).all()
    assert "your mask kept" in parts.window.statusBar().currentMessage()
    parts.actions["replace"].trigger()
    qtbot.waitUntil(lambda: isinstance(parts.canvas.tool, CleaningTool))
    assert (parts.session.document.mask == before).all()
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Return)
    wanted = _predicted(default_model, folder, "animal-0.png")
    qtbot.waitUntil(lambda: bool((parts.session.document.mask == wanted).all()))
    parts.actions["undo"].trigger()
    assert (parts.session.document.mask == before).all()


def test_strokes_that_are_not_saved_yet_are_kept_too(open_window, make_project, qtbot, paint):
    parts = open_window(make_project(images=1, masked=0))
    paint(parts)
    painted = parts.session.document.mask.copy()
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    assert (parts.session.document.mask == painted).all()


def test_painting_on_a_prediction_makes_it_a_mask(
    open_window, make_project, qtbot, paint, default_model
):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    parts.actions["segment"].trigger()
    _wait_predicted(qtbot, parts, 1)
    parts.actions["eraser"].trigger()
    paint(parts, dx=5)
    parts.actions["brush"].trigger()
    paint(parts)
    parts.session.save()
    qtbot.waitUntil(lambda: parts.session.status("animal-0.png") is Status.EDITED)
    saved = np.asarray(Image.open(folder / "masks" / "animal-0.png"))
    assert (saved == parts.session.document.mask).all()
    assert "tiny-0" in (folder / ".petseg" / "reviews.jsonl").read_text()


def test_segment_all_leaves_masks_alone_and_lists_bad_files(open_window, make_project, qtbot):
    folder = make_project(images=4, masked=1)
    (folder / "images" / "bad.png").write_text("no image")
    (folder / "images" / "empty.png").touch()
    parts = open_window(folder)
    with qtbot.waitSignal(parts.batch.finished) as caught:
        parts.actions["segment_all"].trigger()
    report = caught.args[0]
    assert set(report.problems) == {"bad.png", "empty.png"}
    assert report.done == report.total == 5
    assert parts.session.counts[Status.PREDICTED] == 3
    assert parts.session.status("animal-0.png") is Status.APPROVED
    assert "2 images could not be segmented" in parts.window.banners.text("batch")
    parts.window.banners.banner("batch").buttons[0].click()
    dialog = parts.window.findChildren(QDialog)[-1]
    listed = dialog.findChild(QPlainTextEdit).toPlainText().splitlines()
    assert sorted(listed)[0] == "bad.png: not an image that can be read"
    dialog.close()


def test_a_cancelled_batch_ends_and_keeps_what_it_did(open_window, make_project, qtbot):
    parts = open_window(make_project(images=8, masked=0))
    parts.batch.progressed.connect(
        lambda report: parts.window.progress.button.click() if report.done == 2 else None
    )
    with qtbot.waitSignal(parts.batch.finished) as caught:
        parts.actions["segment_all"].trigger()
    assert caught.args[0].cancelled
    qtbot.waitUntil(lambda: not parts.window.progress.isVisible())
    assert 2 <= parts.session.counts[Status.PREDICTED] < 8
    assert parts.actions["segment_all"].isEnabled()


def test_one_image_is_segmented_while_a_batch_goes_on(open_window, make_project, qtbot):
    parts = open_window(make_project(images=8, masked=0))
    parts.actions["segment_all"].trigger()
    parts.actions["next"].trigger()
    with qtbot.waitSignal(parts.desk.segmented):
        qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
        parts.actions["segment"].trigger()
    _wait_predicted(qtbot, parts, 8)


def test_a_late_prediction_does_not_land_on_another_image(open_window, make_project, qtbot, go_to):
    parts = open_window(make_project(images=2, masked=0))
    parts.actions["segment"].trigger()
    parts.session.open_image("animal-1.png")
    _wait_predicted(qtbot, parts, 1)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    assert not parts.session.document.mask.any()
    go_to(parts, "animal-0.png")
    assert parts.session.document.mask.any()


def _add_run(folder: Path, model: Path, name: str = "run-1") -> Path:
    run = folder / ".petseg" / "runs" / name
    run.mkdir(parents=True)
    for suffix in (".safetensors", ".onnx"):
        shutil.copy(model.with_suffix(suffix), run / f"best{suffix}")
    return run / "best.safetensors"


def test_a_chosen_model_is_used_and_remembered(open_window, make_project, make_model, qtbot):
    folder = make_project(images=1, masked=0)
    other = _add_run(folder, make_model(seed=7, name="Mine"))
    parts = open_window(folder)
    qtbot.waitUntil(lambda: len(parts.models.entries) == 2)
    chooser = parts.window.findChild(ModelChooser)
    assert [chooser.itemText(i) for i in range(2)] == ["Tiny", "Mine"]
    chooser.setCurrentIndex(1)
    chooser.activated.emit(1)
    parts.actions["segment"].trigger()
    _wait_predicted(qtbot, parts, 1)
    wanted = _predicted(other, folder, "animal-0.png")
    assert (parts.session.document.mask == wanted).all()
    qtbot.waitUntil(lambda: open_project(folder).settings.model == "runs/run-1/best.safetensors")


def test_a_chosen_model_that_is_gone_falls_back_and_says_so(
    open_window, make_project, make_model, qtbot
):
    folder = make_project(images=1, masked=0)
    project = open_project(folder)
    project.change_settings(model="runs/x/best.safetensors")
    parts = open_window(folder)
    qtbot.waitUntil(lambda: "missing" in parts.window.statusBar().currentMessage())
    parts.actions["segment"].trigger()
    _wait_predicted(qtbot, parts, 1)


@pytest.mark.parametrize("damage", ["text", "no twin"])
def test_a_model_that_cannot_be_read_is_told(
    open_window, make_project, tiny_model, qtbot, tmp_path, monkeypatch, damage
):
    broken = tmp_path / "broken.safetensors"
    if damage == "text":
        broken.write_text("this is no model")
    else:
        shutil.copy(tiny_model, broken)
    monkeypatch.setattr("petseg_gui.prediction.models.bundled_model", lambda: broken)
    parts = open_window(make_project(images=1, masked=0))
    parts.actions["segment"].trigger()
    qtbot.waitUntil(lambda: "broken.safetensors" in parts.window.banners.text("segment"))
    assert parts.session.status("animal-0.png") is Status.UNLABELLED


@pytest.mark.parametrize("segment", [False, True])
def test_a_prediction_of_another_size_than_the_photo_counts_no_more_and_that_is_said(
    open_window, make_project, qtbot, segment
):
    folder = make_project(images=1, masked=0)
    record = PredictionRecord("animal-0.png", "m")
    open_project(folder).save_prediction("animal-0.png", np.ones((30, 40), np.uint8), record)
    parts = open_window(folder, segment=segment)
    assert "does not fit this photo" in parts.window.banners.text("notes")
    if segment:
        _wait_predicted(qtbot, parts, 1)
    assert parts.session.status("animal-0.png") is (
        Status.PREDICTED if segment else Status.UNLABELLED
    )
    assert open_project(folder).prediction("animal-0.png") is not None  # nothing was deleted
    if segment:
        assert open_project(folder).read_prediction("animal-0.png", (48, 48)) is not None
