"""The contact sheet: what it shows, what its keys do, what it never touches."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from core.labels import PET
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.sheet.model import Role, SheetModel
from petseg_gui.sheet.pictures import Pictures, mask_picture
from petseg_gui.sheet.view import SheetView
from petseg_gui.sheet.window import SheetWindow
from petseg_gui.tasks import Tasks
from petseg_gui.wiring.folder import open_folder
from petseg_gui.wiring.sheet import open_sheet


@pytest.fixture
def opened(open_window, make_project, qtbot):
    """opened(images=4, masked=1) -> the program's parts and its contact sheet."""

    def open_(images: int = 4, masked: int = 1):
        folder = make_project(images=images, masked=masked)
        project = open_project(folder)
        mask = np.zeros((48, 48), np.uint8)
        mask[10:30, 12:40] = 1
        for name in project.named([Status.UNLABELLED]):
            project.save_prediction(name, mask, PredictionRecord(name, "tiny-0"))
        parts = open_window(folder)
        parts.actions["contact_sheet"].trigger()
        sheet = open_sheet(parts)  # the same one again
        assert parts.window.findChildren(SheetWindow) == [sheet]
        qtbot.waitUntil(lambda: all(_picture(sheet, n) is not None for n in sheet.model.names))
        return parts, sheet

    return open_


def _picture(sheet, name):
    return sheet.model.index(sheet.model.row_of(name)).data(Role.PICTURE)


def _press(qtbot, sheet, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(sheet.view, key, modifier)


def _wait(qtbot, parts, status, number):
    qtbot.waitUntil(lambda: parts.session.counts[status] == number and not parts.judge.busy)


def _go(sheet, name):
    sheet.view.setCurrentIndex(sheet.model.index(sheet.model.row_of(name)))


def test_keys_approve_and_reject_and_go_on_to_the_next(opened, qtbot):
    parts, sheet = opened()
    _go(sheet, "animal-1.png")
    _press(qtbot, sheet, Qt.Key.Key_A)
    _wait(qtbot, parts, Status.APPROVED, 2)
    assert sheet.view.selected == ["animal-2.png"]
    _press(qtbot, sheet, Qt.Key.Key_J)
    _wait(qtbot, parts, Status.REJECTED, 1)
    assert sheet.view.selected == ["animal-3.png"]
    folder = parts.session.project.folder
    again = open_project(folder)
    assert again.status("animal-1.png") is Status.APPROVED
    assert again.status("animal-2.png") is Status.REJECTED
    assert (folder / "masks" / "animal-1.png").is_file()


def test_undo_takes_back_one_key_press_after_the_other(opened, qtbot):
    parts, sheet = opened()
    kept = (parts.session.project.folder / "masks" / "animal-0.png").read_bytes()
    sheet.view.selectAll()
    _press(qtbot, sheet, Qt.Key.Key_A)
    _wait(qtbot, parts, Status.APPROVED, 4)
    assert sheet.message.text() == "3 images approved."
    _press(qtbot, sheet, Qt.Key.Key_U)
    _wait(qtbot, parts, Status.APPROVED, 1)
    assert parts.session.counts[Status.PREDICTED] == 3
    assert (parts.session.project.folder / "masks" / "animal-0.png").read_bytes() == kept
    assert not sheet.actions_by_id["undo"].isEnabled()


def test_the_same_key_takes_a_rejection_back(opened, qtbot):
    parts, sheet = opened(images=2)
    for number in (1, 0):
        _go(sheet, "animal-1.png")
        _press(qtbot, sheet, Qt.Key.Key_J)
        _wait(qtbot, parts, Status.REJECTED, number)


def test_a_mask_of_a_persons_is_refused_with_the_reason(opened, qtbot):
    parts, sheet = opened()
    _go(sheet, "animal-0.png")
    _press(qtbot, sheet, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: "its mask is yours" in sheet.message.text())
    assert parts.session.status("animal-0.png") is Status.APPROVED


def test_enter_opens_the_image_in_the_main_window(opened, qtbot):
    parts, sheet = opened()
    _go(sheet, "animal-2.png")
    _press(qtbot, sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.name == "animal-2.png")


def test_it_begins_at_the_image_that_is_open_each_time(opened, qtbot, go_to):
    parts, sheet = opened()
    for name, closed in (("animal-2.png", True), ("animal-3.png", False), ("animal-1.png", True)):
        if closed:
            sheet.close()
        go_to(parts, name)
        parts.actions["contact_sheet"].trigger()
        assert sheet.view.currentIndex().data() == name
        assert sheet.view.selected == [name]


def test_the_open_image_follows_what_is_judged_in_the_sheet(opened, qtbot, go_to):
    parts, sheet = opened()
    go_to(parts, "animal-1.png")
    predicted = parts.session.document.mask.copy()
    _go(sheet, "animal-1.png")
    _press(qtbot, sheet, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: not parts.session.document.mask.any())
    _press(qtbot, sheet, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: bool((parts.session.document.mask == predicted).all()))


def test_unsaved_strokes_become_the_mask_that_is_approved(opened, qtbot, go_to, paint):
    parts, sheet = opened()
    go_to(parts, "animal-1.png")
    paint(parts)
    painted = parts.session.document.mask.copy()
    _go(sheet, "animal-1.png")
    _press(qtbot, sheet, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: parts.session.status("animal-1.png") is Status.APPROVED)
    assert (open_project(parts.session.project.folder).read_mask("animal-1.png") == painted).all()
    _press(qtbot, sheet, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: parts.session.status("animal-1.png") is Status.EDITED)
    assert (open_project(parts.session.project.folder).read_mask("animal-1.png") == painted).all()


def test_space_shows_the_photos_alone_while_it_is_held(opened, qtbot):
    _, sheet = opened(images=1, masked=0)
    with_mask = sheet.view.viewport().grab().toImage()
    qtbot.keyPress(sheet.view, Qt.Key.Key_Space)
    without = sheet.view.viewport().grab().toImage()
    qtbot.keyRelease(sheet.view, Qt.Key.Key_Space)
    assert with_mask != without
    assert sheet.view.viewport().grab().toImage() == with_mask


def test_a_rejected_prediction_is_shown_as_the_photo_alone(opened, qtbot):
    parts, sheet = opened()
    assert _picture(sheet, "animal-1.png").mask is not None
    parts.judge.reject(["animal-1.png"])
    qtbot.waitUntil(lambda: _picture(sheet, "animal-1.png").mask is None)


def test_the_filter_shows_a_status_and_keeps_what_was_judged_in_its_place(opened, qtbot):
    parts, sheet = opened()
    sheet.filter_box.setCurrentIndex(2)
    sheet.filter_box.activated.emit(2)
    wanted = ["animal-1.png", "animal-2.png", "animal-3.png"]
    assert list(sheet.model.names) == wanted
    _go(sheet, "animal-1.png")
    _press(qtbot, sheet, Qt.Key.Key_A)
    _wait(qtbot, parts, Status.APPROVED, 2)
    assert list(sheet.model.names) == wanted
    assert sheet.filter_box.itemText(2) == "Predicted (2)"
    _press(qtbot, sheet, Qt.Key.Key_F5)
    assert list(sheet.model.names) == wanted[1:]


def test_the_search_of_the_list_is_followed_unless_the_person_wants_all(opened, qtbot):
    parts, sheet = opened()
    parts.window.activateWindow()
    qtbot.waitUntil(lambda: not sheet.isActiveWindow())
    parts.browser.search_box.setText("animal-2")
    qtbot.waitUntil(lambda: list(sheet.model.names) == ["animal-2.png"])
    sheet.only_found.setChecked(False)
    assert len(sheet.model.names) == 4


def test_another_folder_is_shown_at_once_while_the_sheet_is_in_front(opened, make_project, qtbot):
    parts, sheet = opened()
    other = make_project(images=2, folder="other", masked=0)
    for path in (other / "images").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    sheet.activateWindow()
    qtbot.waitUntil(sheet.isActiveWindow)
    open_folder(parts, other)
    qtbot.waitUntil(lambda: parts.session.project.folder == other)
    assert list(sheet.model.names) == ["other-animal-0.png", "other-animal-1.png"]


def test_pictures_grow_with_the_wheel_and_are_made_anew(opened, qtbot):
    _, sheet = opened(images=1, masked=0)
    before = _picture(sheet, "animal-0.png").size
    for _ in range(6):
        turned = QWheelEvent(
            QPointF(10, 10),
            QPointF(10, 10),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.ControlModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(sheet.view.viewport(), turned)
    assert sheet.size_slider.value() == sheet.view.delegate.size == 160 + 6 * 32
    qtbot.waitUntil(lambda: _picture(sheet, "animal-0.png").size > before)


def test_a_file_that_is_no_image_is_named_with_its_reason(open_window, make_project, qtbot):
    folder = make_project(images=1)
    (folder / "images" / "broken.png").write_text("not an image")
    sheet = open_sheet(open_window(folder))
    index = sheet.model.index(sheet.model.row_of("broken.png"))
    qtbot.waitUntil(lambda: index.data(Role.PICTURE) is not None)
    assert index.data(Role.PICTURE).photo is None
    assert "not an image" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "broken.png, unlabelled"


def test_a_read_only_folder_can_be_looked_at_only(open_window, make_project, qtbot):
    folder = make_project(images=2)
    for path in (folder, folder / "masks"):
        path.chmod(0o555)
    sheet = open_sheet(open_window(folder))
    sheet.view.selectAll()
    assert not sheet.actions_by_id["approve"].isEnabled()
    for path in (folder, folder / "masks"):
        path.chmod(0o755)


def test_of_a_hundred_thousand_only_what_is_seen_is_asked_for(qtbot):
    asked = set()

    def status_of(name: str) -> Status:
        asked.add(name)
        return Status.UNLABELLED

    tasks = Tasks()
    model = SheetModel(status_of, Pictures(tasks))
    view = SheetView(model)
    qtbot.addWidget(view)
    view.resize(800, 600)
    model.show_names([f"{i}.png" for i in range(100_000)])
    view.show()
    view.setCurrentIndex(model.index(50_000))
    view.grab()
    assert 0 < len(asked) < 200
    view.selectAll()
    assert view.selected_count == 100_000
    view.selectionModel().select(model.index(3), QItemSelectionModel.SelectionFlag.ClearAndSelect)
    assert view.selected == ["3.png"]
    tasks.close()


def test_what_was_seen_last_is_drawn_first_from_above(make_project, qtbot):
    project = open_project(make_project(images=5))
    tasks = Tasks()
    pictures = Pictures(tasks)
    pictures.set_project(project)
    ready = []
    a, b, c, d, e = project.names

    def scroll(name: str) -> None:
        ready.append(name)
        for seen in (d, e) if name == b else ():
            pictures.get(seen)

    pictures.ready.connect(scroll)
    for name in (a, b, c):
        pictures.get(name)
    qtbot.waitUntil(lambda: len(ready) == 5)
    assert ready == [a, b, d, e, c]
    pictures.stop()
    tasks.close()


def test_pictures_are_kept_in_bounded_memory(make_project, qtbot, monkeypatch):
    monkeypatch.setattr("petseg_gui.sheet.pictures._KEPT_BYTES", 3 * 4 * 48 * 48)
    project = open_project(make_project(images=4))
    tasks = Tasks()
    pictures = Pictures(tasks)
    pictures.set_project(project)
    ready = []
    pictures.ready.connect(ready.append)
    for name in project.names:
        pictures.get(name)
        qtbot.waitUntil(lambda name=name: ready[-1:] == [name])
    assert pictures.get(project.names[-1]) is not None
    assert pictures.get(project.names[0]) is None
    pictures.stop()
    tasks.close()


def test_a_mask_is_drawn_in_the_places_and_colours_of_its_classes():
    mask = np.zeros((100, 200), np.uint8)
    mask[:, 100:] = 1
    picture = mask_picture(mask, (10, 20), PET, Appearance(opacity=1.0))
    assert (picture.width(), picture.height()) == (20, 10)
    assert picture.pixelColor(9, 5).alpha() == 0
    assert picture.pixelColor(10, 5).getRgb() == (*PET.classes[1].colour, 255)
