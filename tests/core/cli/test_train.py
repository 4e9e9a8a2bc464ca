"""``petseg train``: one line an epoch, and nothing that cannot work is started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli import follow as cli_follow
from core.evaluation.metrics import Scores
from core.modelfile import read_description
from core.training import control, events
from core.training.config import read_run_config

MakeProject = Callable[..., Path]
TINY = [
    word
    for pair in ("size=32", "width=4", "depth=2", "threads=1", "batch=4", "epochs=2")
    for word in ("--set", pair)
]


def test_a_training_prints_a_line_an_epoch_and_its_model_is_listed(
    petseg, make_project: MakeProject, tmp_path: Path
):
    root = make_project(6)
    run = root / ".petseg" / "runs" / "mine"
    outcome = petseg(
        "train", root, "--preset", "baseline", *TINY, "--run", run, "--name", "Mine", "--seed", 3,
        "--device", "cpu",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    lines = [line for line in outcome.out.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    for line in lines:
        for word in ("loss", "IoU", "Dice", "accuracy"):
            assert word in line
    assert "border = foreground" in outcome.out
    assert "is kept." in outcome.out
    assert f"Model {run / 'best.safetensors'}" in outcome.out
    assert "\r" not in outcome.out + outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    config = read_run_config(run)
    assert (config.train.seed, config.train.device, config.name) == (3, "cpu", "Mine")
    assert read_description(run / "best.safetensors").name == "Mine"
    listed = petseg("models", root).out
    assert "Mine" in listed
    assert str(run / "best.safetensors") in listed

    # The run is done: to go on with it changes nothing and says so again.
    again = petseg("train", root, "--run", run)
    assert again.code == 0
    assert f"Going on with {run}" in again.out
    assert "Best epoch" in again.out


def test_then_goes_on_from_the_best_model(petseg, make_project: MakeProject):
    root = make_project(6)
    first = root / ".petseg" / "runs" / "first"
    words = ("train", root, "--preset", "baseline", *TINY, "--run", first, "--name", "Mine")
    outcome = petseg(*words, "--then", "polish", "--then", "quick")
    assert outcome.code == 0, outcome.err
    second = read_run_config(first.with_name("first-polish"))
    assert second.train.preset == "polish"
    assert second.train.start == str(first / "best.safetensors")
    third = read_run_config(first.with_name("first-polish-quick"))
    assert (third.name, third.train.preset) == ("Mine", "quick")
    assert third.train.start == str(first.with_name("first-polish") / "best.safetensors")
    assert "Mine" not in (read_run_config(first).name, second.name)
    # All are done: the same command only tells of them.
    again = petseg(*words, "--then", "polish", "--then", "quick")
    assert (again.code, again.out.count("Best epoch")) == (0, 3)
    assert len(list(first.parent.iterdir())) == 3


def test_then_does_not_go_on_where_the_first_training_failed(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    acting(monkeypatch, events.Failed(reason="no room left"))
    root = make_project(3)
    assert petseg("train", root, "--preset", "baseline", "--then", "polish").code == 1
    assert len(list((root / ".petseg" / "runs").iterdir())) == 1


def test_ctrl_c_right_after_the_start_stops_the_training(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    # The worker needs seconds to load its libraries: it has read nothing yet.
    root = make_project(4)
    real = cli_follow._follow

    def follow(*args: Any) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(cli_follow, "_follow", follow)
    run = root / "run"
    outcome = petseg(
        "train", root, "--preset", "baseline", *TINY, "--set", "epochs=20", "--device", "cpu",
        "--run", run,
    )  # fmt: skip
    assert outcome.code == 0
    assert "Stopping" in outcome.err
    assert not control.worker_alive(run)
    last = events.read_events(run)[0][-1]
    assert isinstance(last, events.Finished)
    assert last.reason != "done"


@pytest.fixture
def never_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_run: Path) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(cli_follow, "start_worker", start)


@pytest.mark.usefixtures("never_starts")
class TestWhatCannotWork:
    """Each is one line on stderr, exit code 2, and leaves no run."""

    def refused(self, petseg, root: Path, *words: object) -> str:
        outcome = petseg("train", root, *words)
        assert outcome.code == 2
        assert len(outcome.err.splitlines()) == 1
        assert not (root / ".petseg" / "runs").exists()
        return outcome.err

    def test_no_mask(self, petseg, make_project: MakeProject):
        assert "No approved mask yet" in self.refused(petseg, make_project(3, 0))

    def test_one_mask(self, petseg, make_project: MakeProject):
        assert "Only one approved mask" in self.refused(petseg, make_project(3, 1))

    def test_an_empty_folder(self, petseg, tmp_path: Path):
        (tmp_path / "empty").mkdir()
        assert "No images in" in self.refused(petseg, tmp_path / "empty")

    def test_no_folder(self, petseg, tmp_path: Path):
        assert "does not exist" in self.refused(petseg, tmp_path / "gone")

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["--preset", "best"], "no preset 'best'"),
            (["--set", "epochs"], "write it as KEY=VALUE"),
            (["--set", "epoch=3"], "no training option 'epoch'"),
            (["--set", "epochs=three"], "option epochs"),
            (["--from", "gone.safetensors"], "no such model file"),
            (["--then", "best"], "no preset 'best'"),
            (["--then", "polish", "--queue"], "leave out --grid and --queue"),
        ],
    )
    def test_options(self, petseg, make_project: MakeProject, words: list[str], reason: str):
        assert reason in self.refused(petseg, make_project(3), *words)

    def test_a_binary_loss_for_three_classes(self, petseg, make_project: MakeProject):
        root = make_project(3, change=lambda m: m + m[::-1])
        assert "--set loss=ce" in self.refused(petseg, root, "--preset", "baseline")


def test_a_worker_that_dies_is_reported_with_its_last_words(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    def start(run: Path) -> subprocess.Popen[bytes]:
        code = "import sys; sys.stderr.write('Bus error in cuda'); sys.exit(9)"
        with open(run / "worker.log", "ab") as log:
            return subprocess.Popen([sys.executable, "-c", code], stderr=log)

    monkeypatch.setattr(cli_follow, "start_worker", start)
    outcome = petseg("train", make_project(3), "--preset", "baseline")
    assert outcome.code == 1
    assert "exit code 9" in outcome.err
    assert "Bus error in cuda" in outcome.err


def test_what_a_worker_says_reaches_the_person(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    def start(run: Path) -> subprocess.Popen[bytes]:
        events.write_event(run, events.Notice(text="Skipped a.jpg: the file is empty"))
        events.write_event(run, events.Failed(reason="Out of memory: choose a smaller size."))
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])

    monkeypatch.setattr(cli_follow, "start_worker", start)
    outcome = petseg("train", make_project(3), "--preset", "baseline")
    assert outcome.code == 1
    assert outcome.err.splitlines() == [
        "Skipped a.jpg: the file is empty",
        "Out of memory: choose a smaller size.",
    ]


def acting(monkeypatch: pytest.MonkeyPatch, *told: events.Event) -> None:
    """A worker that only says this, and ends well."""

    def start(run: Path) -> subprocess.Popen[bytes]:
        for event in told:
            events.write_event(run, event)
        return subprocess.Popen([sys.executable, "-c", ""])

    monkeypatch.setattr(cli_follow, "start_worker", start)


def test_a_pause_from_elsewhere_is_no_death(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    root = make_project(3)
    run = root / "run"
    joined = events.Joined(epoch=2, step=4, images=("a.jpg", "b.jpg"))
    acting(monkeypatch, joined, events.Control(counter=1, state="pause"))
    outcome = petseg("train", root, "--preset", "baseline", "--run", run)
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.splitlines()[1:] == [
        "2 new masks join at epoch 2",
        f"Paused. To go on: petseg train DATA --run {run}",
    ]


def test_in_the_end_the_model_is_compared_with_the_one_it_started_from(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    def scores(iou: float) -> Scores:
        return Scores(iou, iou, iou, iou, iou, iou)

    begun = events.Started(
        epochs=1, steps=1, train_images=9, val_images=9, parameters=1, device="cpu", threads=1,
        score_border="foreground", start_val=scores(0.871),
    )  # fmt: skip
    end = events.Finished(reason="done", model="best.safetensors", best_epoch=1, val=scores(0.893))
    acting(monkeypatch, begun, end)
    outcome = petseg("train", make_project(3), "--preset", "baseline")
    assert outcome.code == 0
    said = "Better than the model it started from: val IoU 0.871 → 0.893."
    assert said in outcome.out.splitlines()


def test_a_silent_worker_is_told_with_the_end_of_its_log(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    workers = []

    def start(run: Path) -> subprocess.Popen[bytes]:
        (run / "worker.log").write_text("reading a.jpg\n")
        words = [sys.executable, "-c", "input()", "core.training", str(run)]
        workers.append(subprocess.Popen(words, stdin=subprocess.PIPE))
        (run / "worker.json").write_text(f'{{"pid": {workers[0].pid}}}')
        os.utime(run / "worker.json", (0, 0))
        return workers[0]

    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        workers[0].kill()

    monkeypatch.setattr(cli_follow, "start_worker", start)
    monkeypatch.setattr(cli_follow, "warn", hear)
    assert petseg("train", make_project(3), "--preset", "baseline").code == 1
    workers[0].communicate()
    assert said[0].startswith("The worker has said nothing for a minute")
    assert said[0].endswith("reading a.jpg")
    assert len([text for text in said if "for a minute" in text]) == 1
