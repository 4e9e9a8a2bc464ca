"""Runs beside each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.training.compare import Difference, differences, row
from core.training.config import TrainConfig
from core.training.presets import make_config
from core.training.runs import read_run

from .told import WHOLE, epoch, made_run, started


def test_only_the_options_that_differ_are_told():
    configs = [
        make_config("baseline"),
        make_config("baseline", learning_rate=3e-4, join=False),
        make_config("baseline", size=96, learning_rate=3e-4).model_copy(
            update={"start": "/runs/20260101-quick/best.safetensors"}
        ),
    ]
    assert differences(configs) == [
        Difference("start", ("scratch", "scratch", "20260101-quick")),
        Difference("size", ("128", "128", "96")),
        Difference("learning_rate", ("0.001", "0.0003", "0.0003")),
        Difference("join", ("yes", "no", "yes")),
    ]
    assert differences(configs[:1] * 2) == []
    assert differences([]) == []


def test_options_without_a_value_are_still_told_in_words():
    one, other = TrainConfig(), TrainConfig(encoder="resnet18")
    assert differences([one, other]) == [Difference("encoder", ("none", "resnet18"))]


@pytest.fixture
def root(make_project: Callable[..., Path]) -> Path:
    return make_project(5)


def test_a_finished_runs_line(root: Path):
    info = read_run(made_run(root, WHOLE, name="First", epochs=7))
    line = row(info)
    assert (line.name, line.state, line.preset) == ("First", "done", "baseline")
    assert line.train + line.val == 5
    assert (line.epochs, line.epochs_wanted) == (2, 7)
    assert line.best_iou == 0.8, "as it was scored at the end, at the images' own size"
    assert line.minutes == pytest.approx(25 / 60)


def test_lines_of_runs_that_are_not_over(root: Path):
    going = row(read_run(made_run(root, [started(), epoch(1, iou=(0.9, 0.7), best=True)])))
    assert going.best_iou == 0.7
    assert row(read_run(made_run(root))).best_iou is None
    damaged = made_run(root)
    (damaged / "config.json").write_text("{")
    line = row(read_run(damaged))
    assert (line.name, line.state) == (damaged.name, "damaged")
    assert line.epochs_wanted == line.train == 0
