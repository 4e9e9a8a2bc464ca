"""Folders of every layout open; those that cannot say why."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QPixmap
from PySide6.QtWidgets import QMessageBox, QPushButton

from core.labels import PET, TRIMAP
from core.masks import MaskEncoding, write_mask
from core.project.reviews import Status
from petseg_gui.browser.model import Role


def _photo(path: Path, width: int = 40, height: int = 30) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(path)


def _mask(height: int = 30, width: int = 40) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[5:20, 5:20] = 1
    return mask


def _shown(box: QMessageBox | None, text: str) -> QPushButton:
    assert box is not None
    return next(b for b in box.findChildren(QPushButton) if b.text() == text)


def test_a_bare_folder_opens_with_its_first_image(open_window, tmp_path):
    _photo(tmp_path / "photos" / "b.png")
    _photo(tmp_path / "photos" / "a.png")
    parts = open_window(tmp_path / "photos")
    assert parts.session.name == "a.png"
    assert parts.canvas.document is not None
    assert list(parts.browser.list.model().names) == ["a.png", "b.png"]
    assert parts.session.status("a.png") is Status.UNLABELLED


def test_a_paired_folder_opens_with_its_masks(open_window, make_project):
    parts = open_window(make_project(images=3, masked=2))
    assert parts.canvas.document.mask.any()
    assert parts.browser.count.text() == "2 of 3 approved"


def test_the_oxford_layout_opens_with_three_classes_to_choose(open_window, tmp_path):
    _photo(tmp_path / "pets" / "images" / "cat_1.jpg")
    trimap = _mask()
    trimap[20:22, 5:20] = 2
    target = tmp_path / "pets" / "annotations" / "trimaps" / "cat_1.png"
    write_mask(target, trimap, TRIMAP, MaskEncoding.TRIMAP)
    parts = open_window(tmp_path / "pets")
    assert (parts.session.document.mask == trimap).all()
    assert parts.class_dock.isVisible()
    assert parts.strip.class_button.text() == "Pet"


def test_two_classes_leave_nothing_to_choose(open_window, make_project):
    assert not open_window(make_project(images=1)).class_dock.isVisible()


def test_an_empty_folder_says_so_and_the_window_stays_usable(open_window, tmp_path, qtbot):
    (tmp_path / "empty").mkdir()
    parts = open_window(tmp_path / "empty", wait=False)
    qtbot.waitUntil(lambda: "No images" in parts.window.banners.text("open"))
    assert parts.start_page.isVisible()
    assert parts.actions["open"].isEnabled()


def test_a_folder_that_is_not_there_is_named(open_window, tmp_path, qtbot):
    parts = open_window(tmp_path / "gone", wait=False)
    qtbot.waitUntil(lambda: "does not exist" in parts.window.banners.text("open"))


def test_a_folder_that_cannot_be_opened_keeps_the_open_one(
    open_window, make_project, tmp_path, qtbot
):
    parts = open_window(make_project(images=1))
    (tmp_path / "empty").mkdir()
    parts.window.folder_dropped.emit(tmp_path / "empty")
    qtbot.waitUntil(lambda: bool(parts.window.banners.text("open")))
    assert parts.session.name == "animal-0.png"


def test_a_read_only_folder_opens_to_look_at_and_offers_another_place(
    open_window, make_project, tmp_path, qtbot, paint
):
    folder = make_project(images=2, masked=0)
    os.chmod(folder, 0o555)
    try:
        parts = open_window(folder)
        assert "read-only" in parts.window.banners.text("read-only")
        banner = parts.window.banners.banner("read-only")
        assert [b.text() for b in banner.buttons] == ["Keep masks elsewhere…"]
        paint(parts)
        assert not parts.session.document.mask.any()
        assert not parts.actions["brush"].isEnabled()
    finally:
        os.chmod(folder, 0o755)


def test_masks_kept_elsewhere_leave_a_read_only_folder_as_it_was(
    open_window, make_project, tmp_path, qtbot, paint, snapshot
):
    folder = make_project(images=1, masked=0)
    os.chmod(folder, 0o555)
    before = snapshot(folder)
    try:
        parts = open_window(folder, "--project", tmp_path / "mine")
        assert parts.window.banners.text("read-only") == ""
        paint(parts)
        parts.session.save()
        qtbot.waitUntil(lambda: parts.session.status("animal-0.png") is Status.EDITED)
        assert (tmp_path / "mine" / "masks" / "animal-0.png").is_file()
        assert snapshot(folder) == before
    finally:
        os.chmod(folder, 0o755)


def test_unclear_masks_are_asked_about_and_read_as_answered(open_window, tmp_path, qtbot):
    _photo(tmp_path / "photos" / "images" / "a.png")
    values = np.where(_mask(), 1, 2).astype(np.uint8)
    (tmp_path / "photos" / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "photos" / "masks" / "a.png")
    parts = open_window(tmp_path / "photos", wait=False)
    qtbot.waitUntil(lambda: parts.window.findChild(QMessageBox) is not None)
    box = parts.window.findChild(QMessageBox)
    qtbot.mouseClick(_shown(box, "Trimap: 1 pet, 2 background"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: parts.session.name == "a.png")
    assert (parts.session.document.mask == _mask()).all()


def test_a_dropped_folder_opens(open_window, make_project, tmp_path, qtbot):
    parts = open_window(make_project(images=1))
    _photo(tmp_path / "other" / "z.png")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "other"))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    parts.window.dropEvent(event)
    qtbot.waitUntil(lambda: parts.session.name == "z.png")
    assert parts.window.windowTitle().startswith("z.png – other")


def test_without_a_folder_the_demo_is_drawn_once_and_segmented(
    open_window, own_user_data, monkeypatch, qtbot
):
    def small_demo(folder: Path, images: int = 3, masked: int = 1) -> object:
        for i in range(images):
            _photo(folder / "images" / f"animal-{i}.jpg")
            if i < masked:
                write_mask(folder / "masks" / f"animal-{i}.png", _mask(), PET)
            yield i + 1

    monkeypatch.setattr("core.demo.draw_demo", small_demo)
    parts = open_window()
    qtbot.waitUntil(lambda: parts.session.counts[Status.PREDICTED] == 2)
    assert parts.session.counts[Status.APPROVED] == 1
    assert parts.session.project.folder == (own_user_data / "demo").resolve()
    assert not (own_user_data / "demo.part").exists()


def test_settings_of_a_newer_version_are_not_overwritten(open_window, make_project, qtbot):
    folder = make_project(images=1)
    settings = folder / ".petseg" / "project.json"
    settings.parent.mkdir()
    settings.write_text('{"format": 99}')
    parts = open_window(folder, wait=False)
    qtbot.waitUntil(lambda: "newer PetSeg" in parts.window.banners.text("open"))
    assert settings.read_text() == '{"format": 99}'


@pytest.mark.parametrize("command", ["segment", "approve", "undo", "train", "next"])
def test_commands_that_need_an_image_wait_for_one(open_window, tmp_path, qtbot, command):
    (tmp_path / "empty").mkdir()
    parts = open_window(tmp_path / "empty", wait=False)
    qtbot.waitUntil(lambda: bool(parts.window.banners.text("open")))
    assert not parts.actions[command].isEnabled()


@pytest.fixture
def listed_at_once(monkeypatch):
    """Every folder counts as a large one, whose first images are shown before it is open."""
    monkeypatch.setattr("petseg_gui.opening._LARGE", 1)


def test_the_first_rows_come_before_the_folder_is_open(
    open_window, make_project, listed_at_once, qtbot
):
    parts = open_window(make_project(images=2, folder="before"))
    seen = []

    def look(listed) -> None:
        index = parts.browser.list.model().index(1, 0)
        seen.append((listed.names, index.data(), index.data(Role.STATUS)))
        seen.append((parts.session.project.folder.name, parts.browser.search.isEnabled()))
        for _ in range(2):  # a person need not wait to choose; the first key shows where one is
            qtbot.keyClick(parts.browser.list, Qt.Key.Key_End)
        assert parts.browser.neighbour(parts.session.name, 1) == "animal-1.png"

    parts.opener.listed.connect(look)
    folder = make_project(images=6, masked=2)
    parts.window.folder_dropped.emit(folder)
    qtbot.waitUntil(lambda: parts.session.project.folder == folder and bool(parts.session.name))
    names = tuple(f"animal-{n}.png" for n in range(6))
    assert seen == [(names, "animal-1.png", None), ("before", False)]
    assert parts.session.name == "animal-5.png"
    assert parts.browser.list.currentIndex().data() == "animal-5.png"
    assert parts.browser.search.isEnabled()
    assert parts.browser.count.text() == "2 of 6 approved"


def test_what_was_chosen_in_one_folder_is_not_looked_for_in_the_next(
    open_window, make_project, listed_at_once, monkeypatch, qtbot
):
    parts = open_window(make_project(images=1))

    def choose(_listed) -> None:
        for _ in range(2):
            qtbot.keyClick(parts.browser.list, Qt.Key.Key_End)

    parts.opener.listed.connect(choose)
    large, small = make_project(images=6, folder="large"), make_project(images=2, folder="small")
    parts.window.folder_dropped.emit(large)
    qtbot.waitUntil(lambda: parts.session.name == "animal-5.png")
    monkeypatch.setattr("petseg_gui.opening._LARGE", 5000)
    monkeypatch.setattr("petseg_gui.opening._LISTED_EACH_S", 600)
    parts.window.folder_dropped.emit(small)
    qtbot.waitUntil(lambda: parts.session.project.folder == small and bool(parts.session.name))
    assert parts.session.name == "animal-0.png"


def test_a_folder_that_is_not_opened_after_all_leaves_the_list_as_it_was(
    open_window, make_project, listed_at_once, qtbot
):
    parts = open_window(make_project(images=3))
    shown = []
    parts.opener.listed.connect(lambda listed: shown.append(list(parts.browser.list.model().names)))
    other = make_project(images=5, folder="damaged")
    (other / ".petseg").mkdir()
    (other / ".petseg" / "project.json").write_text("no JSON")
    parts.window.folder_dropped.emit(other)
    qtbot.waitUntil(lambda: "damaged" in parts.window.banners.text("open"))
    assert len(shown[0]) == 5
    assert list(parts.browser.names) == list(parts.browser.list.model().names)
    assert len(parts.browser.names) == 3
    assert parts.browser.list.currentIndex().data() == parts.session.name == "animal-0.png"
    assert parts.browser.count.text() == "3 of 3 approved"
    qtbot.waitUntil(lambda: isinstance(parts.thumbnails.get("animal-0.png"), QPixmap))


def test_a_few_images_in_a_folder_before_the_others_do_not_hide_those(
    open_window, make_project, listed_at_once, qtbot
):
    parts = open_window(make_project(images=1, folder="before"))
    folder = make_project(images=6)
    (folder / "images" / "a").mkdir()
    (folder / "images" / "animal-0.png").rename(folder / "images" / "a" / "first.png")
    listed = []
    parts.opener.listed.connect(lambda found: listed.append(len(found.names)))
    parts.window.folder_dropped.emit(folder)
    qtbot.waitUntil(lambda: parts.session.project.folder == folder and bool(parts.session.name))
    assert listed == [1, 6]


def test_opening_a_large_folder_can_be_cancelled(open_window, make_project, listed_at_once, qtbot):
    parts = open_window(make_project(images=2))
    other = make_project(images=4, folder="other")
    parts.opener.listed.connect(lambda _: parts.window.progress.cancelled.emit())
    with qtbot.waitSignal(parts.opener.listed):
        parts.window.folder_dropped.emit(other)
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert parts.session.project.folder.name == "photos"
    assert len(parts.browser.list.model().names) == 2
