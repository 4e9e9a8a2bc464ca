"""The label scheme editor: what it refuses and why, and what follows from a change."""

from __future__ import annotations

import errno
import os
from threading import Event

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QLineEdit, QMessageBox

from core.editing.history import compare
from core.labels import MAX_CLASSES, PET, TRIMAP, VOID, scheme_of
from core.masks import MaskEncoding
from core.project.project import Project, open_project
from core.project.settings import ProjectSettings, write_settings
from petseg_gui.classes.editor import ClassEditor, Row, problem_of, scheme_of_rows
from petseg_gui.wiring.classes import open_editor

THREE = scheme_of("custom", ["background", "cat", "dog"])
RED = (255, 0, 0)


def row(name: str, key: str = "") -> Row:
    return Row(name, RED, key)


@pytest.fixture
def folder(make_project):
    """Three classes; the second image's mask uses the last one."""
    root = make_project(2, change=np.zeros_like)
    write_settings(root / ".petseg" / "project.json", ProjectSettings(scheme=THREE))
    mask = np.zeros((48, 48), np.uint8)
    mask[4, 5] = 2
    Image.fromarray(mask).save(root / "masks" / "animal-1.png")
    return root


def type_into(editor: ClassEditor, id_: int, column: int, text: str) -> None:
    editor.table.item(id_, column).setText(text)


def save(qtbot, editor: ClassEditor) -> None:
    with qtbot.waitSignal(editor.accepted):
        qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row("background"), row("")], "Class 1 has no name."),
        ([row("cat"), row("Cat")], "Two classes are called “cat”."),
        ([row("cat", "q"), row("dog", "q")], "“cat” and “dog” have the same key Q."),
        ([row("cat", "12"), row("dog")], "The key of “cat” must be one letter or digit."),
        ([row("cat", "+"), row("dog")], "The key of “cat” must be one letter or digit."),
        ([row("cat", "b"), row("dog")], "The key B of “cat” is taken: Brush."),
        ([row("cat"), row("d" * 101)], "The name of class 1 has more than 100 characters."),
        ([row("cat", "1"), row("dog", "q")], ""),
    ],
)
def test_what_is_refused_is_said_in_a_word(rows: list[Row], problem: str):
    assert problem_of(rows, {"B": "Brush"}) == problem


def test_rows_become_a_scheme_that_knows_its_presets():
    as_rows = [Row(c.name, c.colour, str(c.id)) for c in TRIMAP.classes]
    assert scheme_of_rows(as_rows) == TRIMAP
    assert scheme_of_rows(as_rows[:2]) == PET
    assert scheme_of_rows([row("background"), row("cat", "q")]).name == "custom"
    assert scheme_of_rows([row("background"), row("cat", "q")]).keys == {0: "0", 1: "q"}


def test_a_problem_stands_beside_the_button_that_it_blocks(qtbot):
    editor = ClassEditor(THREE, {})
    qtbot.addWidget(editor)
    type_into(editor, 2, 0, " cat ")
    assert "Two classes" in editor.problem.text()
    assert not editor.ok_button.isEnabled()
    type_into(editor, 2, 0, "rabbit")
    assert editor.problem.text() == ""
    wanted = []
    editor.wanted.connect(wanted.append)
    qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
    assert wanted == [scheme_of("custom", ["background", "cat", "rabbit"])]


def test_a_name_that_is_still_being_typed_is_saved(qtbot):
    editor = ClassEditor(THREE, {})
    qtbot.addWidget(editor)
    editor.show()
    qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
    box = editor.table.findChild(QLineEdit)
    qtbot.keyClicks(box, "rabbit")
    wanted = []
    editor.wanted.connect(wanted.append)
    qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
    assert wanted[0].names == ["background", "cat", "dog", "rabbit"]


def test_a_colour_is_chosen_in_a_dialog(qtbot):
    editor = ClassEditor(THREE, {})
    qtbot.addWidget(editor)
    editor.show()
    editor.table.setCurrentCell(2, 1)
    qtbot.mouseClick(editor.colour_button, Qt.MouseButton.LeftButton)
    dialog = editor.findChild(QColorDialog)
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    assert editor.rows[2].colour == (1, 2, 3)


def test_classes_can_be_added_up_to_254(qtbot):
    editor = ClassEditor(scheme_of("custom", [f"c{i}" for i in range(MAX_CLASSES - 1)]), {})
    qtbot.addWidget(editor)
    editor.add_button.click()
    assert len(editor.rows) == MAX_CLASSES
    assert not editor.add_button.isEnabled()
    assert editor.problem.text() == ""
    editor.remove_button.click()
    assert len(editor.rows) == MAX_CLASSES - 1


def test_the_border_of_trimaps_keeps_its_name(qtbot):
    editor = ClassEditor(TRIMAP, {}, border_is_fixed=True)
    qtbot.addWidget(editor)
    assert not editor.table.item(2, 0).flags() & Qt.ItemFlag.ItemIsEditable
    assert editor.table.item(1, 0).flags() & Qt.ItemFlag.ItemIsEditable


def test_a_change_is_written_down_and_followed_at_once(open_window, folder, qtbot):
    parts = open_window(folder)
    parts.window.activateWindow()
    editor = open_editor(parts)
    type_into(editor, 1, 0, "tiger")
    type_into(editor, 1, 2, "q")
    editor._set_colour(1, QColor(9, 8, 7))
    save(qtbot, editor)
    saved = open_project(folder).settings.scheme
    assert saved.names == ["background", "tiger", "dog"]
    assert saved.classes[1].colour == (9, 8, 7)
    assert saved.keys == {0: "0", 1: "q", 2: "2"}
    assert parts.session.document.scheme == saved
    assert "Tiger" in parts.strip.class_button.accessibleName()
    parts.class_panel.choose(2)
    parts.window.activateWindow()
    qtbot.waitUntil(parts.window.isActiveWindow)
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Q)
    assert parts.class_panel.current == 1


def test_what_is_being_written_cannot_be_called_back(open_window, folder, qtbot, monkeypatch):
    parts = open_window(folder)
    go_on = Event()
    change_settings = Project.change_settings

    def slow(*args, **changes):
        assert go_on.wait(20)
        change_settings(*args, **changes)

    monkeypatch.setattr(Project, "change_settings", slow)
    editor = open_editor(parts)
    type_into(editor, 1, 0, "tiger")
    qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
    editor.close()
    assert editor.isVisible()
    with qtbot.waitSignal(editor.accepted):
        go_on.set()
    assert parts.session.document.scheme.names == ["background", "tiger", "dog"]


def test_classes_that_cannot_be_written_stay_in_the_editor(open_window, folder, qtbot, monkeypatch):
    parts = open_window(folder)
    before = parts.session.document.scheme

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    editor = open_editor(parts)
    type_into(editor, 1, 0, "tiger")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "No space left" in editor.problem.text())
    assert parts.session.document.scheme == before
    save(qtbot, editor)
    assert open_project(folder).settings.scheme.names[1] == "tiger"


def test_the_canvas_shows_a_new_colour_at_once(open_window, folder, qtbot):
    parts = open_window(folder)
    parts.session.document.apply(
        compare(parts.session.document.mask, np.ones((48, 48), np.uint8), "All")
    )
    parts.canvas.set_opacity(1.0)
    editor = open_editor(parts)
    editor._set_colour(1, QColor(9, 200, 7))
    save(qtbot, editor)
    shown = parts.canvas.grab().toImage()
    assert shown.pixelColor(shown.rect().center()).getRgb()[:3] == (9, 200, 7)


def test_commands_keys_cannot_be_taken(open_window, folder):
    parts = open_window(folder)
    editor = open_editor(parts)
    type_into(editor, 1, 2, "b")
    assert "taken: Brush" in editor.problem.text()
    type_into(editor, 1, 2, "h")
    assert "taken: Hide the mask" in editor.problem.text()
    editor.reject()


def test_a_class_that_a_mask_uses_cannot_be_removed(open_window, folder, qtbot):
    parts = open_window(folder)
    editor = open_editor(parts)
    qtbot.mouseClick(editor.remove_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: editor.problem.text() != "")
    assert editor.problem.text() == ("“dog” cannot be removed: the mask of animal-1.png uses it.")
    assert len(editor.rows) == 3
    editor.reject()


def test_a_class_that_only_the_open_image_uses_cannot_be_removed(open_window, folder, qtbot):
    (folder / "masks" / "animal-1.png").unlink()
    parts = open_window(folder)
    parts.session.document.apply(
        compare(parts.session.document.mask, np.full((48, 48), 2, np.uint8), "All")
    )
    editor = open_editor(parts)
    qtbot.mouseClick(editor.remove_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "animal-0.png" in editor.problem.text())
    editor.reject()


def test_no_class_goes_while_a_mask_waits_to_be_saved(open_window, folder, qtbot, monkeypatch):
    parts = open_window(folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        parts.session.document.apply(
            compare(parts.session.document.mask, np.ones((48, 48), np.uint8), "All")
        )
        parts.session.save()
        qtbot.waitUntil(lambda: bool(parts.session.saver.problems))
        editor = open_editor(parts)
        qtbot.mouseClick(editor.remove_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "not saved yet" in editor.problem.text())
        assert len(editor.rows) == 3
        editor.reject()
    parts.session.saver.try_again()
    qtbot.waitUntil(lambda: not parts.session.saver.problems and not parts.session.saver.busy)


def test_a_class_that_nothing_uses_goes_and_undo_cannot_bring_it_back(open_window, folder, qtbot):
    (folder / "masks" / "animal-1.png").unlink()
    parts = open_window(folder)
    document = parts.session.document
    document.apply(compare(document.mask, np.full((48, 48), 2, np.uint8), "All"))
    document.undo()
    editor = open_editor(parts)
    qtbot.mouseClick(editor.remove_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(editor.rows) == 2)
    save(qtbot, editor)
    assert open_project(folder).settings.scheme.names == ["background", "cat"]
    assert not parts.session.document.history.can_redo
    assert not parts.actions["redo"].isEnabled()


def test_the_search_for_uses_can_be_cancelled(open_window, folder, qtbot):
    parts = open_window(folder)
    editor = open_editor(parts)
    qtbot.mouseClick(editor.remove_button, Qt.MouseButton.LeftButton)
    assert not editor.progress.isHidden()
    qtbot.mouseClick(editor.progress.button, Qt.MouseButton.LeftButton)
    assert editor.progress.isHidden()
    assert editor.remove_button.isEnabled()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert len(editor.rows) == 3
    editor.reject()


def test_a_model_of_other_classes_says_so_in_the_window(open_window, make_project, qtbot):
    parts = open_window(make_project(1))
    editor = open_editor(parts)
    for _ in range(2):
        editor.add_button.click()
    save(qtbot, editor)
    parts.actions["segment"].trigger()
    qtbot.waitUntil(lambda: parts.window.banners.text("segment") != "")
    assert "This model knows background, pet; the project has" in parts.window.banners.text(
        "segment"
    )


# Folders whose masks hold two classes only


def answer(qtbot, widget, text: str) -> None:
    qtbot.waitUntil(lambda: widget.findChild(QMessageBox) is not None)
    box = widget.findChild(QMessageBox)
    qtbot.mouseClick(next(b for b in box.buttons() if b.text() == text), Qt.MouseButton.LeftButton)


def paint_at_centre(qtbot, parts) -> None:
    centre = parts.canvas.rect().center()
    qtbot.mousePress(parts.canvas, Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseRelease(parts.canvas, Qt.MouseButton.LeftButton, pos=centre + QPoint(0, 0))


def test_void_in_a_binary_folder_converts_its_masks_first(open_window, make_project, qtbot):
    folder = make_project(2, encoding=MaskEncoding.BINARY255)
    originals = {p.name: p.read_bytes() for p in (folder / "masks").iterdir()}
    parts = open_window(folder)
    parts.actions["eraser"].trigger()
    paint_at_centre(qtbot, parts)
    parts.actions["brush"].trigger()
    parts.actions["paint_void"].trigger()
    answer(qtbot, parts.window, "Convert")
    qtbot.waitUntil(lambda: parts.class_panel.current == VOID)
    kept = folder / ".petseg" / "originals" / "masks"
    assert (kept / "animal-1.png").read_bytes() == originals["animal-1.png"]
    assert parts.session.document.mask[24, 24] == 0, "what was painted before is still there"
    paint_at_centre(qtbot, parts)
    parts.session.save()
    qtbot.waitUntil(lambda: not parts.session.saver.busy and not parts.session.dirty)
    assert parts.session.save_state == "Saved"
    again = open_project(folder)
    assert again.settings.mask_encoding is MaskEncoding.IDS
    assert (again.read_mask("animal-0.png") == parts.session.document.mask).all()
    assert VOID in parts.session.document.mask
    assert parts.actions["undo"].isEnabled(), "edits made before the conversion can be undone"
    parts.session.check_mask()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert parts.window.banners.text("mask") == ""


def test_refused_the_conversion_changes_nothing(open_window, make_project, qtbot, snapshot):
    folder = make_project(1, encoding=MaskEncoding.BINARY255)
    before = snapshot(folder / "masks")
    parts = open_window(folder)
    parts.class_dock.show()
    parts.actions["paint_void"].trigger()
    answer(qtbot, parts.window, "Cancel")
    assert parts.class_panel.current == parts.toolbox.value == 1
    assert parts.class_panel.list.currentIndex().row() == 1
    assert snapshot(folder / "masks") == before


def test_a_third_class_in_a_binary_folder_converts_its_masks_first(
    open_window, make_project, qtbot
):
    folder = make_project(2, encoding=MaskEncoding.BINARY1)
    parts = open_window(folder)
    editor = open_editor(parts)
    editor.add_button.click()
    qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
    answer(qtbot, editor, "Cancel")
    assert editor.isVisible()
    assert len(open_project(folder).settings.scheme.classes) == 2
    qtbot.mouseClick(editor.ok_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(editor.accepted):
        answer(qtbot, editor, "Convert")
    settings = open_project(folder).settings
    assert settings.mask_encoding is MaskEncoding.IDS
    assert len(settings.scheme.classes) == 3


def test_a_conversion_that_was_interrupted_is_finished_when_the_folder_is_opened(
    open_window, make_project, qtbot
):
    folder = make_project(1, encoding=MaskEncoding.BINARY255)
    project = open_project(folder)
    project.keep_settings()
    mask = project.read_mask("animal-0.png")
    kept = folder / ".petseg" / "converting" / "masks"
    kept.mkdir(parents=True)
    (folder / "masks" / "animal-0.png").rename(kept / "animal-0.png")
    Image.fromarray(mask).save(folder / "masks" / "animal-0.png")
    parts = open_window(folder)
    assert (parts.session.document.mask == mask).all()
    assert parts.session.can_edit
    assert open_project(folder).settings.mask_encoding is MaskEncoding.IDS
