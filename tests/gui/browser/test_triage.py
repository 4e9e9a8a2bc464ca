"""The list, sorted and searched by what is known of the images; the next most useful one."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from core.evaluation.triage import ORDERS
from core.project.index import INDEX_NAME, Index
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Status
from core.project.split import position
from petseg_gui.browser import facts
from petseg_gui.browser.model import Role
from petseg_gui.browser.search_line import HelpCard

DOUBTS = (0.1, 0.3, 0.05, 0.2)


@pytest.fixture
def predicted(make_project):
    """predicted(images=4) -> a folder with a mask on the first image and predictions on all."""

    def make(images: int = 4):
        folder = make_project(images=images, masked=1)
        project = open_project(folder)
        for i, name in enumerate(project.names):
            mask = np.zeros((48, 48), np.uint8)
            mask[: 4 * (i + 1)] = 1
            doubt = DOUBTS[i % len(DOUBTS)]
            project.save_prediction(name, mask, PredictionRecord(name, "m", "My model", doubt))
        return folder

    return make


@pytest.fixture
def open_known(open_window, qtbot):
    """open_known(folder) -> the parts of a window that has looked at all images."""

    def open_(folder):
        parts = open_window(folder)
        qtbot.waitUntil(lambda: not parts.facts.gathering)
        return parts

    return open_


def _numbers(parts) -> str:
    return "".join(
        name.removeprefix("animal-").removesuffix(".png") for name in parts.browser.names
    )


def _sort(parts, qtbot, key: str) -> None:
    """Choose an order by keyboard."""
    row = [order.key for order in ORDERS].index(key)
    order = parts.browser.sort.order
    order.setFocus()
    steps = row - order.currentIndex()
    for _ in range(abs(steps)):
        qtbot.keyClick(order, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)


def test_the_list_is_sorted_by_keyboard_and_turned_round(open_known, predicted, qtbot):
    parts = open_known(predicted())
    _sort(parts, qtbot, "uncertainty")
    assert _numbers(parts) == "1302"
    assert parts.session.name == parts.browser.list.currentIndex().data() == "animal-0.png"
    parts.browser.sort.direction.setFocus()
    qtbot.keyClick(parts.browser.sort.direction, Qt.Key.Key_Space)
    assert _numbers(parts) == "2031"
    _sort(parts, qtbot, "object")
    parts.actions["next"].trigger()
    row = parts.browser.names.index("animal-0.png")
    assert parts.session.wanted == parts.browser.names[min(row + 1, 3)]


def test_the_search_line_knows_keys_and_tells_what_is_wrong(open_known, predicted, qtbot):
    parts = open_known(predicted())
    line = parts.browser.search
    qtbot.keyClicks(line.edit, "status:predicted uncertainty>0.1")
    assert _numbers(parts) == "13"
    line.edit.setText(f"{line.edit.text()} colour:red")
    assert "no “colour”" in line.problem.text()
    assert not line.problem.isHidden()
    assert _numbers(parts) == "13"  # the last that meant something
    line.edit.clear()
    assert line.problem.isHidden()
    assert _numbers(parts) == "0123"


def test_keys_and_then_their_values_are_offered(open_known, predicted, qtbot):
    parts = open_known(predicted())
    edit = parts.browser.search_box
    edit.setFocus()
    qtbot.keyClicks(edit, "mod")
    popup = edit.completer().popup()
    qtbot.waitUntil(popup.isVisible)
    for offered in ("model:", 'model:"My model"'):
        qtbot.waitUntil(lambda offered=offered: popup.model().index(0, 0).data() == offered)
        qtbot.waitUntil(popup.isVisible)
        qtbot.keyClick(popup, Qt.Key.Key_Down)
        qtbot.keyClick(popup, Qt.Key.Key_Return)
        assert edit.text() == offered
    assert _numbers(parts) == "0123"


def test_an_example_of_the_help_is_searched_for(open_known, predicted, qtbot):
    parts = open_known(predicted())
    qtbot.mouseClick(parts.browser.search.help_button, Qt.MouseButton.LeftButton)
    card = parts.browser.search.findChild(HelpCard)
    card.text.linkActivated.emit("2")
    assert parts.browser.search_box.text() == "status:predicted,edited"
    assert _numbers(parts) == "123"


def test_a_list_that_is_outdated_stays_and_says_so(open_known, predicted, qtbot):
    parts = open_known(predicted())
    parts.browser.search_box.setText("status:approved")
    assert _numbers(parts) == "0"
    parts.session.take_approval_back()
    qtbot.waitUntil(lambda: parts.session.status("animal-0.png") is Status.EDITED)
    assert _numbers(parts) == "0"
    assert not parts.browser.sort.anew.isHidden()
    parts.actions["update_list"].trigger()
    assert _numbers(parts) == ""
    assert parts.browser.sort.anew.isHidden()


def test_facts_follow_what_is_saved(open_known, predicted, qtbot, paint):
    parts = open_known(predicted())
    known, name = parts.facts.known, "animal-0.png"
    before = known.of(name)
    assert before.disagreement > 0
    parts.actions["eraser"].trigger()
    paint(parts)
    parts.session.save()
    qtbot.waitUntil(lambda: known.of(name).object_share != before.object_share)
    assert known.of(name).disagreement != before.disagreement


def test_segmenting_tells_how_unsure_the_model_is(open_known, make_project, qtbot):
    parts = open_known(make_project(images=2, masked=0))
    assert parts.facts.known.of("animal-0.png").uncertainty is None
    parts.actions["segment"].trigger()
    qtbot.waitUntil(lambda: parts.facts.known.of("animal-0.png").uncertainty is not None)
    assert parts.facts.known.of("animal-0.png").object_share is not None


def test_what_was_measured_is_not_measured_again(open_known, predicted, qtbot):
    folder = predicted()
    open_known(folder).window.close()
    path = folder / ".petseg" / INDEX_NAME
    kept = [row for rows in Index(path).measured() for row in rows]
    assert [row.name for row in kept] == [f"animal-{i}.png" for i in range(4)]
    # Other values under the same stamps: they are taken from there.
    Index(path).keep([type(row)(**{**vars(row), "parts": 77}) for row in kept])
    assert open_known(folder).facts.known.of("animal-2.png").parts == 77


def test_a_damaged_index_is_made_anew(open_known, predicted):
    folder = predicted()
    (folder / ".petseg" / INDEX_NAME).write_bytes(b"rubbish" * 1000)
    assert open_known(folder).facts.known.of("animal-1.png").object_share is not None


def test_an_index_that_cannot_be_written_is_told_once_in_the_log(open_known, predicted, caplog):
    folder = predicted()
    (folder / ".petseg" / INDEX_NAME).mkdir()
    with caplog.at_level(logging.WARNING, "petseg"):
        parts = open_known(folder)
    assert parts.facts.known.of("animal-1.png").object_share is not None
    parts.facts.look_at_all()
    assert sum(INDEX_NAME in record.message for record in caplog.records) == 1


# Rows


def test_badge_and_bar_have_words_too(open_known, predicted, qtbot):
    folder = predicted()
    split = {"animal-0.png": "val", "animal-1.png": "train", "animal-2.png": "test"}
    (folder / ".petseg" / "split.json").write_text(json.dumps(split))
    parts = open_known(folder)
    model = parts.browser.list.model()
    rows = [model.index(row) for row in range(4)]
    assert [row.data(Role.SUBSET) for row in rows] == ["val", "", "test", ""]
    assert [row.data(Role.BAR) for row in rows] == pytest.approx([d / 0.3 for d in DOUBTS])
    spoken = rows[2].data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "animal-2.png, predicted, test, uncertainty 0.05"
    tip = rows[0].data(Qt.ItemDataRole.ToolTipRole)
    for words in ("kept for val", "0.10 (My model)", "Disagreement", "48 × 48 pixels"):
        assert words in tip
    _sort(parts, qtbot, "dice")
    dice = 1 - parts.facts.known.of("animal-0.png").disagreement
    assert model.index(0).data(Role.VALUE) == f"{dice:.2f}"


def test_before_a_training_the_list_shows_the_split_that_evaluating_takes(
    open_known, make_project, qtbot, monkeypatch
):
    monkeypatch.setattr(facts, "_FILES", 3)  # photos are compared in several steps
    monkeypatch.setattr(facts, "_STEP_S", 0)
    folder = make_project(images=12, masked=11)
    project, last = open_project(folder), "animal-11.png"
    project.save_prediction(last, np.ones((48, 48), np.uint8), PredictionRecord(last, "m"))
    split = project.split(project.named([Status.APPROVED]))
    parts = open_known(folder)
    qtbot.keyClicks(parts.browser.search.edit, "split:val")
    assert list(parts.browser.names) == [n for n in project.names if split.get(n) == "val"] != []
    parts.judge.approve([last])
    qtbot.waitUntil(lambda: parts.facts.known.split == project.split(project.names))
    assert not (folder / ".petseg" / "split.json").exists()


def test_a_file_name_is_no_markup(open_known, make_project):
    folder = make_project(images=1)
    (folder / "images" / "animal-0.png").rename(folder / "images" / "<b>x.png")
    parts = open_known(folder)
    tip = parts.browser.list.model().index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "&lt;b&gt;x.png" in tip


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_bar_is_as_long_as_its_value(open_known, predicted, ratio):
    view = open_known(predicted()).browser.list
    view.setCurrentIndex(view.model().index(3, 0))

    def dark(row: int) -> int:
        """Pixels of the bar's own colour in the row's lowest part."""
        picture = QImage(240 * ratio, 72 * ratio, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.white)
        option = QStyleOptionViewItem()
        option.initFrom(view)
        option.rect, option.widget = QRect(0, 0, 240, 72), view
        option.state = QStyle.StateFlag.State_Enabled
        painter = QPainter(picture)
        view.itemDelegate().paint(painter, option, view.model().index(row, 0))
        painter.end()
        line = (72 - 8 - 2) * ratio
        return sum(
            picture.pixelColor(x, line).lightness() < 180 for x in range(90 * ratio, 240 * ratio)
        )

    # 0.1, 0.3, 0.05 of at most 0.3.
    longest = dark(1)
    assert longest > 100 * ratio
    assert dark(0) == pytest.approx(longest / 3, abs=14 * ratio)
    assert dark(2) < dark(0)


# Several images


def _at(view, row: int) -> QPoint:
    return view.visualRect(view.model().index(row, 0)).center()


def test_several_are_selected_while_the_open_one_stays(open_known, predicted, qtbot):
    parts = open_known(predicted(6))
    view = parts.browser.list
    left, control, shift = (
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.KeyboardModifier.ShiftModifier,
    )

    def selected() -> str:
        return "".join(
            n.removeprefix("animal-").removesuffix(".png") for n in parts.browser.selected
        )

    assert selected() == "0"
    qtbot.mouseClick(view.viewport(), left, control, _at(view, 2))
    assert selected() == "02"
    assert "2 selected" in parts.browser.count.text()
    qtbot.mouseClick(view.viewport(), left, control, _at(view, 2))
    assert selected() == "0"
    qtbot.mouseClick(view.viewport(), left, shift, _at(view, 3))
    assert selected() == "0123"
    qtbot.keyClick(view, Qt.Key.Key_Up, shift)
    assert selected() == "012"
    qtbot.keyClick(view, Qt.Key.Key_End, shift)
    assert selected() == "012345"
    assert parts.session.wanted == "animal-0.png"
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    assert selected() == "1"
    qtbot.keyClick(view, Qt.Key.Key_A, control)
    assert selected() == "012345"
    assert parts.session.wanted == "animal-1.png"


# The next most useful one


def _trained(count: int) -> list[str]:
    return [f"animal-{i}.png" for i in range(count) if position(f"animal-{i}.png") < 0.8]


def test_the_most_useful_image_is_opened_with_one_sentence_of_why(open_known, predicted, qtbot):
    parts = open_known(predicted(8))
    seen = []
    for _ in range(2):
        parts.actions["next_useful"].trigger()
        qtbot.waitUntil(lambda: parts.session.name not in ("animal-0.png", *seen))
        seen.append(parts.session.name)
        assert "the model is least sure of" in parts.window.statusBar().currentMessage()
        assert parts.browser.list.currentIndex().data() == seen[-1]
    assert set(seen) <= set(_trained(8))


def test_what_is_segmented_on_opening_still_tells_why(open_window, make_project, qtbot):
    parts = open_window(make_project(images=6, masked=1), segment=True)
    qtbot.waitUntil(lambda: not parts.facts.gathering)
    parts.actions["next_useful"].trigger()
    qtbot.waitUntil(lambda: parts.session.status(parts.session.name) is Status.PREDICTED)
    qtbot.waitUntil(lambda: "Segment all" in parts.window.statusBar().currentMessage())


def test_where_nothing_waits_that_is_told(open_known, make_project, qtbot):
    parts = open_known(make_project(images=2))
    parts.actions["next_useful"].trigger()
    qtbot.waitUntil(lambda: "No image in the list" in parts.window.statusBar().currentMessage())
    assert parts.session.name == "animal-0.png"


def test_a_name_with_a_line_break_stands_on_one_line(open_known, make_project):
    folder = make_project(images=1)
    photo = (folder / "images" / "animal-0.png").read_bytes()
    for name in ("b a.png", "b\na.png"):
        (folder / "images" / name).write_bytes(photo)
    parts = open_known(folder)
    view = parts.browser.list
    rows = [view.visualRect(view.model().index(parts.browser.names.index(n), 0))
            for n in ("b a.png", "b\na.png")]  # fmt: skip
    one, other = (view.viewport().grab(row).toImage() for row in rows)
    assert one == other
