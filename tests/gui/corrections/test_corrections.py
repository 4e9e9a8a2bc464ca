"""The corrective record: what is written at an approval, and the window that plots it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QPointingDevice, QTabletEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from core.evaluation.corrections import dice_between, read_corrections
from core.labels import PET, BorderRule
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Review, Status, append_review, read_reviews
from petseg_gui.corrections.presses import Presses
from petseg_gui.parts import Parts
from petseg_gui.wiring.corrections import open_corrections

NAME = "animal-0.png"


@pytest.fixture
def predicted(make_project: Callable[..., Path]) -> Path:
    """A folder whose first image a model has segmented: as a square."""
    folder = make_project(images=2, masked=0)
    project = open_project(folder)
    said = np.zeros((48, 48), np.uint8)
    said[10:30, 10:30] = 1
    project.save_prediction(NAME, said, PredictionRecord(NAME, "model-1"))
    return folder


def approve(parts: Parts, qtbot: QtBot) -> Review:
    parts.actions["approve"].trigger()
    qtbot.waitUntil(lambda: parts.session.status(NAME) is Status.APPROVED)
    assert parts.session.project is not None
    return read_reviews(parts.session.project.store / "reviews.jsonl")[NAME]


def test_an_approval_records_how_far_the_prediction_was_and_the_work(
    predicted: Path,
    open_window: Callable[..., Parts],
    paint: Callable[..., None],
    qtbot: QtBot,
) -> None:
    parts = open_window(predicted)
    paint(parts)
    parts.session._last_work -= 5  # they looked at it for so long
    paint(parts, dx=-30)
    review = approve(parts, qtbot)
    project = open_project(predicted)
    mask, said = project.read_mask(NAME), project.read_prediction(NAME, (48, 48))
    assert mask is not None
    assert said is not None
    assert not np.array_equal(mask, said)
    assert review.dice == dice_between(mask, said, PET, BorderRule.FOREGROUND)
    assert (review.model, review.strokes, review.clicks) == ("model-1", 2, 2)
    assert review.seconds >= 5


def test_presses_of_mouse_and_pen_count_and_to_look_about_is_no_work(qtbot: QtBot) -> None:
    canvas, worked = QWidget(), list[int]()
    qtbot.addWidget(canvas)
    Presses(canvas, worked.append)
    qtbot.mouseMove(canvas, QPoint(5, 5))
    assert worked == []
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(canvas, Qt.MouseButton.RightButton)
    assert worked == [1, 0, 0, 0]
    pen, left, place = QPointingDevice(), Qt.MouseButton.LeftButton, QPointF(5, 5)
    for kind in (QEvent.Type.TabletPress, QEvent.Type.TabletMove):
        event = QTabletEvent(
            kind, pen, place, place, 0.5, 0, 0, 0, 0, 0, Qt.KeyboardModifier.NoModifier, left, left
        )
        QCoreApplication.sendEvent(canvas, event)
    assert worked[4:] == [1, 0]


def test_a_prediction_that_is_approved_as_it_is_was_right(
    predicted: Path, open_window: Callable[..., Parts], qtbot: QtBot
) -> None:
    review = approve(open_window(predicted), qtbot)
    assert (review.dice, review.strokes, review.clicks) == (1.0, 0, 0)


def test_a_long_pause_is_no_work(predicted: Path, open_window: Callable[..., Parts]) -> None:
    session = open_window(predicted).session
    session.worked()
    session._last_work -= 19
    session.worked()
    assert 19 <= session._memory(NAME).seconds < 20
    session._last_work -= 21
    session.worked()
    assert session._memory(NAME).seconds < 20


def test_work_goes_on_counting_after_the_program_was_started_again(
    predicted: Path,
    open_window: Callable[..., Parts],
    paint: Callable[..., None],
    qtbot: QtBot,
) -> None:
    append_review(
        predicted / ".petseg" / "reviews.jsonl",
        Review(NAME, Status.EDITED, seconds=100, strokes=7, clicks=9),
    )
    project = open_project(predicted)
    project.save_mask(
        NAME, np.zeros((48, 48), np.uint8), project.review(NAME) or Review(NAME, Status.EDITED)
    )
    parts = open_window(predicted)
    paint(parts)
    review = approve(parts, qtbot)
    assert (review.strokes, review.clicks) == (8, 10)
    assert review.seconds >= 100


def test_the_window_plots_the_record_and_opens_images(
    predicted: Path,
    open_window: Callable[..., Parts],
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    reviews = predicted / ".petseg" / "reviews.jsonl"
    approved = Status.APPROVED
    append_review(reviews, Review("gone.png", approved, "", "model-1", 30, 5, 9, 0.75))
    append_review(reviews, Review("animal-1.png", approved, "", "model-2", 12, 2, 4, 0.9))
    append_review(reviews, Review("gone-2.png", approved, "", "model-1", 18, 1, 1, 0.8))
    parts = open_window(predicted)
    parts.actions["corrections"].trigger()
    window = open_corrections(parts)
    qtbot.waitUntil(lambda: window.plots is not None and len(window.corrections) == 3)
    plots = window.plots
    assert plots is not None
    assert "3 masks approved by you, 3 predicted before" in window.summary.text()
    assert "Too few yet" in window.advice.text()
    x, y = plots._dots[0].getData()
    assert (list(x), list(y)) == ([1, 2, 3], [0.75, 0.9, 0.8])
    assert list(plots._means[1].getData()[1]) == [30, 21, 20]
    # The second model began with the second image; the first one's are still being approved.
    assert [line.value() for _, line in plots._changes] == [1.5] * len(plots.charts)
    chart = plots.charts[0]
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert "gone.png: Dice 0.750, 30 s, 5 strokes, model model-1" in window.readout.text()
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    there = chart.getPlotItem().vb.mapViewToScene(chart.getPlotItem().vb.viewRect().center())
    opened: list[str] = []
    window.image_wanted.connect(opened.append)
    qtbot.mouseMove(chart.viewport(), QPoint(round(there.x()), round(there.y())))
    qtbot.mouseClick(
        chart.viewport(),
        Qt.MouseButton.LeftButton,
        pos=QPoint(round(there.x()), round(there.y())),
    )
    assert len(opened) == 1
    window.tabs.setCurrentIndex(1)
    for order, words in (
        (Qt.SortOrder.AscendingOrder, ["gone.png", "0.750", "5", "model-1"]),
        (Qt.SortOrder.DescendingOrder, ["animal-1.png", "0.900", "2", "model-2"]),
    ):
        window.table.sortByColumn(2, order)
        rows = window.table.model()
        assert [rows.index(0, column).data() for column in (0, 2, 4, 6)] == words
    window.table.activated.emit(window.table.model().index(0, 0))
    assert opened[1:] == ["animal-1.png"]


def test_the_window_follows_what_is_approved(
    predicted: Path, open_window: Callable[..., Parts], qtbot: QtBot
) -> None:
    parts = open_window(predicted)
    window = open_corrections(parts)
    qtbot.waitUntil(lambda: window.plots is not None and bool(window.advice.text()))
    assert (
        window.readout.text()
        == "You approved no mask yet. Those that came with the folder do not count."
    )
    assert not window.table_button.isEnabled()
    approve(parts, qtbot)
    qtbot.waitUntil(lambda: [c.image for c in window.corrections] == [NAME])
    assert window.table_button.isEnabled()
    assert len(read_corrections(predicted / ".petseg" / "reviews.jsonl")) == 1
