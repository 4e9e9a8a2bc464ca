"""Coming back to where one left, moving about, dropping files, diagnostics, the log, Ctrl+C."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QDialog

from core.labels import PET
from core.masks import MaskEncoding, read_mask
from core.project.reviews import Status
from petseg_gui import diagnostics
from petseg_gui.log import LOG, LogFile, start_log
from petseg_gui.settings.options import Settings
from petseg_gui.settings.state import RECENT, State, Visit, parse_state, state_json

_WORDS = st.text(max_size=12)
_PLACES = st.floats(-1e9, 1e9)
_VIEWS = st.none() | st.tuples(st.floats(0.01, 64), _PLACES, _PLACES)
_VISITS = st.builds(
    Visit, folder=st.text(min_size=1, max_size=12), store=_WORDS, image=_WORDS, view=_VIEWS
)


@pytest.fixture
def own_log():
    """The log goes to the test's own file, and nowhere afterwards."""
    handler = start_log()
    yield handler
    LOG.removeHandler(handler)


def _drop(parts, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    parts.window.dropEvent(
        QDropEvent(
            QPointF(50, 50),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def _recent(parts) -> list:
    menu = parts.window.menu("Open &recent")
    menu.aboutToShow.emit()
    clear = parts.actions["clear_recent"]
    return [a for a in menu.actions() if a is not clear and not a.isSeparator()]


# The state


@given(st.lists(_VISITS, max_size=5), _WORDS, _WORDS)
def test_the_state_comes_back_from_its_file_as_it_was(visits, tool, docks):
    state = State(tuple(visits), tool, "", docks)
    assert parse_state(json.loads(json.dumps(state_json(state)))) == state


@given(st.lists(_VISITS, max_size=80))
def test_each_folder_is_remembered_once_the_latest_first_and_not_forever(visits):
    state = State()
    for visit in visits:
        state = state.visited(visit)
        assert state.visits[0] == visit
    folders = [visit.folder for visit in state.visits]
    assert len(folders) == len(set(folders)) <= 50
    assert len(state.recent) <= RECENT


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"visits": 3}',
        '{"visits": [{"folder": 1}]}',
        '{"tool": []}',
        '{"visits": [{"folder": "/a", "view": [1, NaN, 0]}]}',
        '{"visits": [{"folder": "/a", "view": [1, 1%s, 0]}]}' % ("0" * 400),
    ],
)
def test_a_damaged_state_is_put_aside_and_the_window_opens(
    open_window, make_project, tmp_path, content
):
    file = tmp_path / "user-config" / "petseg" / "state.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    parts = open_window(make_project(images=1))
    assert "state.json.bad" in parts.window.banners.text("state")


# Coming back


def test_without_a_folder_one_is_where_one_left(open_window, make_project, go_to, qtbot):
    folder = make_project(images=3)
    parts = open_window(folder)
    go_to(parts, "animal-2.png")
    parts.canvas.zoom_to(8.0)
    parts.canvas.pan(-40, 24)
    parts.actions["eraser"].trigger()
    zoom, x, y = parts.canvas.view_state()
    parts.window.close()

    again = open_window()
    assert again.session.project.folder == folder.resolve()
    assert again.session.name == "animal-2.png"
    assert again.actions["eraser"].isChecked()
    assert again.canvas.view_state() == pytest.approx((zoom, x, y), abs=0.2)


def test_an_image_that_was_fitted_is_fitted_again(open_window, make_project):
    open_window(make_project(images=1)).window.close()
    assert open_window().canvas.fitted


def test_a_folder_opens_at_the_image_left_there_and_zoomed_as_it_was(
    open_window, make_project, go_to, qtbot
):
    first, second = make_project(images=3), make_project(images=1, folder="other")
    parts = open_window(first)
    go_to(parts, "animal-1.png")
    parts.canvas.zoom_to(4.0)
    parts.window.folder_dropped.emit(second)
    qtbot.waitUntil(lambda: parts.session.name == "animal-0.png")
    parts.window.folder_dropped.emit(first)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    assert parts.canvas.zoom == 4.0
    go_to(parts, "animal-2.png")
    assert parts.canvas.fitted


def test_an_image_that_is_gone_gives_way_to_the_first(open_window, make_project, go_to):
    folder = make_project(images=3)
    parts = open_window(folder)
    go_to(parts, "animal-2.png")
    parts.window.close()
    (folder / "images" / "animal-2.png").unlink()
    assert open_window().session.name == "animal-0.png"


def test_a_folder_that_is_gone_is_named_and_the_demo_shown(
    open_window, make_project, own_user_data, monkeypatch, qtbot
):
    folder = make_project(images=1)
    demo = make_project(images=1, folder="demo-to-be")
    open_window(folder).window.close()
    shutil.rmtree(folder)
    own_user_data.mkdir(parents=True, exist_ok=True)
    shutil.move(demo, own_user_data / "demo")
    parts = open_window()
    assert parts.session.project.folder == (own_user_data / "demo").resolve()
    assert str(folder) in parts.window.banners.text("gone")


def test_masks_kept_elsewhere_are_found_again(open_window, make_project, tmp_path):
    folder = make_project(images=1)
    open_window(folder, "--project", tmp_path / "mine").window.close()
    assert open_window().session.project.store == tmp_path / "mine"


def test_the_window_stands_as_it_stood(open_window, make_project):
    parts = open_window(make_project(images=1))
    parts.window.browser_dock.hide()
    parts.window.close()
    assert open_window().window.browser_dock.isHidden()


def test_the_place_is_on_the_disk_while_the_window_is_open(
    open_window, make_project, tmp_path, qtbot
):
    folder = make_project(images=1)
    parts = open_window(folder)
    parts.whereabouts._write_soon.setInterval(0)
    parts.whereabouts._write_soon.start()
    file = tmp_path / "user-config" / "petseg" / "state.json"
    qtbot.waitUntil(file.exists)
    assert json.loads(file.read_text())["visits"][0]["folder"] == str(folder.resolve())


def test_recent_folders_are_listed_opened_and_cleared(open_window, make_project, qtbot):
    folders = [make_project(images=1, folder=name) for name in ("one", "t&wo", "three")]
    for folder in folders:
        open_window(folder).window.close()
    shutil.rmtree(folders[2])
    parts = open_window(folders[1])
    shown = _recent(parts)
    assert [a.text().replace("&&", "&").rpartition("/")[2] for a in shown] == [
        "t&wo",
        "three",
        "one",
    ]
    assert [a.isEnabled() for a in shown] == [True, False, True]
    shown[2].trigger()
    qtbot.waitUntil(lambda: parts.session.project.folder == folders[0].resolve())
    parts.actions["clear_recent"].trigger()
    assert _recent(parts) == []
    assert not parts.actions["clear_recent"].isEnabled()


# Moving about


def test_next_unlabelled_goes_round_the_list_and_tells_where_there_is_none(
    open_window, make_project, go_to, qtbot
):
    parts = open_window(make_project(images=5, masked=3))
    go_to(parts, "animal-1.png")
    for name in ("animal-3.png", "animal-4.png", "animal-3.png"):
        qtbot.keyClick(parts.canvas, Qt.Key.Key_U)
        qtbot.waitUntil(lambda name=name: parts.session.name == name)
    assert parts.browser.list.currentIndex().data() == "animal-3.png"
    parts.actions["next_to_review"].trigger()
    assert "waits for review" in parts.window.statusBar().currentMessage()
    assert parts.session.wanted == "animal-3.png"


def test_next_to_review_finds_edited_masks_within_the_search(
    open_window, make_project, paint, go_to, qtbot
):
    parts = open_window(make_project(images=12, masked=0))
    for name in ("animal-2.png", "animal-10.png"):
        go_to(parts, name)
        paint(parts)
        parts.session.save()
        qtbot.waitUntil(lambda name=name: parts.session.status(name) is Status.EDITED)
    go_to(parts, "animal-0.png")
    qtbot.keyClick(parts.canvas, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: parts.session.name == "animal-2.png")
    parts.browser.search_box.setText("animal-1")
    parts.actions["next_to_review"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-10.png")
    parts.actions["next_to_review"].trigger()
    assert parts.session.wanted == "animal-10.png"
    assert parts.window.statusBar().currentMessage()


# Dropping


def test_a_dropped_image_opens_its_folder_at_that_image(open_window, make_project, qtbot):
    other = make_project(images=3, folder="other")
    parts = open_window(make_project(images=1))
    _drop(parts, other / "images" / "animal-2.png", other / "images" / "animal-0.png")
    qtbot.waitUntil(lambda: parts.session.name == "animal-2.png")
    assert parts.session.project.folder == other.resolve()
    assert parts.session.status("animal-2.png") is Status.APPROVED


def test_a_dropped_image_of_the_open_folder_is_shown(open_window, make_project, qtbot):
    folder = make_project(images=3)
    parts = open_window(folder)
    project = parts.session.project
    _drop(parts, folder / "images" / "animal-1.png")
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    assert parts.session.project is project
    assert parts.browser.list.currentIndex().data() == "animal-1.png"


def test_a_dropped_image_deep_in_a_project_opens_the_project(open_window, make_project, qtbot):
    folder = make_project(images=2, folder="other")
    (folder / ".petseg").mkdir()
    (folder / "images" / "cats").mkdir()
    shutil.copy(folder / "images" / "animal-0.png", folder / "images" / "cats" / "tom.png")
    parts = open_window(make_project(images=1))
    _drop(parts, folder / "images" / "cats" / "tom.png")
    qtbot.waitUntil(lambda: parts.session.name == "cats/tom.png")
    assert parts.session.project.folder == folder.resolve()


def test_a_dropped_mask_opens_its_folder_and_is_said_to_be_no_image(
    open_window, make_project, qtbot
):
    folder = make_project(images=2, folder="other")
    (folder / ".petseg").mkdir()
    parts = open_window(make_project(images=1))
    _drop(parts, folder / "masks" / "animal-1.png")
    qtbot.waitUntil(lambda: parts.session.project.folder == folder.resolve())
    assert "animal-1.png" in parts.window.banners.text("open")


def test_something_else_that_is_dropped_is_named(open_window, make_project, tmp_path):
    parts = open_window(make_project(images=1))
    (tmp_path / "letter.txt").write_text("Dear dog")
    _drop(parts, tmp_path / "letter.txt")
    assert "letter.txt" in parts.window.statusBar().currentMessage()
    assert parts.session.name == "animal-0.png"


# Diagnostics and the log


@pytest.fixture
def no_doctor(monkeypatch):
    """A program that answers at once in place of the one that loads torch."""
    monkeypatch.setattr(diagnostics, "_DOCTOR", ["-c", "print('torch 9.9, devices: abacus')"])


@pytest.mark.usefixtures("no_doctor")
def test_diagnostics_copy_what_helps_and_no_names(
    open_window, make_project, tmp_path, own_log, monkeypatch, qtbot
):
    monkeypatch.setenv("HOME", str(tmp_path))
    parts = open_window(make_project(images=3, masked=2))
    LOG.warning("Mask not saved: %s/full", tmp_path)
    parts.settings.change(Settings(threads=3))
    parts.actions["diagnostics"].trigger()
    dialog = parts.window.findChild(QDialog, "diagnostics-window")
    qtbot.waitUntil(lambda: not dialog.busy)
    qtbot.waitUntil(lambda: "abacus" in dialog.text.toPlainText())
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert text == dialog.text.toPlainText()
    for word in ("threads: 3", "3 images (1 unlabelled, 2 approved)", "Mask not saved: ~/full"):
        assert word in text
    assert "animal-" not in text
    assert str(tmp_path) not in text


def test_diagnostics_closed_early_leave_no_process_behind(open_window, make_project, monkeypatch):
    monkeypatch.setattr(diagnostics, "_DOCTOR", ["-c", "import time; time.sleep(60)"])
    parts = open_window(make_project(images=1))
    parts.actions["diagnostics"].trigger()
    dialog = parts.window.findChild(QDialog, "diagnostics-window")
    assert dialog.busy
    dialog.close()
    assert not dialog.busy


def test_a_failing_examination_is_shown(open_window, make_project, monkeypatch, qtbot):
    monkeypatch.setattr(diagnostics, "_DOCTOR", ["-c", "raise SystemExit('no torch here')"])
    parts = open_window(make_project(images=1))
    parts.actions["diagnostics"].trigger()
    dialog = parts.window.findChild(QDialog, "diagnostics-window")
    qtbot.waitUntil(lambda: "no torch here" in dialog.text.toPlainText())
    assert "Ended with code 1" in dialog.text.toPlainText()


def test_what_is_asked_for_versions_and_devices_is_there():
    done = subprocess.run(
        [sys.executable, *diagnostics._DOCTOR, "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert "devices" in done.stdout


def test_the_log_tells_of_folders_and_failures(
    open_window, make_project, own_log, paint, qtbot, tmp_path
):
    parts = open_window(make_project(images=1, masked=0))
    parts.window.folder_dropped.emit(tmp_path / "gone")
    qtbot.waitUntil(lambda: bool(parts.window.banners.text("open")))
    said = "\n".join(own_log.tail(50))
    assert "Folder opened: 1 images, paired layout" in said
    assert "Folder not opened" in said
    assert "animal-0" not in said


def test_the_log_grows_no_larger_than_two_files(tmp_path, monkeypatch):
    monkeypatch.setattr("petseg_gui.log._LIMIT", 300)
    handler = LogFile(tmp_path / "logs" / "petseg.log")
    for number in range(40):
        handler.emit(logging.makeLogRecord({"msg": f"line {number}", "levelno": logging.INFO}))
    assert sorted(p.name for p in handler.path.parent.iterdir()) == [
        "petseg.log",
        "petseg.old.log",
    ]
    assert sum(p.stat().st_size for p in handler.path.parent.iterdir()) < 1000
    assert [line.split()[-1] for line in handler.tail(3)] == ["37", "38", "39"]


# Ctrl+C


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to another process there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_closes_the_window(make_project, tmp_path, number):
    folder = make_project(images=1, masked=0)
    code = (
        "import sys, numpy as np\n"
        "from core.editing.history import compare\n"
        "from petseg_gui import app\n"
        "from PySide6.QtCore import QTimer\n"
        "build = app.build\n"
        "def built(options):\n"
        "    parts = build(options)\n"
        "    parts.actions['segment_on_opening'].setChecked(False)\n"
        "    def shown():\n"
        "        if parts.session.document is not None:\n"
        "            mask = np.ones_like(parts.session.document.mask)\n"
        "            document = parts.session.document\n"
        "            document.apply(compare(document.mask, mask, 'All'))\n"
        "            QTimer.singleShot(0, lambda: print('edited', flush=True))\n"
        "    parts.session.document_changed.connect(shown)\n"
        "    return parts\n"
        "app.build = built\n"
        "sys.exit(app.main([sys.argv[1]]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "edited\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (0, False), errors
    assert read_mask(folder / "masks" / "animal-0.png", MaskEncoding.IDS, PET).all()
    log = next((tmp_path / "user-state").rglob("petseg.log")).read_text()
    assert "PetSeg starts" in log
    assert log.rstrip().endswith("PetSeg ends")
