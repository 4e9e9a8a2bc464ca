"""Nothing is lost: kills, full disks, renamed folders, other windows, other programs."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QMessageBox

from core.labels import PET
from core.masks import write_mask
from core.project.lock import take
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.compare import CompareWindow
from petseg_gui.tasks import Lane

NAME = "animal-0.png"

WINDOW = """
import sys
from petseg_gui.app import build, make_application
application = make_application()
parts = build([sys.argv[1]])
parts.actions["segment_on_opening"].setChecked(False)
parts.facts.gathered.connect(lambda: print("open", flush=True))
parts.window.show()
application.exec()
"""


def on_disk(folder: Path, name: str = NAME) -> np.ndarray:
    return np.asarray(Image.open(folder / "masks" / name))


def journal(folder: Path, name: str = NAME) -> Path:
    return folder / ".petseg" / "journal" / f"{name}.journal"


def edit_here(parts, paint) -> np.ndarray:
    """A stroke that is not saved by itself; gives the mask with it."""
    parts.session.save_after_ms = 600_000
    parts.actions["eraser"].trigger()
    paint(parts)
    return parts.session.document.mask.copy()


def change_on_disk(folder: Path, name: str = NAME) -> np.ndarray:
    mask = np.zeros((48, 48), np.uint8)
    mask[:7] = 1
    write_mask(folder / "masks" / name, mask, PET)
    return mask


def come_back(parts) -> None:
    """As if a person came from another program."""
    QApplication.sendEvent(parts.window, QEvent(QEvent.Type.WindowActivate))


def click(parts, cause: str, text: str, qtbot) -> None:
    banner = parts.window.banners.banner(cause)
    button = next(b for b in banner.buttons if b.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def wait_settled(parts, qtbot, name: str = NAME) -> None:
    session = parts.session
    qtbot.waitUntil(
        lambda: not session.saver.busy and not session.dirty and not session.saver.problems
    )
    assert parts.window.banners.text(f"changed {name}") == ""


@pytest.fixture
def full_disk(monkeypatch):
    """with full_disk(): nothing can be written."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    @contextmanager
    def broken():
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            yield

    return broken


def as_after_a_kill(folder: Path) -> Path:
    """What the disk holds now, elsewhere: what a program that is killed now leaves behind."""
    return Path(shutil.copytree(folder, folder.with_name("after")))


# --- The journal


@pytest.mark.parametrize("masked", [0, 2])
def test_strokes_that_were_not_saved_come_back_after_a_kill(
    open_window, make_project, qtbot, paint, masked
):
    folder = make_project(images=2, masked=masked)
    parts = open_window(folder)
    parts.session.save_after_ms = 600_000
    for tool, dx in (("brush", 20), ("eraser", -9), ("brush", 3)):
        parts.actions[tool].trigger()
        paint(parts, dx)
    parts.actions["undo"].trigger()
    wanted = parts.session.document.mask.copy()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    after = as_after_a_kill(folder)
    again = open_window(after)
    assert np.array_equal(again.session.document.mask, wanted)
    assert "brought back" in again.window.banners.text("recovered")
    assert np.array_equal(on_disk(after), wanted)
    assert again.session.status(NAME) is Status.EDITED
    assert not journal(after).exists()


def test_a_stroke_that_is_made_while_a_mask_is_saved_comes_back_too(
    open_window, make_project, qtbot, paint, monkeypatch
):
    folder = make_project(images=1)
    parts = open_window(folder)
    go_on, saving = Event(), Event()
    save = Project.save_mask

    def slow(*args, **named):
        saving.set()
        assert go_on.wait(20)
        return save(*args, **named)

    monkeypatch.setattr(Project, "save_mask", slow)
    edit_here(parts, paint)
    parts.session.save()
    assert saving.wait(20)
    parts.actions["brush"].trigger()
    paint(parts, -15)
    wanted = parts.session.document.mask.copy()
    parts.tasks.wait(Lane.JOURNAL)
    monkeypatch.undo()
    before = as_after_a_kill(folder)
    go_on.set()
    qtbot.waitUntil(lambda: not parts.session.saver.busy)
    assert journal(folder).exists()  # the second stroke is in no mask file yet
    halfway = Path(shutil.copytree(folder, folder.with_name("halfway")))
    for left in (before, halfway):
        again = open_window(left)
        assert np.array_equal(again.session.document.mask, wanted)
    parts.session.save()
    qtbot.waitUntil(lambda: not parts.session.saver.busy)
    assert np.array_equal(on_disk(folder), wanted)
    assert not journal(folder).exists()


def test_closing_leaves_no_journal_and_the_next_window_says_nothing(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    parts = open_window(folder)
    edit_here(parts, paint)
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert not list(folder.rglob("*.journal*"))
    again = open_window(folder)
    assert again.session.can_edit
    assert again.window.banners.text("recovered") == ""


def test_a_defect_in_saving_keeps_neither_the_window_nor_the_mask_waiting(
    open_window, make_project, qtbot, paint, monkeypatch
):
    folder = make_project(images=1)
    parts = open_window(folder)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken, qtbot.captureExceptions() as caught:
        broken.setattr(Project, "save_mask", fail)
        painted = edit_here(parts, paint)
        parts.session.save()
        qtbot.waitUntil(lambda: "MemoryError" in parts.window.banners.text("save"))
    assert [kind for kind, _, _ in caught] == [MemoryError]
    click(parts, "save", "Try again", qtbot)
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), painted)


def test_saving_does_not_end_the_stroke_in_progress(open_window, make_project, qtbot, paint):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    parts.session.save_after_ms = 50
    paint(parts)
    committed = parts.session.document.mask.copy()
    start = parts.canvas.rect().center() + QPoint(0, 60)
    qtbot.mousePress(parts.canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(parts.canvas, start + QPoint(30, 0))
    qtbot.waitUntil(lambda: (folder / "masks" / NAME).exists() and not parts.session.saver.busy)
    assert parts.session.document.stroking
    assert np.array_equal(on_disk(folder), committed)
    qtbot.mouseRelease(parts.canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(30, 0))
    assert (parts.session.document.mask != committed).any()


def test_a_journal_that_cannot_be_written_is_told_and_the_mask_is_saved(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    (folder / ".petseg").mkdir()
    (folder / ".petseg" / "journal").write_text("in the way")
    parts = open_window(folder)
    painted = edit_here(parts, paint)
    qtbot.waitUntil(lambda: "written down" in parts.window.banners.text("journal"))
    parts.session.save()
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), painted)


def test_strokes_that_fit_nothing_any_more_are_kept_aside_and_told(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    parts = open_window(folder)
    edit_here(parts, paint)
    qtbot.waitUntil(lambda: journal(folder).exists() and not parts.tasks.busy)
    after = as_after_a_kill(folder)
    theirs = change_on_disk(after)
    again = open_window(after)
    assert "changed by another program" in again.window.banners.text("kept")
    assert np.array_equal(again.session.document.mask, theirs)
    assert journal(after).with_name(f"{NAME}.journal.kept").exists()


# --- The folder


def test_a_folder_that_is_renamed_while_it_is_edited_is_saved_when_it_is_back(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    parts = open_window(folder)
    painted = edit_here(parts, paint)
    away = folder.with_name("away")
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    folder.rename(away)
    parts.session.save()
    qtbot.waitUntil(lambda: "not there any more" in parts.window.banners.text("save"))
    assert not folder.exists()
    assert parts.session.save_state == "Not saved"
    away.rename(folder)
    click(parts, "save", "Try again", qtbot)
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), painted)
    assert not journal(folder).exists()


def test_a_folder_is_not_left_while_its_masks_cannot_be_saved(
    open_window, make_project, qtbot, paint, full_disk
):
    folder, other = make_project(images=1), make_project(images=1, folder="other")
    parts = open_window(folder)
    with full_disk():
        painted = edit_here(parts, paint)
        parts.window.folder_dropped.emit(other)
        qtbot.waitUntil(lambda: "not saved" in parts.window.statusBar().currentMessage())
        assert not parts.opener.busy
        assert parts.session.project.folder == folder
    click(parts, "save", "Try again", qtbot)
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), painted)


def test_a_mask_that_waits_is_not_shown_on_another_folders_image_of_that_name(
    open_window, make_project, qtbot, full_disk
):
    folder, other = make_project(images=1), make_project(images=1, folder="other", masked=0)
    parts = open_window(folder)
    with full_disk():
        parts.window.folder_dropped.emit(other)
        document = parts.session.document
        document.paint_segment((5, 5), (40, 5), 6, 1)  # while the other folder is opened
        document.commit("Brush")
        qtbot.waitUntil(lambda: parts.session.project.folder == other and bool(parts.session.name))
        qtbot.waitUntil(lambda: bool(parts.session.saver.problems))
        assert not parts.session.document.mask.any()
    click(parts, "save", "Try again", qtbot)
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), document.mask)
    assert not (other / "masks" / NAME).exists()


def test_a_second_window_looks_on_until_the_first_one_ends(
    open_window, make_project, qtbot, paint, snapshot
):
    folder = make_project(images=1)
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    other = subprocess.Popen(
        [sys.executable, "-c", WINDOW, str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert other.stdout.readline() == b"open\n"
        before = snapshot(folder)
        parts = open_window(folder)
        assert "has this folder open" in parts.window.banners.text("read-only")
        assert str(other.pid) in parts.window.banners.text("read-only")
        assert not parts.session.can_edit
        paint(parts)
        parts.session.save()
        assert snapshot(folder) == before
        click(parts, "read-only", "Try again", qtbot)
        qtbot.waitUntil(lambda: not parts.opener.busy)
        assert not parts.session.can_edit
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    click(parts, "read-only", "Try again", qtbot)
    qtbot.waitUntil(lambda: parts.session.can_edit)
    assert parts.window.banners.text("read-only") == ""


def test_opening_the_same_folder_again_does_not_lock_oneself_out(open_window, make_project, qtbot):
    folder, other = make_project(images=1), make_project(images=1, folder="other")
    parts = open_window(folder)
    for wanted in (folder, other, folder):
        parts.window.folder_dropped.emit(wanted)
        qtbot.waitUntil(
            lambda wanted=wanted: (
                parts.session.project.folder == wanted
                and bool(parts.session.name)
                and not parts.opener.busy
            )
        )
        assert parts.session.can_edit
    assert open_window(other).session.can_edit  # the folder that was left is free


def test_a_folder_that_nobody_waits_for_any_more_is_not_locked(open_window, make_project, qtbot):
    first, second = make_project(images=1), make_project(images=1, folder="other")
    parts = open_window(make_project(images=1, folder="begin"))
    parts.opener.open(first)
    wait([parts.opener._task.future], 20)  # it is open, but that was not told yet
    parts.opener.open(second)
    qtbot.waitUntil(lambda: parts.session.project.folder == second)
    take(first / ".petseg").release()


# --- Masks that other programs change


def test_a_mask_that_another_program_changed_is_shown_and_can_be_taken_back(
    open_window, make_project, qtbot
):
    folder = make_project(images=1)
    parts = open_window(folder)
    before = parts.session.document.mask.copy()
    theirs = change_on_disk(folder)
    data = (folder / "masks" / NAME).read_bytes()
    come_back(parts)
    qtbot.waitUntil(lambda: np.array_equal(parts.session.document.mask, theirs))
    assert not parts.session.dirty
    assert not journal(folder).exists()
    assert (folder / "masks" / NAME).read_bytes() == data
    parts.actions["undo"].trigger()
    assert np.array_equal(parts.session.document.mask, before)
    parts.session.save()
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), before)


@pytest.mark.parametrize("masked", [0, 1])
def test_a_mask_file_that_appears_or_vanishes_is_noticed(open_window, make_project, qtbot, masked):
    folder = make_project(images=1, masked=masked)
    parts = open_window(folder)
    wanted = np.zeros((48, 48), np.uint8)
    if masked:
        (folder / "masks" / NAME).unlink()
    else:
        wanted = change_on_disk(folder)
    come_back(parts)
    qtbot.waitUntil(lambda: np.array_equal(parts.session.document.mask, wanted))
    status = Status.UNLABELLED if masked else Status.APPROVED
    assert parts.session.status(NAME) is status
    assert not parts.session.dirty


def test_a_change_under_ones_edits_is_never_overwritten_unasked(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    parts = open_window(folder)
    mine = edit_here(parts, paint)
    theirs = change_on_disk(folder)
    come_back(parts)
    qtbot.waitUntil(lambda: parts.window.banners.text(f"changed {NAME}") != "")
    assert np.array_equal(on_disk(folder), theirs)
    assert np.array_equal(parts.session.document.mask, mine)
    assert parts.session.save_state == "Not saved"
    click(parts, f"changed {NAME}", "Keep mine", qtbot)
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), mine)
    assert not journal(folder).exists()


def test_their_mask_can_be_taken_and_ones_own_brought_back_by_undo(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    parts = open_window(folder)
    mine = edit_here(parts, paint)
    theirs = change_on_disk(folder)
    parts.session.save()
    qtbot.waitUntil(lambda: parts.window.banners.text(f"changed {NAME}") != "")
    click(parts, f"changed {NAME}", "Take theirs", qtbot)
    qtbot.waitUntil(lambda: np.array_equal(parts.session.document.mask, theirs))
    wait_settled(parts, qtbot)
    qtbot.waitUntil(lambda: not journal(folder).exists())
    assert np.array_equal(on_disk(folder), theirs)
    parts.actions["undo"].trigger()
    assert np.array_equal(parts.session.document.mask, mine)
    parts.session.save()
    wait_settled(parts, qtbot)
    assert np.array_equal(on_disk(folder), mine)


def test_both_masks_are_compared_side_by_side_in_step(open_window, make_project, qtbot, paint):
    folder = make_project(images=1)
    parts = open_window(folder)
    mine = edit_here(parts, paint)
    theirs = change_on_disk(folder)
    parts.session.save()
    qtbot.waitUntil(lambda: parts.window.banners.text(f"changed {NAME}") != "")
    click(parts, f"changed {NAME}", "Compare…", qtbot)
    qtbot.waitUntil(lambda: parts.window.findChild(CompareWindow) is not None)
    window = parts.window.findChild(CompareWindow)
    qtbot.waitExposed(window)
    assert window.difference.text() == f"{np.count_nonzero(mine != theirs):,} pixels differ"
    left, right = window.views
    assert np.array_equal(left.document.mask, mine)
    assert np.array_equal(right.document.mask, theirs)
    left.zoom_to(3.0)
    left.pan(-40, -25)
    assert right.view_state() == pytest.approx(left.view_state())
    right.fit()
    assert left.view_state() is None
    qtbot.mouseClick(window.buttons[1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: parts.window.findChild(CompareWindow) is None)
    assert np.array_equal(parts.session.document.mask, theirs)


def test_a_change_under_edits_of_an_image_that_was_left(
    open_window, make_project, qtbot, paint, go_to
):
    folder = make_project(images=2)
    parts = open_window(folder)
    mine = edit_here(parts, paint)
    theirs = change_on_disk(folder)
    go_to(parts, "animal-1.png")
    qtbot.waitUntil(lambda: parts.window.banners.text(f"changed {NAME}") != "")
    go_to(parts, NAME)
    assert np.array_equal(parts.session.document.mask, mine)
    go_to(parts, "animal-1.png")
    click(parts, f"changed {NAME}", "Take theirs", qtbot)
    wait_settled(parts, qtbot)
    go_to(parts, NAME)
    assert np.array_equal(parts.session.document.mask, theirs)
    assert not parts.actions["undo"].isEnabled()


def test_closing_while_two_masks_stand_against_each_other_asks(
    open_window, make_project, qtbot, paint
):
    folder = make_project(images=1)
    parts = open_window(folder)
    edit_here(parts, paint)
    theirs = change_on_disk(folder)
    parts.window.close()
    qtbot.waitUntil(lambda: parts.window.findChild(QMessageBox) is not None)
    box = parts.window.findChild(QMessageBox)
    assert "changed by another program" in box.informativeText()
    box.reject()
    assert parts.window.isVisible()
    assert np.array_equal(on_disk(folder), theirs)


def test_a_mask_that_was_changed_is_not_approved_unseen(open_window, make_project, qtbot, paint):
    folder = make_project(images=1)
    parts = open_window(folder)
    edit_here(parts, paint)
    parts.session.save()
    wait_settled(parts, qtbot)
    theirs = change_on_disk(folder)
    parts.actions["approve"].trigger()
    qtbot.waitUntil(lambda: np.array_equal(parts.session.document.mask, theirs))
    assert parts.session.status(NAME) is Status.EDITED
    parts.actions["approve"].trigger()
    qtbot.waitUntil(lambda: parts.session.status(NAME) is Status.APPROVED)


# --- Undo over all images


def test_undo_is_bounded_over_all_images_and_that_is_said(
    open_window, make_project, qtbot, paint, go_to
):
    parts = open_window(make_project(images=2))
    parts.session.undo_bytes = 700
    parts.actions["eraser"].trigger()
    paint(parts)
    go_to(parts, "animal-1.png")
    paint(parts)
    parts.actions["brush"].trigger()
    paint(parts, -20)
    assert "undo" in parts.window.statusBar().currentMessage()
    assert parts.actions["undo"].isEnabled()
    go_to(parts, NAME)
    assert not parts.actions["undo"].isEnabled()


def test_a_full_disk_does_not_lose_a_stroke_on_closing_for_good(
    open_window, make_project, qtbot, paint, full_disk
):
    """Whatever could still be written is written as soon as there is room."""
    folder = make_project(images=1)
    parts = open_window(folder)
    with full_disk():
        first = edit_here(parts, paint)
        qtbot.waitUntil(lambda: parts.window.banners.text("journal") != "")
    parts.actions["brush"].trigger()
    paint(parts, -15)
    wanted = parts.session.document.mask.copy()
    assert not np.array_equal(wanted, first)
    qtbot.waitUntil(lambda: journal(folder).exists() and not parts.tasks.busy)
    again = open_window(as_after_a_kill(folder))
    assert np.array_equal(again.session.document.mask, wanted)
