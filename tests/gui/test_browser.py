"""The list: search, next and previous, thumbnails, files that cannot be shown."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap

from core.evaluation.triage import Known, by_name
from core.project.reviews import Status
from petseg_gui.browser.facts import FactsKeeper
from petseg_gui.browser.model import Role
from petseg_gui.browser.panel import BrowserPanel
from petseg_gui.browser.thumbnails import Thumbnails
from petseg_gui.session import Session
from petseg_gui.tasks import Tasks


def test_next_and_previous_walk_the_list_and_stop_at_its_ends(open_window, make_project, qtbot):
    parts = open_window(make_project(images=3))
    parts.actions["previous"].trigger()
    assert parts.session.wanted == "animal-0.png"
    for name in ("animal-1.png", "animal-2.png"):
        qtbot.keyClick(parts.canvas, Qt.Key.Key_PageDown)
        qtbot.waitUntil(lambda name=name: parts.session.name == name)
    parts.actions["next"].trigger()
    assert parts.session.wanted == "animal-2.png"
    qtbot.keyClick(parts.canvas, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    assert parts.browser.list.currentIndex().data() == "animal-1.png"


def test_fast_steps_show_the_last_image_only(open_window, make_project, qtbot):
    parts = open_window(make_project(images=4))
    shown = []
    parts.session.document_changed.connect(lambda: shown.append(parts.session.name))
    for _ in range(3):
        parts.actions["next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-3.png")
    assert shown[-1] == "animal-3.png"


def test_search_shows_what_it_finds_and_keeps_the_image_open(open_window, make_project, qtbot):
    parts = open_window(make_project(images=12, masked=1))
    qtbot.keyClicks(parts.browser.search_box, "MAL-1")
    assert list(parts.browser.list.model().names) == [
        "animal-1.png",
        "animal-10.png",
        "animal-11.png",
    ]
    assert parts.browser.count.text() == "3 found  ·  1 of 12 approved"
    assert parts.session.name == "animal-0.png"
    parts.actions["next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    parts.browser.search_box.clear()
    assert parts.browser.list.currentIndex().data() == "animal-1.png"


def test_typing_in_the_search_box_is_no_command(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2, masked=0))
    parts.browser.focus_search()
    qtbot.keyClicks(parts.browser.search_box, "nab")
    assert parts.browser.search_box.text() == "nab"
    assert parts.session.wanted == "animal-0.png"
    assert parts.session.counts[Status.APPROVED] == 0


def test_the_list_and_its_search_are_left_and_entered_by_keyboard(open_window, make_project, qtbot):
    parts = open_window(make_project(images=4, masked=1))
    box, view = parts.browser.search_box, parts.browser.list
    parts.browser.focus_search()
    qtbot.keyClicks(box, "mal-3")
    assert list(parts.browser.names) == ["animal-3.png"]
    qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.name == "animal-3.png")
    assert view.hasFocus()
    assert parts.session.status("animal-3.png") is Status.UNLABELLED  # Return approves elsewhere
    parts.browser.focus_search()
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert box.text() == ""
    assert len(parts.browser.names) == 4
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Down):
        parts.browser.focus_search()
        qtbot.keyClick(box, key)
        assert view.hasFocus()
    assert parts.session.wanted == "animal-3.png"
    qtbot.keyClick(view, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: parts.session.name == "animal-2.png")
    qtbot.keyClick(view, Qt.Key.Key_Home, Qt.KeyboardModifier.ShiftModifier)
    assert len(parts.browser.selected) == 3
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert parts.browser.selected == ["animal-2.png"]


def test_letters_are_commands_while_the_list_has_the_focus(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2, masked=0))
    parts.browser.list.setFocus()
    qtbot.keyPress(parts.browser.list, Qt.Key.Key_H)
    assert not parts.canvas.mask_visible
    qtbot.keyRelease(parts.browser.list, Qt.Key.Key_H)


def test_a_file_that_is_no_image_is_listed_with_its_reason(open_window, make_project, qtbot, go_to):
    folder = make_project(images=1)
    (folder / "images" / "broken.png").write_text("not an image")
    (folder / "images" / "empty.png").touch()
    parts = open_window(folder)
    go_to(parts, "broken.png")
    assert parts.session.document is None
    assert "broken.png" in parts.session.problem
    assert not parts.actions["segment"].isEnabled()
    go_to(parts, "empty.png")
    assert "0 bytes" in parts.session.problem
    model = parts.browser.list.model()
    index = model.index(model.row_of("broken.png"))
    qtbot.waitUntil(lambda: isinstance(index.data(Role.THUMBNAIL), str))
    assert "not an image" in index.data(Qt.ItemDataRole.ToolTipRole)
    go_to(parts, "animal-0.png")
    assert parts.session.document is not None


def test_thumbnails_are_made_when_a_row_asks(qtbot, tmp_path):
    Image.fromarray(np.full((40, 80, 3), 200, np.uint8)).save(tmp_path / "a.png")
    tasks = Tasks()
    thumbnails = Thumbnails(tasks)
    thumbnails.set_folder(tmp_path, 1.0)
    thumbnails.begin()
    assert thumbnails.get("a.png") is None
    qtbot.waitUntil(lambda: isinstance(thumbnails.get("a.png"), QPixmap))
    size = thumbnails.get("a.png").size()
    assert (size.width(), size.height()) == (56, 28)
    tasks.close()


def test_a_big_list_asks_for_no_row_that_is_not_shown(qtbot):
    asked = []

    def status_of(name: str) -> Status:
        asked.append(name)
        return Status.UNLABELLED

    tasks = Tasks()
    facts = FactsKeeper(tasks, Session(tasks))
    facts.known = Known(status_of)
    panel = BrowserPanel(tasks, facts, Thumbnails(tasks))
    qtbot.addWidget(panel)
    panel.set_images(by_name([f"{i}.png" for i in range(50_000)]))
    panel.search_box.setText("999")
    wanted = [f"{i}.png" for i in range(50_000) if "999" in f"{i}.png"]
    qtbot.waitUntil(lambda: list(panel.names) == wanted)
    assert asked == []
    tasks.close()


def test_a_status_is_a_word_and_not_colour_alone(open_window, make_project):
    parts = open_window(make_project(images=2, masked=1))
    model = parts.browser.list.model()
    spoken = [model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    assert spoken == ["animal-0.png, approved", "animal-1.png, unlabelled"]
