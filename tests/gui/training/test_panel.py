"""What the training panel says of a run."""

from __future__ import annotations

from pathlib import Path

from core.training import events
from core.training.progress import RunState
from petseg_gui.training.watcher import Phase
from petseg_gui.training.words import details, notices


def test_without_a_run_the_panel_says_how_to_get_one(open_window, make_project):
    parts = open_window(make_project(images=2))
    parts.window.training_dock.show()
    panel = parts.training_panel
    assert panel.headline.text() == "No training under way"
    assert panel.start_button.isVisible()
    assert not any(button.isVisible() for button in panel.steering)


def test_the_figures_of_a_run_are_told(say):
    state = RunState(Path("run"))
    more = {"train_images": 5, "memory": 900_000_000, "learning_rate": 8e-4}
    for event in (say.started(ranks=2), say.step(4), say.epoch(1, 0.5, **more)):
        state.take(event)
    assert details(Phase.TRAINING, state, "Quick").splitlines() == [
        "Quick",
        "5 train, 1 val images on cpu × 2",
        "12.0 images/s  ·  10 min left",
        "900 MB memory  ·  learning rate 0.0008",
    ]


def test_of_many_notices_the_last_are_told():
    state = RunState(Path("run"))
    for number in range(5):
        state.take(events.Notice(text=f"Skipped {number}.png"))
    assert notices(state) == "3 more notices in the log.\nSkipped 3.png\nSkipped 4.png"


def test_the_verdict_is_said_in_words(make_run, say, watching, qtbot):
    run = make_run(say.started(8), *(say.epoch(n, 0.3 + n / 20, 8) for n in range(1, 7)))
    parts, _ = watching(run)
    qtbot.waitUntil(lambda: "0.600" in parts.training_panel.verdict.text())


def test_the_switch_is_the_command(open_window, make_project):
    parts = open_window(make_project(images=2))
    switch, action = parts.training_panel.learning, parts.actions["learn_as_you_go"]
    action.setEnabled(True)
    for on in (True, False):
        switch.click()
        assert action.isChecked() is on
    action.setEnabled(False)
    assert not switch.isEnabled()
