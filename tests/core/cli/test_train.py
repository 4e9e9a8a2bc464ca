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

from core.cli import train as cli_train
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


def test_ctrl_c_right_after_the_start_stops_the_training(
    petseg, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    # The worker needs seconds to load its libraries: it has read nothing yet.
    root = make_project(4)
    real = cli_train._follow

    def follow(*args: Any) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(cli_train, "_follow", follow)
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

    monkeypatch.setattr(cli_train, "start_worker", start)


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
            (["--preset", "fast"], "no preset 'fast'"),
            (["--set", "epochs"], "write it as KEY=VALUE"),
            (["--set", "epoch=3"], "no training option 'epoch'"),
            (["--set", "epochs=three"], "option epochs"),
            (["--from", "gone.safetensors"], "no such model file"),
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

    monkeypatch.setattr(cli_train, "start_worker", start)
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

    monkeypatch.setattr(cli_train, "start_worker", start)
    outcome = petseg("train", make_project(3), "--preset", "baseline")
    assert outcome.code == 1
    assert outcome.err.splitlines() == [
        "Skipped a.jpg: the file is empty",
        "Out of memory: choose a smaller size.",
    ]
