"""File > Import and Export in a real window: previewed, done, undone, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from core.formats.importing import stage_import
from core.formats.planning import plan_import, read_source
from core.labels import PET
from core.masks import MaskEncoding, read_values
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.exchange.export_window import ExportWindow
from petseg_gui.exchange.import_window import ImportWindow
from petseg_gui.parts import Parts
from petseg_gui.wiring.folder import open_file

SIZE = (48, 48)


@pytest.fixture
def theirs(tmp_path: Path) -> Callable[..., Path]:
    """theirs({image's stem: mask}) -> a folder of palette masks with names for 1 and 2."""

    def make(masks: dict[str, np.ndarray]) -> Path:
        folder = tmp_path / "theirs"
        folder.mkdir()
        for stem, mask in masks.items():
            image = Image.fromarray(mask.astype(np.uint8), "P")
            image.putpalette([0, 0, 0, 250, 0, 0, 0, 0, 250] + [0] * 759)
            image.save(folder / f"{stem}.png")
        lines = "background: 0,0,0\npet: 250,0,0\ncollar: 0,0,250\n"
        (folder / "labelmap.txt").write_text(lines)
        return folder

    return make


@pytest.fixture
def make_pets(make_project) -> Callable[..., Path]:
    """As make_project; the folder's classes are background and pet, by these names."""

    def make(*arguments: object, **named: object) -> Path:
        root: Path = make_project(*arguments, **named)
        open_project(root).change_settings(scheme=PET)
        return root

    return make


def drawn(value: int = 1) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[8:40, 8:40] = 1
    mask[16:24, 16:24] = value
    return mask


@pytest.fixture
def open_import(qtbot: QtBot) -> Callable[[Parts, Path], ImportWindow]:
    """open_import(parts, annotations) -> the window, with what it found or why not."""

    def open_(parts: Parts, path: Path) -> ImportWindow:
        parts.actions["import"].trigger()
        qtbot.waitUntil(lambda: parts.window.findChild(ImportWindow) is not None)
        window = parts.window.findChild(ImportWindow)
        assert window is not None
        qtbot.waitUntil(window.isVisible)
        window.path_edit.setText(str(path))
        qtbot.keyClick(window.path_edit, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not window.path_edit.isEnabled() or bool(window.message.text()))
        qtbot.waitUntil(window.path_edit.isEnabled)
        return window

    return open_


def approved(parts: Parts) -> set[str]:
    return set(parts.session.named(Status.APPROVED))


def banner_button(parts: Parts, key: str, text: str) -> None:
    banner = parts.window.banners.banner(key)
    assert banner is not None
    next(b for b in banner.buttons if b.text() == text).click()


def test_masks_are_previewed_imported_shown_and_taken_back(
    make_pets, theirs, open_window, open_import, qtbot, snapshot
):
    root = make_pets(4, 1)
    (root / "masks" / "animal-0.png").unlink()
    parts = open_window(root)
    masks = {f"animal-{i}": drawn(2) for i in range(3)} | {"gone": drawn()}
    window = open_import(parts, theirs(masks))
    assert "3 masks would be imported" in window.headline.text()
    assert window.import_button.text() == "Import 3 masks"
    assert "collar" in window.notes.text()
    assert not approved(parts)
    assert not list((root / "masks").glob("*.png"))
    window.import_button.click()
    qtbot.waitUntil(lambda: len(approved(parts)) == 3)
    assert "3 masks imported" in parts.window.banners.text("import")
    assert not window.isVisible()
    document = parts.session.document
    qtbot.waitUntil(lambda: bool((document.mask == drawn(2)).all()))
    assert [c.name for c in document.scheme.classes] == ["background", "pet", "collar"]
    assert open_project(root).status("animal-2.png") is Status.APPROVED
    banner_button(parts, "import", "Undo")
    assert "being undone" in parts.window.banners.text("import")
    qtbot.waitUntil(lambda: not approved(parts))
    assert parts.window.banners.banner("import") is None
    assert not list((root / "masks").glob("*.png"))
    assert parts.session.project.settings.scheme.names == ["background", "pet"]
    qtbot.waitUntil(lambda: not (document.mask == 2).any())


def test_classes_become_what_is_chosen_and_masks_that_are_there_stay(
    make_pets, theirs, open_window, open_import, qtbot
):
    root = make_pets(3, 1)
    mine = (root / "masks" / "animal-0.png").read_bytes()
    parts = open_window(root)
    window = open_import(parts, theirs({f"animal-{i}": drawn(2) for i in range(3)}))
    assert window.import_button.text() == "Import 2 masks"
    collar = window.table.cellWidget(1, 2)
    assert collar.currentText() == "New class “collar”"
    collar.setCurrentIndex(collar.findText("Left out (background)"))
    assert not window.notes.isVisible()
    window.import_button.click()
    qtbot.waitUntil(lambda: len(approved(parts)) == 3)
    assert (root / "masks" / "animal-0.png").read_bytes() == mine
    found = read_values(root / "masks" / "animal-1.png")[0]
    np.testing.assert_array_equal(found, drawn(0))


def test_masks_are_replaced_where_that_is_asked_for_and_come_back(
    make_pets, theirs, open_window, open_import, qtbot
):
    root = make_pets(2, 2)
    mine = (root / "masks" / "animal-0.png").read_bytes()
    parts = open_window(root)
    window = open_import(parts, theirs({"animal-0": drawn()}))
    assert not window.import_button.isEnabled()
    window.replace_box.setChecked(True)
    window.import_button.click()
    document = parts.session.document
    qtbot.waitUntil(lambda: bool((document.mask == drawn()).all()))
    parts.window.banners.remove("import")  # it can still be undone, where it was done
    parts.actions["import"].trigger()
    qtbot.waitUntil(window.isVisible)
    window.undo_button.click()
    assert "theirs" in window.question.label.text()
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: (root / "masks" / "animal-0.png").read_bytes() == mine)
    qtbot.waitUntil(lambda: not window.undo_button.isVisible())
    qtbot.waitUntil(lambda: bool((document.mask != drawn()).any()))


def test_a_stroke_that_is_not_saved_yet_is_not_lost(
    make_pets, theirs, open_window, open_import, qtbot, paint
):
    root = make_pets(2, 0)
    parts = open_window(root)
    window = open_import(parts, theirs({"animal-0": drawn(), "animal-1": drawn()}))
    parts.session.save_after_ms = 1_000_000
    paint(parts)
    mine = parts.session.document.mask.copy()
    assert mine.any()
    assert parts.session.dirty
    window.import_button.click()
    qtbot.waitUntil(lambda: approved(parts) == {"animal-1.png"})
    assert "1 image could not be used" in parts.window.banners.text("import")
    np.testing.assert_array_equal(parts.session.document.mask, mine)
    np.testing.assert_array_equal(read_values(root / "masks" / "animal-0.png")[0], mine)


def test_binary_masks_are_converted_first_where_that_is_wanted(
    make_pets, theirs, open_window, open_import, qtbot
):
    root = make_pets(2, 1, encoding=MaskEncoding.BINARY255)
    parts = open_window(root)
    window = open_import(parts, theirs({"animal-1": drawn(2)}))
    window.import_button.click()
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox)))
    assert approved(parts) == {"animal-0.png"}
    box = window.findChildren(QMessageBox)[0]
    next(b for b in box.buttons() if b.text() == "Convert").click()
    qtbot.waitUntil(lambda: len(approved(parts)) == 2)
    project = open_project(root)
    assert project.settings.mask_encoding is MaskEncoding.IDS
    np.testing.assert_array_equal(project.read_mask("animal-1.png"), drawn(2))


@pytest.mark.parametrize("kind", ["nothing", "hostile"])
def test_why_annotations_cannot_be_used_is_said(
    kind, make_pets, open_window, open_import, tmp_path, snapshot
):
    root = make_pets(1, 0)
    path = tmp_path / "a.json"
    if kind == "hostile":
        path.write_text('{"images": [[[[')
    parts = open_window(root)
    before = snapshot(root / "images")
    window = open_import(parts, path)
    assert "a.json" in window.message.text()
    assert not window.import_button.isEnabled()
    assert snapshot(root / "images") == before
    assert not (root / "masks").exists()


def test_a_window_that_closes_meanwhile_leaves_no_half_import(
    make_pets, theirs, open_window, open_import
):
    root = make_pets(12, 0, width=16, height=16)
    parts = open_window(root)
    small = np.ones((16, 16), np.uint8)
    window = open_import(parts, theirs({f"animal-{i}": small for i in range(12)}))
    window.import_button.click()
    parts.window.close()
    project = open_project(root)
    assert len(project.named([Status.APPROVED])) in (0, 12)
    assert not list((project.store / "imports").glob("*.part"))


def test_an_import_that_was_interrupted_is_finished_when_the_folder_is_opened(
    make_pets, theirs, open_window
):
    root = make_pets(2, 0)
    project = open_project(root)
    plan = plan_import(project, read_source(theirs({"animal-1": drawn()})))
    assert plan is not None
    staged = stage_import(project, plan)
    assert staged is not None
    staged.folder.rename(staged.folder.with_suffix(".writing"))
    parts = open_window(root)
    assert approved(parts) == {"animal-1.png"}
    assert "interrupted" in parts.window.banners.text("import")


def test_a_dropped_file_of_annotations_is_previewed(make_pets, open_window, qtbot, tmp_path):
    parts = open_window(make_pets(1, 0))
    (tmp_path / "a.json").write_text("[]")
    open_file(parts, tmp_path / "a.json")
    qtbot.waitUntil(lambda: parts.window.findChild(ImportWindow) is not None)
    window = parts.window.findChild(ImportWindow)
    qtbot.waitUntil(lambda: bool(window.message.text()))
    assert "a.json" in window.message.text()


def test_masks_are_exported_and_an_earlier_export_is_replaced_only_when_asked(
    make_pets, open_window, qtbot, tmp_path
):
    root = make_pets(3, 2)
    parts = open_window(root)
    parts.actions["export"].trigger()
    qtbot.waitUntil(lambda: parts.window.findChild(ExportWindow) is not None)
    window = parts.window.findChild(ExportWindow)
    qtbot.waitUntil(window.isVisible)
    assert window.export_button.text() == "Export 2 images"
    window.format_box.setCurrentIndex(window.format_box.findData("png-255"))
    assert "background" in window.losses.text()
    assert window.target_edit.text() == str(tmp_path / "photos-png-255")
    window.export_button.click()
    qtbot.waitUntil(lambda: "2 images exported" in parts.window.banners.text("export"))
    target = tmp_path / "photos-png-255"
    values = read_values(target / "animal-0.png")[0]
    np.testing.assert_array_equal(values // 255, open_project(root).read_mask("animal-0.png"))
    (target / "animal-0.png").write_bytes(b"old")
    parts.actions["export"].trigger()
    qtbot.waitUntil(window.isVisible)
    window.target_edit.setText(str(target))
    window.export_button.click()
    qtbot.waitUntil(window.question.isVisible)
    assert (target / "animal-0.png").read_bytes() == b"old"
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: (target / "animal-0.png").read_bytes() != b"old")
    qtbot.waitUntil(lambda: not window.isVisible())
