"""Find bad masks: the review queue in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from pytestqt.qtbot import QtBot

from core.label_check.findings import (
    LEARNT_TOO_LITTLE,
    Finding,
    add_finding,
    said_right,
    save_model_mask,
)
from core.label_check.plan import check_config, checks_folder, finish, make_check, plan_check
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.label_check.window import CheckWindow
from petseg_gui.parts import Parts
from petseg_gui.wiring.label_check import open_check
from tests.core.label_check.conftest import TINY

WHY = "The model is sure of object in 30 % of the image where the mask has background."


@pytest.fixture
def checked(make_project: Callable[..., Path]) -> Path:
    """Ten masks that were checked: animal-3 is the most suspicious, then animal-1."""
    folder = make_project(images=11, masked=10)
    project = open_project(folder)
    plan = plan_check(project, check_config(project, {"start": "scratch"}), 2)
    check = make_check(project, plan)
    for number in range(10):
        name = f"animal-{number}.png"
        score = {3: 0.9, 1: 0.8}.get(number, 0.1)
        add_finding(check, Finding(name, project.mask_digest(name), score, WHY))
        mask = project.read_mask(name)
        assert mask is not None
        save_model_mask(check, project, name, 1 - mask)
    finish(check)
    return folder


@pytest.fixture
def opened(
    checked: Path, open_window: Callable[..., Parts], qtbot: QtBot
) -> tuple[Parts, CheckWindow]:
    parts = open_window(checked)
    parts.actions["check_labels"].trigger()
    window = open_check(parts)
    qtbot.waitUntil(lambda: window.model.rowCount() == 10)
    return parts, window


def images(window: CheckWindow) -> list[str]:
    entries = [window.model.entry(row) for row in range(window.model.rowCount())]
    return [entry.image for entry in entries if entry is not None]


def _colours(window: CheckWindow) -> int:
    """Of the first row's picture; one that is not made yet is of a single colour."""
    picture = window.model.index(0).data(Qt.ItemDataRole.DecorationRole)
    assert isinstance(picture, QPixmap)
    image = picture.toImage()
    return len({image.pixel(x, y) for x in range(image.width()) for y in range(image.height())})


def test_the_most_suspicious_mask_is_shown_with_the_reason(
    opened: tuple[Parts, CheckWindow], qtbot: QtBot
) -> None:
    _, window = opened
    assert images(window)[:2] == ["animal-3.png", "animal-1.png"]
    assert WHY in window.why.text()
    assert window.state.text() == "10 masks in the queue."
    shown = window.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert shown == f"animal-3.png\n{WHY}"
    qtbot.waitUntil(lambda: not window.picture.pixmap().isNull())
    qtbot.waitUntil(lambda: _colours(window) > 100)


def test_k_says_that_a_mask_is_right_and_goes_to_the_next(
    opened: tuple[Parts, CheckWindow], qtbot: QtBot
) -> None:
    parts, window = opened
    project = parts.session.project
    assert project is not None
    digest = project.mask_digest("animal-3.png")
    qtbot.keyClick(window.queue, Qt.Key.Key_K)
    assert images(window)[0] == "animal-1.png"
    assert window.current is not None
    assert window.current.image == "animal-1.png"
    assert "1 said to be right" in window.state.text()
    qtbot.waitUntil(lambda: said_right(project) == {("animal-3.png", digest)})
    window._desk.look()
    qtbot.waitUntil(lambda: window._desk.looked is not None and window._desk.looked.right == 1)
    assert "animal-3.png" not in images(window)


def test_what_cannot_be_written_down_stays_in_the_queue(
    opened: tuple[Parts, CheckWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    parts, window = opened
    project = parts.session.project
    assert project is not None
    (checks_folder(project) / "right.jsonl").symlink_to(tmp_path / "gone" / "right.jsonl")
    qtbot.keyClick(window.queue, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: "Cannot write" in window.state.text())
    qtbot.waitUntil(lambda: images(window)[0] == "animal-3.png")


def test_t_proposes_the_model_s_mask_as_an_edit_and_approves_nothing(
    opened: tuple[Parts, CheckWindow], qtbot: QtBot
) -> None:
    parts, window = opened
    session = parts.session
    window.queue.setCurrentIndex(window.model.index(1))
    before = open_project(session.project.folder).read_mask("animal-1.png")  # type: ignore[union-attr]
    qtbot.keyClick(window.queue, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: session.name == "animal-1.png" and session.dirty)
    assert session.document is not None
    assert before is not None
    assert np.array_equal(session.document.mask, 1 - before)
    session.save()
    qtbot.waitUntil(lambda: session.status("animal-1.png") is Status.EDITED)
    qtbot.waitUntil(lambda: "Changed since the check." in window.model.index(1).data())
    assert not window.right_button.isEnabled()
    parts.actions["undo"].trigger()
    assert np.array_equal(session.document.mask, before)
    session.save()
    qtbot.waitUntil(lambda: "Changed" not in window.model.index(1).data())


def test_enter_opens_the_image_and_changes_nothing(
    opened: tuple[Parts, CheckWindow], qtbot: QtBot, snapshot: Callable[[Path], object]
) -> None:
    parts, window = opened
    project = parts.session.project
    assert project is not None
    before = snapshot(project.mask_folder)
    qtbot.keyClick(window.queue, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.name == "animal-3.png")
    assert not parts.session.dirty
    assert snapshot(project.mask_folder) == before


def test_a_check_is_begun_paused_and_taken_up(
    make_project: Callable[..., Path], open_window: Callable[..., Parts], qtbot: QtBot
) -> None:
    parts = open_window(make_project(images=10))
    window = open_check(parts)
    qtbot.waitUntil(window.begin_button.isEnabled)
    assert window.state.text() == "No check yet."
    window.start_box.setCurrentIndex(window.start_box.findData("scratch"))
    window.folds_box.setValue(2)
    window.begin_button.click()
    assert window.pause_button.isVisible()
    checks = parts.session.project.store / "checks"  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: any(checks.glob("*/check.json")), timeout=60_000)
    window.pause_button.click()
    qtbot.waitUntil(lambda: "The check is not done" in window.state.text())
    assert window.go_on_button.isVisible()
    assert not window.pause_button.isVisible()
    window.go_on_button.click()
    assert window._desk.running
    parts.window.close()  # leaves no process behind: every test here looks for those


def test_a_check_runs_to_its_end_and_says_so_where_its_window_is_closed(
    make_project: Callable[..., Path],
    open_window: Callable[..., Parts],
    qtbot: QtBot,
    snapshot: Callable[[Path], object],
) -> None:
    folder = make_project(images=10)
    project = open_project(folder)
    make_check(project, plan_check(project, check_config(project, TINY), 2))
    before = snapshot(folder / "masks")
    parts = open_window(folder)
    window = open_check(parts)
    qtbot.waitUntil(window.go_on_button.isVisible)
    window.go_on_button.click()
    qtbot.waitUntil(lambda: "Network 2 of 2" in window.progress_label.text(), timeout=60_000)
    window.close()
    told = parts.window.statusBar().currentMessage
    qtbot.waitUntil(lambda: "The check of the masks has ended." in told(), timeout=60_000)
    open_check(parts)
    qtbot.waitUntil(lambda: window.state.text() == LEARNT_TOO_LITTLE)  # in one step
    assert window.model.rowCount() == 0
    assert window.begin_button.text() == "Find bad masks"
    assert not window.go_on_button.isVisible()
    assert snapshot(folder / "masks") == before


def test_too_few_masks_are_told_in_the_window(
    make_project: Callable[..., Path], open_window: Callable[..., Parts], qtbot: QtBot
) -> None:
    parts = open_window(make_project(images=3))
    window = open_check(parts)
    qtbot.waitUntil(window.begin_button.isEnabled)
    window.start_box.setCurrentIndex(window.start_box.findData("scratch"))
    window.begin_button.click()
    qtbot.waitUntil(lambda: "3 approved masks are too few" in window.state.text(), timeout=60_000)
    assert window.begin_button.isVisible()
