"""Pausing, stopping, ending, queueing and coming back to trainings, from the window."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton

from core.masks import MaskEncoding
from core.modelfile import read_description
from core.models.export import describe_anew
from core.project.project import open_project
from core.training import control, events, queue
from core.training.runs import State, read_run
from petseg_gui.training.watcher import Phase
from petseg_gui.wiring.conversion import offer_conversion


def _pid(run) -> int:
    return int(json.loads((run / "worker.json").read_text())["pid"])


def test_a_run_under_way_is_joined_with_its_curves_whole(make_run, say, watching, qtbot):
    run = make_run(say.started(), say.step(4), say.epoch(1, 0.5), say.step(5))
    parts, _ = watching(run)
    panel = parts.training_panel
    qtbot.waitUntil(lambda: panel.curves is not None)
    assert parts.window.training_dock.isVisible()
    assert panel.headline.text() == "Epoch 2 of 2"
    assert "10 min left" in panel.details.text()
    assert list(panel.curves.lines["val"].getData()[1]) == [0.5]
    events.write_event(run, say.epoch(2, 0.75))
    qtbot.waitUntil(lambda: list(panel.curves.lines["val"].getData()[1]) == [0.5, 0.75])


def test_masks_that_join_are_told(make_run, say, watching, qtbot):
    run = make_run(say.started())
    parts, _ = watching(run)
    events.write_event(run, events.Joined(epoch=2, step=4, images=("a.png", "b.png", "c.png")))
    told = parts.training_panel.joined
    qtbot.waitUntil(lambda: told.text() == "3 new masks joined in epoch 2.")


@pytest.mark.parametrize("command", ["pause_training", "stop_training"])
def test_pause_and_stop_are_told_to_the_worker(make_run, say, watching, qtbot, command):
    run = make_run(say.started())
    parts, _ = watching(run)
    parts.actions[command].trigger()
    wanted = command.removesuffix("_training")
    qtbot.waitUntil(lambda: control.read_request(run)[0] == wanted)
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.ENDING)
    assert not parts.actions["pause_training"].isEnabled()


def test_a_training_is_discarded_only_after_a_question(make_run, say, watching, answer, qtbot):
    run = make_run(say.started())
    parts, _ = watching(run)
    parts.actions["discard_training"].trigger()
    answer(parts, "Cancel")
    assert control.read_request(run)[0] is control.Wanted.RUN
    parts.actions["discard_training"].trigger()
    answer(parts, "Discard")
    qtbot.waitUntil(lambda: control.read_request(run)[0] is control.Wanted.DISCARD)


def test_a_paused_run_shows_so_and_offers_to_resume(make_run, say, watching, qtbot):
    run = make_run(say.started(), say.step(3))
    parts, worker = watching(run)
    events.write_event(run, events.Control(counter=2, state="pause"))
    worker.end()
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.PAUSED)
    pause = parts.actions["pause_training"]
    assert parts.training_panel.headline.text() == "Paused in epoch 1 of 2"
    assert (pause.text(), pause.isChecked(), pause.isEnabled()) == ("Resume training", True, True)
    assert not parts.training.busy


def test_a_paused_run_that_somebody_else_resumes_is_followed_again(
    make_run, say, watching, work_on, qtbot
):
    run = make_run(say.started())
    parts, worker = watching(run)
    events.write_event(run, events.Control(counter=2, state="pause"))
    worker.end()
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.PAUSED)
    again = work_on(run)
    events.write_event(run, say.started())
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.TRAINING)
    again.end()
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.DIED)


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        ((), Phase.DIED),
        ((events.Control(counter=1, state="pause"),), Phase.PAUSED),
        ((events.Failed(reason="The disk is full."),), Phase.FAILED),
    ],
)
def test_a_run_that_stands_still_is_offered_when_the_folder_is_opened(
    make_run, say, work_on, open_at, qtbot, said, phase
):
    run = make_run(say.started(), say.step(3), *said)
    work_on(run).end()
    parts = open_at(run)
    qtbot.waitUntil(lambda: parts.watcher.phase is phase)
    assert parts.window.training_dock.isVisible()
    assert parts.actions["pause_training"].text() == "Resume training"
    assert parts.window.banners.text("training") == ""  # the panel says it
    if phase is Phase.FAILED:
        assert "The disk is full." in parts.training_panel.problem.label.text()


def test_discarding_a_run_that_stands_still_deletes_it(
    make_run, say, work_on, open_at, answer, qtbot
):
    run = make_run(say.started())
    work_on(run).end()
    parts = open_at(run)
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.DIED)
    parts.actions["discard_training"].trigger()
    answer(parts, "Discard")
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.NONE)
    assert not run.exists()
    assert parts.training_panel.headline.text() == "No training under way"


def test_a_worker_that_dies_is_shown_with_its_last_words_and_its_log(
    make_run, say, watching, qtbot
):
    run = make_run(say.started())
    parts, _ = watching(run)
    (run / "worker.log").write_text("loading\nKilled by the kernel\n")
    os.kill(_pid(run), signal.SIGKILL)
    problem = parts.training_panel.problem
    qtbot.waitUntil(lambda: "Killed by the kernel" in problem.label.text())
    assert parts.training_panel.headline.text() == "Training broke off"
    problem.log_button.click()
    qtbot.waitUntil(lambda: parts.window.findChild(QPlainTextEdit) is not None)
    assert "loading" in parts.window.findChild(QPlainTextEdit).toPlainText()
    parts.window.findChild(QDialog).close()


def test_a_worker_that_falls_silent_can_be_ended(make_run, say, watching, qtbot):
    run = make_run(say.started())
    parts, worker = watching(run)
    worker.fall_silent()
    problem = parts.training_panel.problem
    qtbot.waitUntil(lambda: problem.end_button.isVisible())
    assert "said nothing" in problem.label.text()
    problem.end_button.click()
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.DIED)
    assert worker.end() == -signal.SIGKILL
    assert not problem.end_button.isVisible()


def test_a_failure_is_told_once(make_run, say, watching, qtbot):
    run = make_run(say.started())
    parts, worker = watching(run)
    events.write_event(run, events.Failed(reason="Out of memory: choose a smaller size."))
    worker.end()
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.FAILED)
    assert parts.training_panel.headline.text() == "Training failed"
    assert "Out of memory" in parts.training_panel.problem.label.text()
    assert parts.window.banners.text("training") == ""


def test_a_failure_behind_a_closed_panel_is_told_above_the_image(make_run, say, watching, qtbot):
    run = make_run(say.started())
    parts, worker = watching(run)
    parts.window.training_dock.hide()
    events.write_event(run, events.Failed(reason="Out of memory."))
    worker.end()
    qtbot.waitUntil(lambda: "Out of memory" in parts.window.banners.text("training"))


def test_the_new_model_is_chosen_when_its_run_ends(make_run, say, watching, give_model, qtbot):
    run = make_run(say.started())
    parts, worker = watching(run)
    model = give_model(run)
    done = events.Finished(reason="done", model=model.name, best_epoch=2, val=say.scores(0.8123))
    events.write_event(run, done)
    qtbot.waitUntil(lambda: parts.models.path == model)
    assert "val IoU 0.812" in parts.window.banners.text("new model")
    assert parts.training_panel.headline.text() == "Training finished: val IoU 0.812"
    qtbot.waitUntil(lambda: any(e.title == "New" for e in parts.models.entries))
    assert not parts.actions["stop_training"].isEnabled()
    stored = f"runs/{run.name}/best.safetensors"
    qtbot.waitUntil(lambda: open_project(run.parents[2]).settings.model == stored)
    worker.end()
    qtbot.waitUntil(lambda: not parts.watcher.following)


def test_a_model_that_is_no_better_than_its_start_is_only_offered(
    make_run, say, watching, give_model, qtbot
):
    run = make_run(say.started(start_val=say.scores(0.9)))
    parts, worker = watching(run)
    before, model = parts.models.path, give_model(run)
    events.write_event(run, events.Finished(reason="done", model=model.name, val=say.scores(0.8)))
    worker.end()
    qtbot.waitUntil(lambda: "the present model stays" in parts.window.banners.text("new model"))
    assert parts.models.path == before
    next(b for b in parts.window.banners.findChildren(QPushButton) if b.text() == "Use it").click()
    assert parts.models.path == model


def test_a_model_that_is_no_better_than_the_present_one_is_only_offered(
    make_run, say, watching, give_model, qtbot
):
    # Of several that wait, the last would win otherwise.
    first, run = make_run(), make_run(say.started(start_val=say.scores(0.7)))
    chosen = give_model(first)
    scored = read_description(chosen).model_copy(update={"metrics": {"val_iou": 0.9}})
    describe_anew(chosen, scored)
    parts, worker = watching(run)
    parts.models.choose_new(chosen)
    qtbot.waitUntil(lambda: chosen in [entry.path for entry in parts.models.entries])
    model = give_model(run)
    events.write_event(run, events.Finished(reason="done", model=model.name, val=say.scores(0.8)))
    worker.end()
    qtbot.waitUntil(lambda: "the present one (0.900)" in parts.window.banners.text("new model"))
    assert parts.models.path == chosen


def test_a_paused_run_is_not_stopped_while_another_trains(make_run, say, open_at, work_on, qtbot):
    paused = make_run(say.started(), events.Control(counter=1, state="pause"))
    parts = open_at(paused)
    qtbot.waitUntil(lambda: parts.watcher.phase is Phase.PAUSED)
    other = work_on(make_run(say.started()))
    parts.actions["stop_training"].trigger()
    qtbot.waitUntil(lambda: "Another training" in parts.window.banners.text("training"))
    assert control.read_request(paused)[0] is not control.Wanted.QUEUE
    other.end()


def test_what_the_window_learns_by_itself_is_not_announced_here(
    make_run, say, watching, give_model, qtbot
):
    run = make_run(say.started(), purpose="learn")
    parts, worker = watching(run)
    before = parts.models.path
    assert not parts.window.training_dock.isVisible()
    model = give_model(run)
    events.write_event(run, events.Finished(reason="done", model=model.name, val=say.scores(0.9)))
    worker.end()
    qtbot.waitUntil(lambda: not parts.watcher.following)
    assert parts.window.banners.text("new model") == ""
    assert parts.models.path == before


def test_a_training_that_ended_while_the_window_was_closed_is_told_once(
    make_run, say, give_model, open_at, qtbot
):
    run = make_run(say.started(), say.epoch(1, 0.8))
    model = give_model(run)
    events.write_event(run, events.Finished(reason="done", model=model.name, val=say.scores(0.89)))
    parts = open_at(run)
    text = parts.window.banners.text("new model")
    assert "ended while the window was closed (val IoU 0.890). Use its model?" in text
    assert parts.models.path != model
    parts.window.close()
    again = open_at(run)
    assert again.window.banners.text("new model") == ""


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ("Let it go on", control.Wanted.RUN),
        ("Pause it", control.Wanted.PAUSE),
        ("Stop it", control.Wanted.STOP),
    ],
)
def test_closing_while_training_asks_whether_it_goes_on(
    make_run, say, watching, answer, qtbot, reply, wanted
):
    run = make_run(say.started())
    parts, _ = watching(run)
    parts.window.close()
    assert parts.window.isVisible()
    answer(parts, reply)
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert control.read_request(run)[0] is wanted
    assert control.worker_alive(run)


def test_a_new_run_waits_while_another_is_trained(make_run, say, watching, qtbot):
    run = make_run(say.started())
    parts, _ = watching(run)
    with qtbot.waitSignal(parts.training.queued) as caught:
        parts.training.launch(parts.session.project, lambda: [make_run(), make_run()])
    assert caught.args == [2]
    assert parts.watcher.state.run == run
    waiting = parts.training_panel.waiting
    assert (waiting.isVisible(), waiting.text()) == (True, "2 more waiting…")
    for left in queue.waiting(run.parent):
        queue.unqueue(left)
    parts.training.look()
    qtbot.waitUntil(lambda: not waiting.isVisible())


def test_masks_are_not_converted_while_any_training_of_the_folder_runs(
    make_project, open_window, work_on, qtbot
):
    folder = make_project(images=4, encoding=MaskEncoding.BINARY255)
    parts = open_window(folder)
    run = folder / ".petseg" / "runs" / "of-a-command-line"
    run.mkdir(parents=True)
    work_on(run)
    answers = []
    offer_conversion(
        parts, lambda: answers.append("converted"), lambda: answers.append("refused"), parts.window
    )
    parts.window.findChild(QDialog).defaultButton().click()
    qtbot.waitUntil(lambda: answers == ["refused"])
    assert "A training reads these masks" in parts.window.statusBar().currentMessage()


def test_real_trainings_run_one_after_the_other_and_are_paused_resumed_and_stopped(
    make_run, open_at, qtbot
):
    first, second = make_run(epochs=3), make_run(epochs=500)
    parts = open_at(first)
    watcher, pause = parts.watcher, parts.actions["pause_training"]

    def pause_after_an_epoch(run: Path) -> None:
        qtbot.waitUntil(
            lambda: (
                watcher.state is not None
                and watcher.state.run == run
                and len(watcher.state.epochs) > 0
            ),
            timeout=120_000,
        )
        pause.trigger()
        qtbot.waitUntil(lambda: watcher.phase is Phase.PAUSED, timeout=30_000)
        assert not control.worker_alive(run)

    parts.training.launch(parts.session.project, lambda: [first, second])
    pause_after_an_epoch(first)
    assert read_run(second).state is State.QUEUED  # a pause frees the processor
    pause.trigger()
    pause_after_an_epoch(second)
    assert read_run(first).state is State.DONE
    assert [e.epoch for e in read_run(first).progress.epochs] == [1, 2, 3]
    assert parts.models.path == read_run(first).model
    assert "is ready and chosen" in parts.window.banners.text("new model")
    parts.actions["stop_training"].trigger()
    headline = parts.training_panel.headline
    qtbot.waitUntil(lambda: headline.text() == "Stopping…", timeout=30_000)
    qtbot.waitUntil(lambda: watcher.phase is Phase.FINISHED, timeout=120_000)
    assert watcher.state.finished.reason == "stopped"
    # Which of two barely trained models is better is chance: it is used, or else offered.
    offered = "no better" in parts.window.banners.text("new model")
    assert (parts.models.path == watcher.state.model) is not offered
    qtbot.waitUntil(lambda: not watcher.following, timeout=30_000)
