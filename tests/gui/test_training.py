"""The training dialog, the panel fed with a run's events, and real runs at their ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton

from core.evaluation.metrics import Scores
from core.inference.catalogue import RUN_MODEL
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.training import control, events
from core.training.presets import PRESETS
from core.training.progress import RunState
from petseg_gui.training.dialog import TrainingDialog
from petseg_gui.wiring.training import open_dialog


def _scores(value: float) -> Scores:
    return Scores(value, value, value, value, value, value)


def _started(epochs: int = 2) -> events.Started:
    return events.Started(
        epochs=epochs,
        steps=epochs * 4,
        train_images=3,
        val_images=1,
        parameters=1000,
        device="cpu",
        threads=1,
        score_border="foreground",
    )


def _epoch(number: int, iou: float, epochs: int = 2) -> events.Epoch:
    subset = events.SubsetScores(loss=1 - iou, scores=_scores(iou))
    return events.Epoch(
        epoch=number,
        epochs=epochs,
        step=4 * number,
        train=subset,
        val=subset,
        images_per_second=12.0,
        seconds_left=65.0,
        best=True,
    )


def _step(step: int) -> events.Step:
    return events.Step(
        epoch=1 + step // 5,
        step=step,
        steps=8,
        loss=1 / step,
        images_per_second=12.0,
        seconds_left=600.0,
    )


@pytest.fixture
def dialog_of(open_window, qtbot):
    def make(folder: Path, **changes: object) -> tuple[object, TrainingDialog]:
        parts = open_window(folder)
        dialog = open_dialog(parts)
        qtbot.waitUntil(lambda: "Counting" not in dialog.sentence.text())
        return parts, dialog

    return make


def test_the_dialog_says_how_many_masks_and_how_they_are_split(dialog_of, make_project):
    folder = make_project(images=12)
    _, dialog = dialog_of(folder)
    project = open_project(folder)
    split = list(project.split(project.names).values())
    train, val = split.count("train"), split.count("val")
    assert dialog.sentence.text() == f"12 masks: {train} train, {val} val."
    assert dialog.start_button.isEnabled()


def test_no_mask_is_said_in_the_dialog_and_start_is_disabled(dialog_of, make_project):
    _, dialog = dialog_of(make_project(images=2, masked=0))
    assert "No approved mask" in dialog.problem.text()
    assert not dialog.problem.isHidden()
    assert not dialog.start_button.isEnabled()


def test_edited_masks_train_only_when_ticked_and_never_the_open_image(
    dialog_of, make_project, qtbot
):
    folder = make_project(images=8)
    project = open_project(folder)
    for name in ("animal-0.png", "animal-1.png", "animal-2.png"):
        project.add_review(Review(name, Status.EDITED))
    _, dialog = dialog_of(folder)
    assert dialog.sentence.text().startswith("5 masks")
    assert dialog.edited_box.text() == "Also use 2 edited masks"
    assert not dialog.edited_box.isChecked()
    dialog.edited_box.setChecked(True)
    qtbot.waitUntil(lambda: dialog.sentence.text().startswith("7 masks"))


def test_approving_changes_the_open_dialog(dialog_of, make_project, qtbot):
    parts, dialog = dialog_of(make_project(images=4, masked=3))
    assert dialog.sentence.text().startswith("3 masks")
    parts.browser.select("animal-3.png")
    qtbot.waitUntil(lambda: parts.session.name == "animal-3.png")
    parts.actions["approve"].trigger()
    qtbot.waitUntil(lambda: dialog.sentence.text().startswith("4 masks"))


def test_a_preset_sets_its_epochs_size_and_start(dialog_of, make_project):
    _, dialog = dialog_of(make_project(images=4))
    dialog.preset_box.setCurrentIndex(dialog.preset_box.findData("baseline"))
    assert dialog.preset_text.text() == PRESETS["baseline"].text
    assert dialog.size_box.value() == 128
    assert dialog.start_box.currentData() == "scratch"
    starts = [dialog.start_box.itemData(i) for i in range(dialog.start_box.count())]
    assert starts == ["bundled", "scratch"]
    dialog.preset_box.setCurrentIndex(dialog.preset_box.findData("transfer"))
    assert dialog.start_box.currentData() == "imagenet"


def test_start_hands_over_what_was_set(dialog_of, make_project, qtbot):
    _, dialog = dialog_of(make_project(images=4))
    dialog.start_wanted.disconnect()
    dialog.epochs_box.setValue(3)
    dialog.size_box.setValue(64)
    with qtbot.waitSignal(dialog.start_wanted) as caught:
        dialog.start_button.click()
    config, plan = caught.args
    assert (config.epochs, config.size, config.preset) == (3, 64, "quick")
    assert len(plan.train) + len(plan.val) == 4


def test_a_read_only_folder_is_told_what_to_do(dialog_of, make_project):
    folder = make_project(images=4)
    os.chmod(folder, 0o555)
    try:
        _, dialog = dialog_of(folder)
        assert "Keep masks elsewhere" in dialog.problem.text()
        assert not dialog.start_button.isEnabled()
    finally:
        os.chmod(folder, 0o755)


@pytest.fixture
def run(make_project) -> Path:
    """A run folder in a project that is not trained by anyone."""
    folder = make_project(images=4)
    path = folder / ".petseg" / "runs" / "run-1"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def alive(monkeypatch):
    """Have every run trained by someone, until told otherwise."""
    state = {"alive": True}
    monkeypatch.setattr(control, "worker_alive", lambda run: state["alive"])
    return state


def test_a_run_under_way_is_joined_and_its_curves_move(open_window, run, alive, qtbot):
    events.write_event(run, _started())
    events.write_event(run, _step(1))
    parts = open_window(run.parents[2])
    qtbot.waitUntil(lambda: parts.training_panel.curves is not None)
    assert parts.window.training_dock.isVisible()
    panel = parts.training_panel
    assert panel.headline.text() == "Epoch 1 of 2"
    assert "10 min left" in panel.details.text()
    for event in (_step(4), _epoch(1, 0.5), _step(5), _epoch(2, 0.75)):
        events.write_event(run, event)
    qtbot.waitUntil(lambda: len(parts.watcher.state.epochs) == 2)
    x, y = panel.curves.lines["IoU", "val"].getData()
    assert list(x) == [1, 2]
    assert list(y) == [0.5, 0.75]
    x, y = panel.curves.lines["Loss", "train"].getData()
    assert list(x) == [0.25, 1.0, 1.25]
    alive["alive"] = False
    qtbot.waitUntil(lambda: parts.watcher.state.over)


def test_the_new_model_is_chosen_when_its_run_ends(open_window, run, alive, make_model, qtbot):
    events.write_event(run, _started())
    parts = open_window(run.parents[2])
    qtbot.waitUntil(lambda: parts.watcher.training)
    model = make_model(seed=3, name="New")
    for suffix in (".safetensors", ".onnx"):
        shutil.copy(model.with_suffix(suffix), (run / RUN_MODEL).with_suffix(suffix))
    finished = events.Finished(reason="done", model=RUN_MODEL, best_epoch=2, val=_scores(0.8123))
    events.write_event(run, finished)
    qtbot.waitUntil(lambda: parts.models.path == run / RUN_MODEL)
    assert "val IoU 0.812" in parts.window.banners.text("training")
    assert parts.training_panel.headline.text() == "Training finished: val IoU 0.812"
    qtbot.waitUntil(lambda: any(e.title == "New" for e in parts.models.entries))
    assert not parts.actions["stop_training"].isEnabled()
    alive["alive"] = False
    stored = "runs/run-1/best.safetensors"
    qtbot.waitUntil(lambda: open_project(run.parents[2]).settings.model == stored)


def test_a_worker_that_dies_without_a_word_is_shown_with_its_last_lines(
    open_window, run, alive, qtbot
):
    events.write_event(run, _started())
    (run / "worker.log").write_text("loading\nKilled by the kernel\n")
    parts = open_window(run.parents[2])
    qtbot.waitUntil(lambda: parts.watcher.training)
    alive["alive"] = False
    qtbot.waitUntil(lambda: parts.watcher.state.over)
    assert "Killed by the kernel" in parts.training_panel.problem.text()
    assert "failed" in parts.window.banners.text("training")


def test_a_failure_is_told_with_its_reason(open_window, run, alive, qtbot):
    events.write_event(run, events.Failed(reason="Out of memory: choose a smaller size."))
    parts = open_window(run.parents[2])
    qtbot.waitUntil(lambda: "Out of memory" in parts.window.banners.text("training"))
    alive["alive"] = False
    qtbot.waitUntil(lambda: parts.training_panel.headline.text() == "Training failed")


@pytest.mark.parametrize(("button", "wanted"), [("stop", "stop"), ("discard", "discard")])
def test_stop_and_discard_are_told_to_the_worker(open_window, run, alive, qtbot, button, wanted):
    events.write_event(run, _started())
    parts = open_window(run.parents[2])
    qtbot.waitUntil(lambda: parts.watcher.training)
    getattr(parts.training_panel, f"{button}_button").click()
    qtbot.waitUntil(lambda: control.read_request(run)[0] == wanted)
    alive["alive"] = False
    qtbot.waitUntil(lambda: parts.watcher.state.over)


def _answer(parts, qtbot, text):
    qtbot.waitUntil(lambda: parts.window.findChild(QMessageBox) is not None)
    box = parts.window.findChild(QMessageBox)
    next(b for b in box.findChildren(QPushButton) if b.text() == text).click()


@pytest.mark.parametrize(
    ("answer", "wanted"), [("Let it go on", control.Wanted.RUN), ("Stop it", control.Wanted.STOP)]
)
def test_closing_while_training_asks_whether_it_goes_on(
    open_window, run, alive, qtbot, answer, wanted
):
    events.write_event(run, _started())
    parts = open_window(run.parents[2])
    qtbot.waitUntil(lambda: parts.watcher.training)
    parts.window.close()
    assert parts.window.isVisible()
    _answer(parts, qtbot, answer)
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert control.read_request(run)[0] is wanted


def test_a_training_in_its_own_process_ends_with_a_model_to_choose(
    open_window, make_project, qtbot
):
    folder = make_project(images=4)
    parts = open_window(folder)
    dialog = open_dialog(parts)
    qtbot.waitUntil(lambda: "Counting" not in dialog.sentence.text())
    dialog.preset_box.setCurrentIndex(dialog.preset_box.findData("baseline"))
    dialog.size_box.setValue(32)
    dialog.epochs_box.setValue(2)
    qtbot.waitUntil(dialog.start_button.isEnabled)
    dialog.start_button.click()
    qtbot.waitUntil(lambda: parts.watcher.state is not None)
    qtbot.waitUntil(lambda: parts.watcher.state.over, timeout=120_000)
    assert parts.watcher.state.problem == ""
    assert len(parts.watcher.state.epochs) == 2
    assert parts.models.path == parts.watcher.state.model
    qtbot.waitUntil(lambda: not parts.watcher.following, timeout=30_000)


def test_resuming_takes_back_what_was_said_of_later_steps():
    state = RunState(Path("run"))
    for event in (_started(), _step(4), _epoch(1, 0.4), _step(8), _epoch(2, 0.5)):
        state.take(event)
    state.take(events.Failed(reason="the machine went down"))
    state.take(events.Resumed(step=4))
    assert [e.epoch for e in state.epochs] == [1]
    assert [s.step for s in state.steps] == [4]
    assert not state.over


def test_the_window_never_loads_torch():
    code = (
        "import importlib, pkgutil, sys, petseg_gui\n"
        "for m in pkgutil.walk_packages(petseg_gui.__path__, 'petseg_gui.'):\n"
        "    importlib.import_module(m.name)\n"
        "import core.inference.predictor, core.demo\n"
        "bad = sorted(m for m in sys.modules if m.split('.')[0] in ('torch', 'torchvision'))\n"
        "print(len([m for m in sys.modules if m.startswith('petseg_gui.')]), bad)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    number, bad = done.stdout.split(maxsplit=1)
    assert int(number) > 30
    assert bad.strip() == "[]"
