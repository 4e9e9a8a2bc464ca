"""Files that come, go and change while their folder is open; a person's place stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.evaluation.triage import ORDERS
from core.labels import PET
from core.masks import write_mask
from core.project.reviews import Status
from petseg_gui.parts import Parts


@pytest.fixture
def look(qtbot: QtBot) -> Callable[[Parts], None]:
    """look(parts): as if a person came back from another program; waits until it is noticed."""

    def look(parts: Parts) -> None:
        qtbot.waitUntil(lambda: not parts.tasks.busy)
        with qtbot.waitSignal(parts.follower.looked):
            QApplication.sendEvent(parts.window, QEvent(QEvent.Type.WindowActivate))
        qtbot.waitUntil(lambda: not parts.tasks.busy)

    return look


@pytest.fixture
def opened(open_window, make_project, qtbot) -> Callable[..., tuple[Parts, Path]]:
    """opened(images=4, ...) -> (a window that follows its folder, its images/)."""

    def open_(**folder: object) -> tuple[Parts, Path]:
        made = make_project(**({"images": 4, "masked": 2} | folder))
        parts = open_window(made)
        qtbot.waitUntil(lambda: parts.facts.index is not None and not parts.facts.gathering)
        return parts, made / "images"

    return open_


def _names(parts: Parts) -> list[str]:
    return [name.removesuffix(".png") for name in parts.browser.names]


def _copy(images: Path, *names: str) -> None:
    for name in names:
        shutil.copy(images / "animal-0.png", images / name)


def _photo(path: Path, size: tuple[int, int], grey: int = 120) -> None:
    Image.new("RGB", size, (grey,) * 3).save(path)


def test_a_persons_place_in_the_list_stays(opened, look, qtbot, go_to):
    parts, images = opened(images=60)
    view = parts.browser.list
    go_to(parts, "animal-30.png")
    selection = QItemSelection(view.model().index(31, 0), view.model().index(33, 0))
    view.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.Select)
    row_height = view.sizeHintForRow(0)
    view.verticalScrollBar().setValue(25 * row_height + 7)
    _copy(images, "aaa.png", "animal-7b.png", "animal-31b.png", "zzz.png")
    for name in ("animal-3.png", "animal-32.png"):
        (images / name).unlink()
    look(parts)
    names = parts.browser.names
    assert names[0] == "aaa.png"
    assert names[names.index("animal-7.png") + 1] == "animal-7b.png"
    assert len(names) == 62
    assert view.currentIndex().data() == parts.session.name == "animal-30.png"
    assert parts.browser.selected == ["animal-30.png", "animal-31.png", "animal-33.png"]
    top, above = view.top
    assert (names[top], above) == ("animal-25.png", 7)
    assert parts.browser.count.text() == "3 selected  ·  2 of 62 approved"


def test_what_came_can_be_worked_on_like_any_other(opened, look, qtbot, go_to, paint):
    parts, images = opened()
    (images / "new").mkdir()
    _copy(images, "new/a.png")
    look(parts)
    go_to(parts, "new/a.png")
    paint(parts)
    parts.session.save()
    qtbot.waitUntil(lambda: parts.session.status("new/a.png") is Status.EDITED)
    assert (images.parent / "masks" / "new" / "a.png").is_file()
    assert parts.session.named(Status.EDITED) == ["new/a.png"]
    shutil.rmtree(images / "new")
    go_to(parts, "animal-0.png")
    look(parts)
    assert parts.session.named(Status.EDITED) == []


def test_the_open_image_is_deleted_and_its_strokes_are_kept(opened, look, qtbot, go_to, paint):
    parts, images = opened()
    go_to(parts, "animal-2.png")
    parts.session.save_after_ms = 600_000
    paint(parts)
    painted = parts.session.document.mask.copy()
    (images / "animal-2.png").unlink()
    look(parts)
    assert "animal-2.png is not there any more" in parts.window.banners.text("stray")
    assert (parts.session.document.mask == painted).all()
    assert _names(parts) == ["animal-0", "animal-1", "animal-2", "animal-3"]
    parts.actions["next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-3.png")
    assert parts.window.banners.text("stray") == ""
    qtbot.waitUntil(lambda: not parts.session.saver.busy)
    assert (np.asarray(Image.open(images.parent / "masks" / "animal-2.png")) == painted).all()
    look(parts)
    assert _names(parts) == ["animal-0", "animal-1", "animal-3"]


def test_an_open_image_that_comes_back_is_no_matter_any_more(opened, look):
    parts, images = opened()
    (images / "animal-0.png").rename(images.parent / "aside")
    look(parts)
    assert parts.window.banners.text("stray")
    (images.parent / "aside").rename(images / "animal-0.png")
    look(parts)
    assert parts.window.banners.text("stray") == ""
    assert parts.session.document is not None


def test_a_photo_that_is_replaced_while_it_is_open_is_shown_anew(opened, look, qtbot, go_to):
    parts, images = opened()
    go_to(parts, "animal-3.png")
    _photo(images / "animal-3.png", (60, 40))
    look(parts)
    qtbot.waitUntil(lambda: parts.session.document.pixels.shape == (40, 60, 3))
    assert (parts.session.document.pixels == 120).all()


def test_a_photo_that_is_replaced_while_it_is_painted_asks_first(opened, look, qtbot, go_to, paint):
    parts, images = opened()
    go_to(parts, "animal-3.png")
    paint(parts)
    parts.session.save()
    qtbot.waitUntil(lambda: parts.session.status("animal-3.png") is Status.EDITED)
    _photo(images / "animal-3.png", (60, 40))
    look(parts)
    assert parts.session.document.pixels.shape == (48, 48, 3)
    banner = parts.window.banners.banner("photo")
    qtbot.mouseClick(banner.buttons[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: parts.session.document.pixels.shape == (40, 60, 3))
    # The mask does not fit any more: it is left as it is, and no undo step is of another size.
    assert "must have its photo's size" in parts.window.banners.text("mask")
    assert not parts.session.document.history.can_undo
    assert np.asarray(Image.open(images.parent / "masks" / "animal-3.png")).shape == (48, 48)


def test_a_photo_that_was_not_whole_yet_is_shown_once_it_is(opened, look, qtbot, go_to):
    parts, images = opened()
    whole = (images / "animal-0.png").read_bytes()
    (images / "animal-9.png").write_bytes(whole[: len(whole) // 2])
    look(parts)
    go_to(parts, "animal-9.png")
    assert parts.session.document is None
    (images / "animal-9.png").write_bytes(whole)
    look(parts)
    qtbot.waitUntil(lambda: parts.session.document is not None)


def test_a_mask_that_another_program_brings_changes_the_list(opened, look, qtbot):
    parts, images = opened()
    mask = np.ones((48, 48), np.uint8)
    write_mask(images.parent / "masks" / "animal-3.png", mask, PET)
    look(parts)
    qtbot.waitUntil(lambda: parts.session.status("animal-3.png") is Status.APPROVED)
    assert parts.browser.count.text() == "3 of 4 approved"
    qtbot.waitUntil(lambda: parts.facts.known.of("animal-3.png").object_share == 1)


def test_many_masks_at_once_are_all_followed(opened, look, qtbot):
    parts, images = opened(images=30, masked=0)
    for n in range(30):
        write_mask(images.parent / "masks" / f"animal-{n}.png", np.ones((48, 48), np.uint8), PET)
    look(parts)
    qtbot.waitUntil(lambda: parts.session.counts[Status.APPROVED] == 30)
    assert parts.browser.count.text() == "30 of 30 approved"
    shutil.rmtree(images.parent / "masks")
    look(parts)
    qtbot.waitUntil(lambda: parts.session.counts[Status.UNLABELLED] == 30)


def test_a_search_and_an_order_hold_for_what_comes(opened, look, qtbot):
    parts, images = opened()
    parts.browser.search_box.setText("animal")
    order = parts.browser.sort.order
    row = [order.key for order in ORDERS].index("size")
    order.setCurrentIndex(row)
    order.activated.emit(row)
    before = _names(parts)
    (images / "animal-1.png").unlink()
    _copy(images, "animal-0b.png", "beagle.png")
    look(parts)
    before.remove("animal-1")
    assert _names(parts) == [*before, "animal-0b"]  # which is not sorted in by itself
    assert parts.browser.sort.anew.isVisible()
    parts.browser.search_box.clear()
    assert sorted(_names(parts)) == ["animal-0", "animal-0b", "animal-2", "animal-3", "beagle"]


def test_an_unplugged_disk_leaves_everything_as_it_is(opened, look, qtbot, paint):
    parts, images = opened()
    folder = images.parent
    folder.rename(folder.with_name("away"))
    look(parts)
    assert "bring it back" in parts.window.banners.text("folder")
    assert len(parts.browser.names) == 4
    parts.actions["eraser"].trigger()
    paint(parts)
    parts.session.save()
    qtbot.waitUntil(lambda: bool(parts.session.saver.problems))
    assert not folder.exists()  # nothing is written to where the disk was
    folder.with_name("away").rename(folder)
    look(parts)
    assert parts.window.banners.text("folder") == ""
    parts.session.saver.try_again()
    qtbot.waitUntil(lambda: not parts.session.saver.problems)


def test_folders_that_cannot_be_read_are_named_once(open_window, make_project, look, qtbot):
    folder = make_project(images=2)
    locked = [folder / "images" / name for name in ("one", "two")]
    for path in locked:
        path.mkdir(mode=0o000)
    try:
        parts = open_window(folder)
        qtbot.waitUntil(lambda: bool(parts.window.banners.text("unreadable")))
        assert "2 folders cannot be read" in parts.window.banners.text("unreadable")
        banner = parts.window.banners.banner("unreadable")
        banner.close_button.click()
        look(parts)
        assert parts.window.banners.text("unreadable") == ""
    finally:
        for path in locked:
            os.chmod(path, 0o755)


def test_thumbnails_follow_their_photos(opened, look, qtbot):
    parts, images = opened()
    thumbnails = parts.thumbnails

    def width() -> int:
        made = thumbnails.get("animal-1.png")
        return made.width() if isinstance(made, QPixmap) else 0

    qtbot.waitUntil(lambda: width() == 48)
    _photo(images / "animal-1.png", (20, 40))
    look(parts)
    qtbot.waitUntil(lambda: width() == 20)
