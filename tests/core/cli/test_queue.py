"""``petseg train --queue`` and ``--grid``, ``petseg queue`` and ``petseg runs``."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli import follow as cli_follow
from core.training.queue import waiting
from core.training.runs import State, list_runs

MakeProject = Callable[..., Path]
TINY = ["--preset", "baseline", "--device", "cpu"] + [
    word
    for pair in ("size=32", "width=4", "depth=1", "threads=1", "batch=4", "epochs=1")
    for word in ("--set", pair)
]


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    return make_project(4)


def runs_of(root: Path) -> Path:
    return root / ".petseg" / "runs"


def test_a_grid_waits_until_the_queue_trains_it(petseg, root: Path, tmp_path: Path):
    outcome = petseg("train", root, *TINY, "--grid", "learning_rate=1e-3,3e-4", "--queue")
    assert outcome.code == 0, outcome.err
    assert f"2 trainings wait; to start: petseg queue {root}" in outcome.out
    assert len(waiting(runs_of(root))) == 2
    assert petseg("runs", root).out.count("queued") == 2

    outcome = petseg("queue", root)
    assert outcome.code == 0, outcome.err
    first = outcome.out.index("Baseline: learning rate 0.001")
    second = outcome.out.index("Baseline: learning rate 0.0003")
    assert first < second
    assert outcome.out.count("Best epoch 1") == 2
    assert {i.state for i in list_runs(runs_of(root))} == {State.DONE}

    listed = petseg("runs", root, "--json", tmp_path / "runs.json")
    told = json.loads((tmp_path / "runs.json").read_text())
    assert [t["name"] for t in told] == [i.name for i in list_runs(runs_of(root))]
    for line in told:
        assert (line["state"], line["epochs"], line["train"] + line["val"]) == ("done", 1, 4)
        assert line["model_bytes"] > 0
        assert f"{line['best_iou']:.3f}" in listed.out
        assert line["folder"] in listed.out
    assert petseg("queue", root).out.startswith("No training waits")


def test_ctrl_c_ends_the_queue_and_the_others_go_on_waiting(
    petseg, root: Path, monkeypatch: pytest.MonkeyPatch
):
    real = cli_follow._follow

    def follow(*args: Any) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(cli_follow, "_follow", follow)
    # A grid that need not wait is trained at once.
    outcome = petseg("train", root, *TINY, "--grid", "batch=1,2,4")
    assert outcome.code == 0, outcome.err
    assert "Stopping" in outcome.err
    assert outcome.out.splitlines()[-1] == "2 more wait; to start: petseg queue DATA"
    states = sorted(i.state for i in list_runs(runs_of(root)))
    assert states == [State.QUEUED, State.QUEUED, State.STOPPED]


def test_a_run_that_stands_still_can_be_queued(petseg, root: Path):
    petseg("train", root, *TINY, "--queue")
    run = waiting(runs_of(root))[0]
    (run / "control.json").unlink()
    assert waiting(runs_of(root)) == []
    assert petseg("train", root, "--run", run, "--queue").code == 0
    assert waiting(runs_of(root)) == [run]
    assert len(list_runs(runs_of(root))) == 1


def test_a_damaged_run_is_listed_with_its_reason(petseg, root: Path):
    petseg("train", root, *TINY, "--queue", "--name", "Good")
    (runs_of(root) / "bad").mkdir()
    outcome = petseg("runs", root)
    assert outcome.code == 0
    assert "Good" in outcome.out
    assert "bad: " in outcome.out.splitlines()[-1]
    assert "has no config.json" in outcome.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--grid", "depth=1,2"], "A grid is made of learning_rate, batch, size, epochs"),
        (["--grid", "size"], "--grid size: write it as KEY=VALUE"),
        (["--grid", "size=32,x"], "option size"),
        (["--grid", "size=32,64", "--name", "Mine"], "leave out --run and --name"),
        (["--grid", f"epochs={','.join(map(str, range(1, 30)))}"], "29 trainings; at most 24"),
        (["--queue", "--run", "elsewhere"], "where the queue looks"),
    ],
)
def test_what_cannot_work_leaves_no_run(petseg, root: Path, words: list[str], reason: str):
    outcome = petseg("train", root, *TINY, *words)
    assert outcome.code == 2
    assert reason in outcome.err
    assert list_runs(runs_of(root)) == []
