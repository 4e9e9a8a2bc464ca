"""Learn as you go: when a short training queues itself, and when its model takes over."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from core.inference.catalogue import RUN_MODEL
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.project.settings import read_settings
from core.training import control, events, queue
from core.training.config import read_run_config
from core.training.launch import create_run
from core.training.learning import create_learning_run
from core.training.plan import plan_training
from core.training.presets import make_config
from core.training.runs import State, list_runs
from petseg_gui.tasks import Lane
from petseg_gui.training.watcher import Phase

_EVERY = 3


@pytest.fixture
def folder(make_project) -> Path:
    """Eight photos, four of them with a mask; the switch is on."""
    root = make_project(images=8, masked=4)
    project = open_project(root)
    project.change_settings(learn=True)
    return root


@pytest.fixture
def open_learning(open_window, qtbot):
    """open_learning(folder) -> the program's parts, learning after every three approvals."""
    shown = []

    def open_(root: Path):
        parts = open_window(root, wait=False)
        shown.append(parts)
        settings = replace(parts.settings.settings, learn_after=_EVERY)
        parts.settings.change(settings)
        with qtbot.waitSignal(parts.training.arrived):
            pass
        return parts

    yield open_
    for parts in shown:
        parts.guard.leave_training()  # else it asks whether the training goes on


@pytest.fixture
def busy(folder, work_on) -> Path:
    """A run of the folder that trains already: what comes waits behind it, and none really runs."""
    project = open_project(folder)
    run = create_run(project, make_config("baseline", size=32), plan_training(project))
    work_on(run)
    return run


def _approve(parts, qtbot, *numbers: int) -> None:
    for number in numbers:
        name = f"animal-{number}.png"
        parts.browser.select(name)
        qtbot.waitUntil(lambda name=name: parts.session.name == name)
        parts.actions["approve"].trigger()
        qtbot.waitUntil(
            lambda name=name: (
                parts.session.project.review(name) is not None
                and parts.session.project.review(name).status is Status.APPROVED
            )
        )


def _settled(parts) -> bool:
    """Whether nothing is being looked at any more."""
    QApplication.processEvents()
    return not parts.tasks.busy


def _note(parts) -> str:
    return parts.training_panel.learning_note.text()


def test_after_so_many_approvals_a_short_training_queues_itself(open_learning, folder, busy, qtbot):
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: "3 more approvals" in _note(parts))
    _approve(parts, qtbot, 4, 5)
    qtbot.waitUntil(lambda: "1 more approval." in _note(parts))
    assert queue.waiting(busy.parent) == []
    parts.canvas.setFocus()
    _approve(parts, qtbot, 6)
    qtbot.waitUntil(lambda: len(queue.waiting(busy.parent)) == 1)
    config = read_run_config(queue.waiting(busy.parent)[0])
    assert config.purpose == "learn"
    assert config.train.start == "bundled"
    masks = {s.image for s in (*config.train_samples, *config.val_samples)}
    assert masks == {f"animal-{n}.png" for n in range(7)}
    qtbot.waitUntil(lambda: "learns from your masks" in _note(parts))
    assert parts.session.name == "animal-6.png"
    # While it waits, no second one comes.
    _approve(parts, qtbot, 7)
    qtbot.waitUntil(lambda: _settled(parts))
    assert len(queue.waiting(busy.parent)) == 1


def test_switched_off_nothing_starts_and_nothing_is_said(open_learning, folder, busy, qtbot):
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: _note(parts) != "")
    parts.training_panel.learning.click()
    qtbot.waitUntil(lambda: not read_settings(folder / ".petseg" / "project.json").learn)
    qtbot.waitUntil(lambda: _note(parts) == "")
    _approve(parts, qtbot, 4, 5, 6, 7)
    qtbot.waitUntil(lambda: _settled(parts))
    assert queue.waiting(busy.parent) == []


def test_the_switch_is_remembered_by_the_folder(open_learning, make_project, qtbot):
    folder, other = make_project(), make_project(folder="other")
    parts = open_learning(folder)
    action = parts.actions["learn_as_you_go"]
    assert not action.isChecked()
    action.trigger()
    settings = folder / ".petseg" / "project.json"
    qtbot.waitUntil(lambda: settings.exists() and read_settings(settings).learn)
    assert not open_learning(other).actions["learn_as_you_go"].isChecked()
    assert open_learning(folder).actions["learn_as_you_go"].isChecked()


def test_what_is_chosen_in_the_moment_the_window_closes_is_kept(
    open_learning, make_project, make_model, make_learnt, qtbot
):
    folder = make_project()
    run = make_learnt(folder, make_model(seed=3), 0.5, 0.6)
    (run / "judged").touch()
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: _settled(parts))
    last = [parts.tasks.run(Lane.SAVE, lambda job: last[0].cancelled.wait(10))]
    parts.actions["learn_as_you_go"].trigger()
    parts.models.choose(run / RUN_MODEL)
    parts.window.close()
    kept = read_settings(folder / ".petseg" / "project.json")
    assert (kept.learn, kept.model) == (True, f"runs/{run.name}/{RUN_MODEL}")


def test_while_a_training_is_paused_no_other_starts_by_itself(
    open_learning, folder, busy, say, qtbot
):
    control.request(busy, control.Wanted.PAUSE)
    events.write_event(busy, say.started())
    events.write_event(busy, events.Control(counter=2, state="pause"))
    (busy / "worker.json").unlink()
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.PAUSED)
    _approve(parts, qtbot, 4, 5, 6)
    qtbot.waitUntil(lambda: "once the paused one goes on or ends" in _note(parts))
    qtbot.waitUntil(lambda: _settled(parts))
    assert [info.folder for info in list_runs(busy.parent)] == [busy]


def test_masks_that_cannot_train_are_named_beside_the_switch(open_learning, folder, qtbot):
    # The same photo again and again: there is nothing that it could be checked on.
    for number in range(1, 8):
        shutil.copy(folder / "images/animal-0.png", folder / f"images/animal-{number}.png")
    parts = open_learning(folder)
    _approve(parts, qtbot, 4, 5, 6)
    qtbot.waitUntil(lambda: "No approved mask is left to check on" in _note(parts))
    assert list_runs(folder / ".petseg" / "runs") == []


@pytest.fixture
def make_learnt(say):
    """make_learnt(folder, model, 0.5, 0.75) -> a learning run that has ended: IoU before, after."""

    def make(folder: Path, model: Path, before: float, after: float) -> Path:
        project = open_project(folder)
        run = create_learning_run(project, "bundled", plan_training(project))
        events.write_event(run, say.started(epochs=1, start_val=say.scores(before)))
        events.write_event(run, say.epoch(1, after, epochs=1))
        for suffix in (".safetensors", ".onnx"):
            shutil.copy(model.with_suffix(suffix), (run / RUN_MODEL).with_suffix(suffix))
        finished = events.Finished(
            reason="done", model=RUN_MODEL, best_epoch=1, val=say.scores(after)
        )
        events.write_event(run, finished)
        return run

    return make


def test_a_better_model_takes_over_and_segments_what_waits_anew(
    open_learning, folder, make_model, make_learnt, qtbot
):
    project = open_project(folder)
    empty = project.read_mask("animal-0.png") * 0
    for number in (4, 5, 6):
        name = f"animal-{number}.png"
        project.save_prediction(name, empty, PredictionRecord(name, "older"))
    mine = project.read_mask("animal-1.png")
    project.save_mask("animal-6.png", mine, Review("animal-6.png", Status.EDITED))
    kept = project.mask_target("animal-6.png").read_bytes()
    before = {n: project.prediction_path(f"animal-{n}.png").read_bytes() for n in (4, 5, 6)}
    run = make_learnt(folder, make_model(seed=3, name="Learnt"), 0.5, 0.75)
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: parts.models.path == run / RUN_MODEL)
    assert parts.window.banners.text("learnt") == (
        "Learnt from 4 masks: val IoU 0.500 → 0.750 on the same 1 validation image. Its model "
        "segments now; 3 waiting images are segmented anew."
    )
    assert parts.session.name == "animal-0.png"

    def segmented(number: int) -> bytes | None:
        path = project.prediction_path(f"animal-{number}.png")
        return path.read_bytes() if path.exists() else None

    for number in (4, 5):
        qtbot.waitUntil(lambda n=number: segmented(n) != before[n])
    qtbot.waitUntil(lambda: parts.session.status("animal-7.png") is Status.PREDICTED)
    qtbot.waitUntil(lambda: _settled(parts))
    assert segmented(6) == before[6]
    assert project.mask_target("animal-6.png").read_bytes() == kept
    assert not parts.window.progress.isVisible()
    stored = f"runs/{run.name}/{RUN_MODEL}"
    qtbot.waitUntil(lambda: read_settings(folder / ".petseg/project.json").model == stored)


def test_the_open_image_stays_as_it_is_until_it_is_left(
    open_learning, folder, make_model, make_learnt, default_model, qtbot
):
    project = open_project(folder)
    empty = project.read_mask("animal-0.png") * 0
    project.save_prediction("animal-4.png", empty, PredictionRecord("animal-4.png", "older"))
    parts = open_learning(folder)
    parts.browser.select("animal-4.png")
    qtbot.waitUntil(lambda: parts.session.name == "animal-4.png")
    shown = parts.session.document.mask.copy()
    run = make_learnt(folder, make_model(seed=3, name="Learnt"), 0.5, 0.75)
    parts.learning.look()
    qtbot.waitUntil(lambda: parts.models.path == run / RUN_MODEL)
    qtbot.waitUntil(lambda: parts.session.status("animal-7.png") is Status.PREDICTED)
    qtbot.waitUntil(lambda: _settled(parts))
    assert (parts.session.document.mask == shown).all()
    parts.browser.select("animal-5.png")
    qtbot.waitUntil(lambda: parts.session.name == "animal-5.png")
    qtbot.waitUntil(lambda: project.read_prediction("animal-4.png", (48, 48)).any())


def test_a_batch_of_a_person_s_own_is_waited_for(
    open_learning, folder, make_model, make_learnt, qtbot
):
    project = open_project(folder)
    parts = open_learning(folder)
    parts.actions["segment_all"].trigger()
    assert parts.batch.running
    parts.models.choose_new(
        make_learnt(folder, make_model(seed=3, name="Learnt"), 0.5, 0.7) / RUN_MODEL
    )
    assert parts.anew.start() == 4
    qtbot.waitUntil(lambda: not parts.batch.running)
    qtbot.waitUntil(lambda: _settled(parts))
    names = parts.session.named(Status.PREDICTED)
    assert len(names) == 4
    for name in names:
        image = project.read_image(name).pixels
        predicted = parts.shelf.take(parts.models.path).predict(image)
        wanted = predicted.mask(project.settings.scheme, project.settings.border_rule)
        found = open_project(folder).read_prediction(name, (48, 48))
        assert (found == wanted).all()


def test_what_was_judged_is_not_told_again(
    open_learning, folder, make_model, make_learnt, default_model, qtbot
):
    run = make_learnt(folder, make_model(seed=3), 0.5, 0.75)
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: parts.models.path == run / RUN_MODEL)
    qtbot.waitUntil(lambda: _settled(parts))
    parts.models.choose(default_model)
    qtbot.waitUntil(lambda: read_settings(folder / ".petseg/project.json").model == "")
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    again = open_learning(folder)
    qtbot.waitUntil(lambda: _settled(again) and _note(again) != "")
    assert again.window.banners.text("learnt") == ""
    assert again.models.path != run / RUN_MODEL


def test_no_better_model_keeps_the_present_one_quietly(
    open_learning, folder, make_model, make_learnt, qtbot
):
    make_learnt(folder, make_model(seed=3), 0.75, 0.75)
    parts = open_learning(folder)
    present = parts.models.path
    qtbot.waitUntil(lambda: "Kept the present model" in parts.window.statusBar().currentMessage())
    assert parts.models.path == present
    assert parts.window.banners.text("learnt") == ""


def test_a_model_that_was_chosen_meanwhile_stays(
    open_learning, folder, make_model, make_learnt, qtbot
):
    other = make_learnt(folder, make_model(seed=5, name="Other"), 0.5, 0.6)
    (other / "judged").touch()
    project = open_project(folder)
    model = f"runs/{other.name}/{RUN_MODEL}"
    project.change_settings(model=model)
    make_learnt(folder, make_model(seed=3), 0.5, 0.75)
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: "you chose another" in parts.window.statusBar().currentMessage())
    assert parts.models.path == other / RUN_MODEL


def test_a_short_training_that_failed_is_told_quietly(open_learning, folder, make_model, qtbot):
    project = open_project(folder)
    run = create_learning_run(project, "bundled", plan_training(project))
    events.write_event(run, events.Failed(reason="Memory ran out."))
    parts = open_learning(folder)
    qtbot.waitUntil(lambda: "Memory ran out" in parts.window.statusBar().currentMessage())
    assert parts.window.banners.text("learnt") == ""


def test_a_real_short_training_learns_and_is_judged(
    open_learning, folder, make_model, make_learnt, qtbot
):
    first = make_learnt(folder, make_model(), 0.5, 0.6)
    (first / "judged").touch()
    project = open_project(folder)
    model = f"runs/{first.name}/{RUN_MODEL}"
    project.change_settings(model=model)
    parts = open_learning(folder)
    _approve(parts, qtbot, 4, 5, 6)
    said = []
    parts.learning.told.connect(said.append)
    parts.learning.took_over.connect(said.append)
    qtbot.waitUntil(lambda: bool(said), timeout=180_000)
    newest = list_runs(project.runs)[0]
    assert newest.state is State.DONE, newest.problem
    assert newest.config.train.start == str(project.store / model)
    assert newest.progress.started.start_val is not None
    better = newest.progress.finished.val.iou > newest.progress.started.start_val.iou
    assert (parts.models.path == newest.model) == better
    assert "val iou" in said[0].casefold()
    assert ("Kept" in said[0]) != better
    assert not parts.window.training_dock.isVisible()
    qtbot.waitUntil(lambda: not parts.watcher.following, timeout=30_000)
