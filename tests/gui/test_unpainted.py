"""A folder where unpainted pixels mean unlabelled: masks hold what was painted, nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from core.editing.region import Region
from core.inference.predictor import Predictor
from core.labels import PET, VOID, BorderRule
from core.masks import MaskEncoding
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.document import Document
from petseg_gui.tools.choosing import edit_for
from petseg_gui.tools.tool import Operation
from petseg_gui.wiring.classes import open_editor

FIRST = "animal-0.png"


@pytest.fixture
def scribbles(make_project) -> Path:
    """Two images without masks; what nobody paints is unlabelled."""
    folder = make_project(images=2, masked=0)
    project = open_project(folder)
    project.change_settings(unpainted="unlabelled")
    return folder


def on_disk(folder: Path, name: str = FIRST) -> np.ndarray:
    return np.asarray(Image.open(folder / "masks" / name))


def wait_saved(qtbot, parts, status: Status, name: str = FIRST) -> None:
    qtbot.waitUntil(lambda: parts.session.status(name) is status and not parts.session.saver.busy)


def segment(qtbot, parts, model: Path) -> np.ndarray:
    """Segment the open image: what the model says of it."""
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    pixels = parts.session.document.pixels
    predicted = Predictor(model).predict(pixels).mask(PET, BorderRule.FOREGROUND)
    assert set(np.unique(predicted)) == {0, 1}
    return predicted


def test_only_what_is_painted_is_in_the_mask(open_window, scribbles, qtbot, paint, default_model):
    parts = open_window(scribbles)
    assert (parts.session.document.mask == VOID).all()
    predicted = segment(qtbot, parts, default_model)
    assert (parts.session.document.mask == VOID).all()
    assert (parts.session.document.prediction == predicted).all()
    assert not parts.session.dirty
    paint(parts)
    wait_saved(qtbot, parts, Status.EDITED)
    saved = on_disk(scribbles)
    assert set(np.unique(saved)) == {1, VOID}
    assert saved[24, 24] == 1
    assert (open_project(scribbles).read_mask(FIRST) == saved).all()


def test_painted_background_is_not_the_same_as_unpainted(open_window, scribbles, qtbot, paint):
    parts = open_window(scribbles)
    parts.class_panel.choose(0)
    paint(parts)
    assert parts.actions["undo"].text() == "Undo brush"
    wait_saved(qtbot, parts, Status.EDITED)
    assert set(np.unique(on_disk(scribbles))) == {0, VOID}


def test_the_eraser_makes_pixels_unlabelled_again(open_window, scribbles, paint):
    parts = open_window(scribbles)
    paint(parts)
    parts.actions["eraser"].trigger()
    paint(parts)
    assert (parts.session.document.mask == VOID).all()
    assert parts.actions["undo"].text() == "Undo eraser"


def test_taking_a_region_away_makes_it_unlabelled(qtbot):
    mask = np.array([[1, 1, 0, VOID]], np.uint8)
    region = Region((0, 0, 4, 1), np.ones((1, 4), bool))
    for unpainted in (0, VOID):
        document = Document("a", np.zeros((1, 4, 3), np.uint8), mask, PET, unpainted=unpainted)
        edit = edit_for(document, region, Operation.REMOVE, 1, "Remove")
        after = mask.copy()
        edit.apply(after)
        assert after.tolist() == [[unpainted, unpainted, 0, VOID]]


def test_approving_takes_the_rest_from_the_prediction_as_one_edit(
    open_window, scribbles, qtbot, paint, default_model
):
    parts = open_window(scribbles)
    predicted = segment(qtbot, parts, default_model)
    parts.class_panel.choose(int(not predicted[24, 24]))  # a correction
    paint(parts)
    painted = parts.session.document.mask.copy()
    parts.actions["approve"].trigger()
    wait_saved(qtbot, parts, Status.APPROVED)
    expected = np.where(painted == VOID, predicted, painted)
    assert (on_disk(scribbles) == expected).all()
    assert (expected != predicted).any()
    parts.actions["undo"].trigger()
    assert (parts.session.document.mask == painted).all()


def test_without_a_prediction_an_approved_mask_keeps_its_gaps(open_window, scribbles, qtbot, paint):
    parts = open_window(scribbles)
    paint(parts)
    parts.actions["approve"].trigger()
    wait_saved(qtbot, parts, Status.APPROVED)
    assert set(np.unique(on_disk(scribbles))) == {1, VOID}


def test_nothing_at_all_is_not_approved(open_window, scribbles, qtbot):
    parts = open_window(scribbles)
    with qtbot.waitSignal(parts.session.told) as told:
        parts.actions["approve_next"].trigger()
    assert told.args[0].startswith("There is nothing to approve")
    assert parts.session.name == FIRST
    assert parts.session.status(FIRST) is Status.UNLABELLED
    assert not (scribbles / "masks").exists()


@pytest.mark.parametrize("leave", ["next", "close"])
def test_an_approval_is_not_lost_by_leaving_at_once(
    open_window, scribbles, qtbot, paint, default_model, leave
):
    parts = open_window(scribbles)
    segment(qtbot, parts, default_model)
    paint(parts)
    parts.actions["approve"].trigger()
    if leave == "next":
        parts.actions["next"].trigger()
        qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
        wait_saved(qtbot, parts, Status.APPROVED)
    else:
        parts.window.close()
        qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert open_project(scribbles).status(FIRST) is Status.APPROVED
    assert VOID not in on_disk(scribbles)


def test_approve_and_next_goes_on_once_the_prediction_is_taken(
    open_window, scribbles, qtbot, default_model
):
    parts = open_window(scribbles)
    predicted = segment(qtbot, parts, default_model)
    parts.actions["approve_next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    wait_saved(qtbot, parts, Status.APPROVED)
    assert (on_disk(scribbles) == predicted).all()


def test_the_prediction_is_there_again_under_what_was_painted(
    open_window, scribbles, qtbot, paint, go_to, default_model
):
    parts = open_window(scribbles)
    predicted = segment(qtbot, parts, default_model)
    paint(parts)
    painted = parts.session.document.mask.copy()
    go_to(parts, "animal-1.png")
    wait_saved(qtbot, parts, Status.EDITED)
    go_to(parts, FIRST)
    assert (parts.session.document.mask == painted).all()
    assert (parts.session.document.prediction == predicted).all()


def test_strokes_come_back_after_a_kill(open_window, scribbles, qtbot, paint, tmp_path):
    parts = open_window(scribbles)
    parts.session.save_after_ms = 60_000
    paint(parts)
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert not (scribbles / "masks").exists()
    after = tmp_path / "after"
    shutil.copytree(scribbles, after)  # what a program that is killed now leaves behind
    again = open_window(after)
    assert (again.session.document.mask == parts.session.document.mask).all()
    assert set(np.unique(on_disk(after))) == {1, VOID}


def test_the_prediction_is_shown_fainter_than_what_was_painted(
    open_window, scribbles, qtbot, default_model
):
    parts = open_window(scribbles)
    predicted = segment(qtbot, parts, default_model)
    document, canvas = parts.session.document, parts.canvas
    canvas.set_opacity(1.0)
    y, x = (int(v) for v in np.argwhere(predicted == 1)[0])
    canvas.zoom_to(16.0)
    canvas.centre_on(x + 0.5, y + 0.5)
    at = canvas.view.to_device(x + 0.5, y + 0.5)
    ratio = canvas.devicePixelRatioF()

    def colour() -> np.ndarray:
        shown = canvas.grab().toImage()
        seen = shown.pixelColor(int(at[0] / ratio), int(at[1] / ratio))
        return np.array(seen.getRgb()[:3])

    faint = colour()
    document.set_prediction(None)
    assert (colour() != faint).any(), "void has its stripes again"
    document.paint_segment((x + 0.5, y + 0.5), (x + 0.5, y + 0.5), 1, 1)
    document.commit("Brush")
    full = colour()
    assert tuple(full) == PET.classes[1].colour
    photo = document.pixels[y, x].astype(int)
    assert (np.abs(faint - photo) <= np.abs(full - photo)).all()
    assert (faint != full).any()
    assert (faint != photo).any()


def test_the_pointer_is_told_what_is_only_predicted(open_window, scribbles, qtbot, default_model):
    parts = open_window(scribbles)
    predicted = segment(qtbot, parts, default_model)
    y, x = (int(v) for v in np.argwhere(predicted == 1)[0])
    parts.canvas.hovered.emit((x, y, VOID))
    assert parts.window.hovered.text() == f"{x}, {y}  pet (predicted)"
    parts.canvas.hovered.emit((x, y, 1))
    assert parts.window.hovered.text() == f"{x}, {y}  pet"


# Choosing it


def choose_unlabelled(qtbot, parts):
    editor = open_editor(parts)
    box = editor.unpainted_box
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert editor.unpainted == "unlabelled"
    return editor


def test_choosing_it_counts_for_masks_to_come(
    open_window, make_project, qtbot, go_to, default_model
):
    folder = make_project(images=3, masked=1)
    before = on_disk(folder).copy()
    parts = open_window(folder)
    go_to(parts, "animal-1.png")
    predicted = segment(qtbot, parts, default_model)
    assert (parts.session.document.mask == predicted).all()
    editor = choose_unlabelled(qtbot, parts)
    with qtbot.waitSignals([editor.accepted, parts.session.document_changed]):
        qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
    assert parts.session.name == "animal-1.png"
    assert (parts.session.document.mask == VOID).all()
    assert (parts.session.document.prediction == predicted).all()
    go_to(parts, FIRST)
    assert (parts.session.document.mask == before).all()
    assert (on_disk(folder) == before).all()
    go_to(parts, "animal-2.png")
    assert (parts.session.document.mask == VOID).all()
    assert open_project(folder).settings.unpainted == "unlabelled"


def test_what_was_painted_before_stays_as_it_was_meant(open_window, make_project, qtbot, paint):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    paint(parts)
    painted = parts.session.document.mask.copy()
    editor = choose_unlabelled(qtbot, parts)
    with qtbot.waitSignals([editor.accepted, parts.session.document_changed]):
        qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
    assert (parts.session.document.mask == painted).all()
    assert set(np.unique(painted)) == {0, 1}
    wait_saved(qtbot, parts, Status.EDITED)
    assert (on_disk(folder) == painted).all()
    assert parts.actions["undo"].isEnabled()


def test_masks_that_cannot_hold_void_are_converted_first(open_window, make_project, qtbot):
    folder = make_project(2, encoding=MaskEncoding.BINARY255)
    parts = open_window(folder)
    editor = choose_unlabelled(qtbot, parts)
    for answer in ("Cancel", "Convert"):
        qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: editor.findChild(QMessageBox) is not None)
        box = editor.findChild(QMessageBox)
        button = next(b for b in box.buttons() if b.text() == answer)
        if answer == "Cancel":
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
            assert open_project(folder).settings.unpainted == "background"
            qtbot.waitUntil(lambda: editor.findChild(QMessageBox) is None)
        else:
            with qtbot.waitSignal(editor.accepted):
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    settings = open_project(folder).settings
    assert (settings.unpainted, settings.mask_encoding) == ("unlabelled", MaskEncoding.IDS)
