"""The trainings window: what it shows of runs, and what it does with them."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
from pyqtgraph import PlotCurveItem
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit

from core.evaluation.metrics import Scores
from core.inference.catalogue import RUN_MODEL
from core.modelfile import read_description
from core.project.project import open_project
from core.project.settings import read_settings
from core.training import control, events, queue
from core.training.config import read_run_config
from core.training.housekeeping import rename_run
from core.training.runs import list_runs
from petseg_gui.tasks import Lane
from petseg_gui.training.runs_commands import RUN_COMMANDS
from petseg_gui.training.runs_model import Column
from petseg_gui.wiring.runs import open_runs


def _finished(iou: float) -> events.Finished:
    return events.Finished(reason="done", model=RUN_MODEL, best_epoch=2, val=Scores(*[iou] * 6))


@pytest.fixture
def make_done(make_run, give_model, say):
    """make_done("name", iou, ...) -> a run that has ended with a model."""

    def make(name: str, iou: float = 0.7, **options: object) -> Path:
        run = make_run(say.started(), say.epoch(1, iou / 2), say.epoch(2, iou), **options)
        give_model(run)
        events.write_event(run, _finished(iou))
        rename_run(run, name)
        return run

    return make


@pytest.fixture
def opened(open_at, qtbot):
    """opened(run) -> the program's parts and its trainings window, filled and with its curves."""

    shown = []

    def open_(run: Path):
        parts = open_at(run)
        shown.append(parts)
        window = open_runs(parts)
        number = len(list_runs(run.parent))
        qtbot.waitUntil(lambda: window.model.rowCount() == number and window.curves is not None)
        return parts, window

    yield open_
    for parts in shown:
        parts.guard.leave_training()  # else it asks whether the training goes on


def _texts(window, column: Column) -> list[str]:
    rows = range(window.sorted.rowCount())
    return [str(window.sorted.index(row, column).data()) for row in rows]


def _select(window, *names: str) -> None:
    shown = _texts(window, Column.NAME)
    flags = QItemSelectionModel.SelectionFlag
    selection = window.table.selectionModel()
    selection.clear()
    for name in names:
        index = window.sorted.index(shown.index(name), 0)
        selection.setCurrentIndex(index, flags.Select | flags.Rows)


def _do(window, command: str) -> None:
    action = window.actions_by_id[command]
    assert action.isEnabled()
    action.trigger()


def test_every_run_is_a_line_with_its_figures(opened, make_done, make_run, say):
    make_done("Good", 0.75)
    damaged = make_run()
    (damaged / "config.json").write_text("{ nothing")
    run = make_run(say.started(), events.Failed(reason="No memory."))
    rename_run(run, "Bad")
    _, window = opened(run)
    row = _texts(window, Column.NAME).index("Good")
    cells = [str(window.sorted.index(row, column).data()) for column in Column]
    project = open_project(run.parents[2])
    split = list(project.split(project.names).values())
    masks = f"{split.count('train')} + {split.count('val')}"
    assert cells[1:6] == ["Done", "baseline", masks, "2 of 2", "0.750"]
    assert cells[Column.SIZE].endswith(" kB")
    assert sorted(_texts(window, Column.STATE)) == ["Damaged", "Done", "Failed"]
    _select(window, damaged.name)
    assert "is damaged" in window.summary.text()
    _select(window, "Bad")
    assert window.summary.text() == "No memory."


def test_columns_sort_by_their_figures(opened, make_done):
    for name, iou, epochs in (("a", 0.5, 9), ("b", 0.9, 10), ("c", 0.7, 2)):
        run = make_done(name, iou, epochs=epochs)
    _, window = opened(run)
    window.table.sortByColumn(Column.IOU, Qt.SortOrder.AscendingOrder)
    assert _texts(window, Column.NAME) == ["a", "c", "b"]
    window.table.sortByColumn(Column.IOU, Qt.SortOrder.DescendingOrder)
    assert _texts(window, Column.NAME) == ["b", "c", "a"]
    window.table.sortByColumn(Column.NAME, Qt.SortOrder.AscendingOrder)
    assert _texts(window, Column.NAME) == ["a", "b", "c"]


def test_two_runs_are_compared_in_curves_settings_and_masks(opened, make_done, qtbot):
    make_done("Few", 0.5, epochs=5)
    run = make_done("Many", 0.8, learning_rate=0.01)
    config = read_run_config(run)
    dropped = config.train_samples[0]
    raw = config.model_dump(mode="json")
    raw["train_samples"] = raw["train_samples"][1:]
    (run / "config.json").write_text(json.dumps(raw))
    parts, window = opened(run)
    _select(window, "Few", "Many")
    items = window.curves.iou.listDataItems()
    drawn = [list(line.getData()[1]) for line in items if isinstance(line, PlotCurveItem)]
    assert sorted(drawn) == [[0.25, 0.5], [0.4, 0.8]]
    assert "Few: val IoU 0.500 after epoch 2" in window.curves.accessibleDescription()
    window.tabs.setCurrentWidget(window.settings)
    items = [window.settings.topLevelItem(i) for i in range(window.settings.topLevelItemCount())]
    texts = {i.text(0): {i.text(1), i.text(2)} for i in items}
    assert texts == {"Learning rate": {"0.001", "0.01"}, "Epochs": {"5", "2"}}
    window.tabs.setCurrentWidget(window.masks)
    masks = window.masks
    qtbot.waitUntil(lambda: masks.groups.count() == 4)
    groups = [masks.groups.item(i).text() for i in range(4)]
    assert "Trained on only in Few: 1" in groups
    assert "Trained on only in Many: 0" in groups
    assert masks.groups.currentItem().text() == "Trained on only in Few: 1"
    shown = masks.list.model().index(0, 0)
    assert shown.data() == dropped.image
    masks.list.activated.emit(shown)
    qtbot.waitUntil(lambda: parts.session.name == dropped.image)


def test_f2_renames_the_run_and_its_model(opened, make_done, qtbot):
    run = make_done("Before")
    parts, window = opened(run)
    _select(window, "Before")
    _do(window, "rename")
    editor = window.table.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "After")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: _texts(window, Column.NAME) == ["After"])
    assert read_run_config(run).name == "After"
    assert read_description(run / RUN_MODEL).name == "After"
    qtbot.waitUntil(lambda: any(e.title == "After" for e in parts.models.entries))
    assert window.actions_by_id["rename"].shortcut().toString() == "F2"


def test_deleting_asks_in_the_window_first(opened, make_done, qtbot):
    run, other = make_done("Old"), make_done("New")
    _, window = opened(run)
    _select(window, "Old")
    _do(window, "delete")
    assert "Old" in window.question.label.text()
    qtbot.keyClick(window.question, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert window.question.isHidden()
    _do(window, "delete")
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: _texts(window, Column.NAME) == ["New"])
    assert not run.exists()
    assert other.exists()


def test_deleting_the_model_in_use_says_so_and_the_default_takes_over(
    opened, make_done, default_model, qtbot
):
    run = make_done("Mine")
    parts, window = opened(run)
    _select(window, "Mine")
    _do(window, "use")
    qtbot.waitUntil(lambda: _texts(window, Column.STATE) == ["Done, in use"])
    assert parts.models.path == run / RUN_MODEL
    _do(window, "delete")
    assert "segments now" in window.question.label.text()
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: not run.exists() and window.model.rowCount() == 0)
    assert parts.models.path == default_model
    settings = run.parents[1] / "project.json"
    qtbot.waitUntil(lambda: read_settings(settings).model == "")


def test_a_chosen_model_found_missing_before_it_was_let_go_is_no_longer_chosen(
    opened, make_done, default_model, qtbot
):
    run = make_done("Mine")
    parts, _ = opened(run)
    settings = run.parents[1] / "project.json"
    parts.models.choose(run / RUN_MODEL)
    qtbot.waitUntil(lambda: read_settings(settings).model != "")
    shutil.rmtree(run)
    with qtbot.waitSignal(parts.models.told):
        parts.models.refresh()
    assert parts.models.path == default_model
    parts.models.let_go([run / RUN_MODEL])
    qtbot.waitUntil(lambda: read_settings(settings).model == "")


def test_a_chosen_model_that_comes_back_segments_again(opened, make_done, default_model, qtbot):
    run = make_done("Mine")
    parts, _ = opened(run)
    parts.models.choose(run / RUN_MODEL)
    away = run.rename(run.parents[2] / "away")
    with qtbot.waitSignal(parts.models.told):
        parts.models.refresh()
    assert parts.models.path == default_model
    away.rename(run)
    parts.models.refresh()
    qtbot.waitUntil(lambda: parts.models.path == run / RUN_MODEL)


def test_a_run_that_cannot_be_deleted_keeps_its_model_in_use(opened, make_done, work_on, qtbot):
    run = make_done("Mine")
    parts, window = opened(run)
    _select(window, "Mine")
    _do(window, "use")
    _do(window, "delete")
    work_on(run)  # a command line was faster
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: "is being trained" in parts.window.banners.text("runs"))
    assert parts.models.path == run / RUN_MODEL
    assert run.exists()


def test_a_model_chosen_while_older_news_of_the_models_is_on_its_way_stays(
    opened, make_done, qtbot
):
    parts, _ = opened(make_done("Old"))
    parts.models.refresh()
    # Both threads of the lane are here only once it has looked.
    met = threading.Barrier(3)
    for _ in range(2):
        parts.tasks.run(Lane.LOAD, lambda job: met.wait(10))
    met.wait(10)
    new = make_done("New") / RUN_MODEL
    parts.models.choose_new(new)
    qtbot.waitUntil(lambda: any(e.path == new for e in parts.models.entries))
    assert parts.models.path == new
    assert "is missing" not in parts.window.statusBar().currentMessage()


def test_a_damaged_run_can_be_deleted_and_nothing_else_done_with_it(opened, make_run, qtbot):
    run = make_run()
    (run / "config.json").write_text("{ nothing")
    _, window = opened(run)
    _select(window, run.name)
    able = {c.id for c in RUN_COMMANDS if window.actions_by_id[c.id].isEnabled()}
    assert able == {"delete", "log", "folder"}
    _do(window, "delete")
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: not run.exists())


def test_a_run_that_trains_can_be_steered_but_neither_renamed_nor_deleted(
    opened, make_run, work_on, say, qtbot
):
    run = make_run(say.started(), say.step(1))
    worker = work_on(run)
    _, window = opened(run)
    _select(window, read_run_config(run).name)
    able = {c.id for c in RUN_COMMANDS if window.actions_by_id[c.id].isEnabled()}
    assert {"pause", "stop"} <= able
    assert not able & {"rename", "delete", "use", "continue", "resume"}
    _do(window, "pause")
    qtbot.waitUntil(lambda: control.read_request(run)[0] is control.Wanted.PAUSE)
    events.write_event(run, events.Control(counter=2, state="pause"))
    worker.end()
    qtbot.waitUntil(lambda: _texts(window, Column.STATE) == ["Paused"], timeout=10_000)
    qtbot.waitUntil(window.actions_by_id["resume"].isEnabled)


def test_waiting_runs_show_their_place_and_leave_the_queue(opened, make_run, work_on, say, qtbot):
    live, first, second = make_run(say.started()), make_run(), make_run()
    for run, name in ((live, "live"), (first, "first"), (second, "second")):
        rename_run(run, name)
    for run in (first, second):
        queue.enqueue(run)
    work_on(live)
    parts, window = opened(live)
    states = dict(zip(_texts(window, Column.NAME), _texts(window, Column.STATE), strict=True))
    assert states == {"live": "Training", "first": "Waits, number 1", "second": "Waits, number 2"}
    _select(window, "first")
    _do(window, "unqueue")
    qtbot.waitUntil(lambda: queue.waiting(live.parent) == [second])
    qtbot.waitUntil(lambda: "Waits, number 1" in _texts(window, Column.STATE))
    assert not parts.window.banners.text("runs")


@pytest.mark.parametrize("command", ["continue", "again"])
def test_a_new_run_from_an_old_one_waits_behind_the_one_that_trains(
    opened, make_done, make_run, work_on, say, qtbot, command
):
    done = make_done("Done", learning_rate=0.02)
    work_on(make_run(say.started()))
    _, window = opened(done)
    _select(window, "Done")
    _do(window, command)
    if command == "continue":
        assert window.question.number.value() == 2
        window.question.number.setValue(7)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        qtbot.keyClick(window.question.number, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(queue.waiting(done.parent)) == 1)
    new = read_run_config(queue.waiting(done.parent)[0]).train
    if command == "continue":
        assert (new.epochs, new.start) == (7, str(done / RUN_MODEL))
    else:
        assert new == read_run_config(done).train
    qtbot.waitUntil(lambda: window.model.rowCount() == 3)


def test_what_happens_to_runs_meanwhile_is_seen_in_the_open_window(
    opened, make_run, make_done, qtbot
):
    run = make_done("First")
    _, window = opened(run)
    _select(window, "First")
    make_done("Second")
    qtbot.waitUntil(lambda: "Second" in _texts(window, Column.NAME), timeout=10_000)
    assert [info.name for info in window.selected] == ["First"]


def test_the_log_is_shown(opened, make_done, qtbot):
    run = make_done("Talks")
    (run / "worker.log").write_text("what the worker said\n")
    parts, window = opened(run)
    _select(window, "Talks")
    _do(window, "log")
    qtbot.waitUntil(
        lambda: any(
            "what the worker said" in text.toPlainText()
            for text in parts.window.findChildren(QPlainTextEdit)
        )
    )


def test_no_two_commands_of_the_window_share_a_key():
    keys = [command.key for command in RUN_COMMANDS]
    assert all(keys)
    assert len(set(keys)) == len(keys)


def test_a_folder_without_trainings_says_how_to_begin(open_window, make_project):
    window = open_runs(open_window(make_project(images=2)))
    hint = next(w for w in window.findChildren(QLabel) if "No training yet" in w.text())
    assert hint.isVisible()
    assert not any(action.isEnabled() for action in window.actions_by_id.values())


def test_in_a_read_only_folder_trainings_are_only_looked_at_and_used(opened, make_done):
    run = make_done("Good")
    masks = run.parents[2] / "masks"
    masks.chmod(0o555)
    try:
        _, window = opened(run)
        _select(window, "Good")
        able = {name for name, action in window.actions_by_id.items() if action.isEnabled()}
        assert able == {"use", "log", "folder"}
    finally:
        masks.chmod(0o755)
