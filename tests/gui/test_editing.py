"""Painting, undoing, judging, and what must never be lost."""

from __future__ import annotations

import errno
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton

from core.project.reviews import Status, read_reviews


def _on_disk(folder, name="animal-0.png"):
    return np.asarray(Image.open(folder / "masks" / name))


def _wait_saved(qtbot, parts, name="animal-0.png", status=Status.EDITED):
    qtbot.waitUntil(lambda: parts.session.status(name) is status and not parts.session.saver.busy)


def test_a_stroke_is_saved_as_a_mask_without_being_asked(open_window, make_project, qtbot, paint):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    paint(parts)
    assert parts.session.save_state == "Saving…"
    _wait_saved(qtbot, parts)
    saved = _on_disk(folder)
    assert (saved == parts.session.document.mask).all()
    assert set(np.unique(saved)) == {0, 1}
    assert saved[24, 24] == 1
    review = read_reviews(folder / ".petseg" / "reviews.jsonl")["animal-0.png"]
    assert review.status is Status.EDITED
    assert review.strokes == 1
    assert parts.window.save_state.text() == "Saved"


def test_undo_restores_the_mask_and_says_what_it_undoes(open_window, make_project, qtbot, paint):
    folder = make_project(images=1)
    before = _on_disk(folder).copy()
    parts = open_window(folder)
    parts.actions["eraser"].trigger()
    paint(parts)
    assert parts.actions["undo"].text() == "Undo eraser"
    assert (parts.session.document.mask != before).any()
    parts.actions["undo"].trigger()
    assert (parts.session.document.mask == before).all()
    assert not parts.actions["undo"].isEnabled()
    parts.actions["redo"].trigger()
    assert parts.session.document.mask[24, 24] == 0


def test_another_image_and_back_keeps_the_strokes_and_their_undo(
    open_window, make_project, qtbot, paint, go_to
):
    folder = make_project(images=2)
    before = _on_disk(folder).copy()
    parts = open_window(folder)
    parts.actions["eraser"].trigger()
    paint(parts)
    painted = parts.session.document.mask.copy()
    go_to(parts, "animal-1.png")
    _wait_saved(qtbot, parts)
    assert (_on_disk(folder) == painted).all()
    go_to(parts, "animal-0.png")
    assert (parts.session.document.mask == painted).all()
    parts.actions["undo"].trigger()
    assert (parts.session.document.mask == before).all()


def test_strokes_are_counted_once_though_the_image_is_read_anew(open_window, make_project, qtbot):
    folder = make_project(images=4, masked=0)
    parts = open_window(folder)
    session, before = parts.session, parts.session.document
    session.open_image("animal-3.png")  # no neighbour: it is not read yet
    session.open_image("animal-0.png")  # thought better of it
    before.paint_segment((5, 5), (40, 5), 6, 1)
    before.commit("Brush")
    qtbot.waitUntil(lambda: session.document is not before)
    assert (session.document.mask == before.mask).all()
    session.approve()
    _wait_saved(qtbot, parts, status=Status.APPROVED)
    assert read_reviews(folder / ".petseg" / "reviews.jsonl")["animal-0.png"].strokes == 1


def test_a_mask_changed_by_another_program_drops_the_undo_that_no_longer_fits(
    open_window, make_project, qtbot, paint, go_to
):
    folder = make_project(images=2)
    parts = open_window(folder)
    parts.actions["eraser"].trigger()
    paint(parts)
    go_to(parts, "animal-1.png")
    _wait_saved(qtbot, parts)
    shutil.copy(folder / "masks" / "animal-1.png", folder / "masks" / "animal-0.png")
    go_to(parts, "animal-0.png")
    assert not parts.actions["undo"].isEnabled()


def test_closing_the_window_saves_first(open_window, make_project, qtbot, paint):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    paint(parts)
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert _on_disk(folder)[24, 24] == 1


def test_a_stroke_in_progress_is_saved_by_closing(open_window, make_project, qtbot):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    centre = parts.canvas.rect().center()
    qtbot.mousePress(parts.canvas, Qt.MouseButton.LeftButton, pos=centre)
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert _on_disk(folder)[24, 24] == 1


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_full_disk_keeps_the_mask_and_tells_until_it_is_saved(
    open_window, make_project, qtbot, paint, monkeypatch, go_to, call
):
    folder = make_project(images=2)
    before = _on_disk(folder).copy()
    parts = open_window(folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, full)
        parts.actions["eraser"].trigger()
        paint(parts)
        painted = parts.session.document.mask.copy()
        parts.session.save()
        qtbot.waitUntil(lambda: "No space left" in parts.window.banners.text("save"))
        assert parts.session.save_state == "Not saved"
        assert (_on_disk(folder) == before).all()
        go_to(parts, "animal-1.png")
        go_to(parts, "animal-0.png")
        assert (parts.session.document.mask == painted).all()
    banner = parts.window.banners.banner("save")
    qtbot.mouseClick(banner.buttons[0], Qt.MouseButton.LeftButton)
    _wait_saved(qtbot, parts)
    assert (_on_disk(folder) == painted).all()
    qtbot.waitUntil(lambda: parts.window.banners.text("save") == "")


def test_closing_with_a_full_disk_asks_and_loses_nothing_unasked(
    open_window, make_project, qtbot, paint, monkeypatch
):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        paint(parts)
        parts.window.close()
        qtbot.waitUntil(lambda: parts.window.findChild(QMessageBox) is not None)
        assert parts.window.isVisible()
    box = parts.window.findChild(QMessageBox)
    again = next(b for b in box.findChildren(QPushButton) if b.text() == "Try again")
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert _on_disk(folder)[24, 24] == 1


def test_approve_and_go_to_next_writes_the_judgement(open_window, make_project, qtbot):
    folder = make_project(images=2, masked=0)
    parts = open_window(folder)
    parts.actions["approve_next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    _wait_saved(qtbot, parts, status=Status.APPROVED)
    reviews = read_reviews(folder / ".petseg" / "reviews.jsonl")
    assert reviews["animal-0.png"].status is Status.APPROVED
    assert not _on_disk(folder).any()
    assert parts.browser.count.text() == "1 of 2 approved"


def test_an_edit_after_approval_asks_for_a_new_one(open_window, make_project, qtbot, paint):
    parts = open_window(make_project(images=1))
    assert parts.session.status("animal-0.png") is Status.APPROVED
    parts.actions["eraser"].trigger()
    paint(parts)
    parts.session.save()
    _wait_saved(qtbot, parts)
    parts.actions["approve"].trigger()
    _wait_saved(qtbot, parts, status=Status.APPROVED)


def test_the_mask_is_hidden_while_h_is_held(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    qtbot.keyPress(parts.canvas, Qt.Key.Key_H)
    assert not parts.canvas.mask_visible
    qtbot.keyRelease(parts.canvas, Qt.Key.Key_H)
    assert parts.canvas.mask_visible


def test_the_opacity_slider_sets_the_canvas(open_window, make_project):
    parts = open_window(make_project(images=1))
    parts.strip.opacity_slider.setValue(80)
    assert parts.canvas.opacity == pytest.approx(0.8)


def test_a_mask_file_of_another_size_is_told_and_never_overwritten(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    odd = folder / "masks" / "animal-0.png"
    Image.fromarray(np.ones((5, 7), np.uint8)).save(odd)
    data = odd.read_bytes()
    parts = open_window(folder)
    assert "7 x 5" in parts.window.banners.text("mask")
    paint(parts)
    parts.session.save()
    assert odd.read_bytes() == data
    assert not parts.actions["approve"].isEnabled()


def test_approving_an_approved_mask_takes_the_approval_back(open_window, make_project, qtbot):
    folder = make_project(images=1)
    before = _on_disk(folder).copy()
    parts = open_window(folder)
    parts.actions["approve"].trigger()  # it came with the folder: it counts as approved
    _wait_saved(qtbot, parts)
    assert "not approved any more" in parts.window.statusBar().currentMessage()
    parts.actions["approve"].trigger()
    _wait_saved(qtbot, parts, status=Status.APPROVED)
    assert (_on_disk(folder) == before).all()
