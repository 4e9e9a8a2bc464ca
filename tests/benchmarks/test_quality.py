"""Quality per minute: what a run's events tell, and what is trained only once."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import quality
from core.errors import BadInput
from core.evaluation.metrics import Scores
from core.project.project import open_project
from core.training import events
from core.training.launch import create_run
from core.training.plan import Plan, plan_training
from core.training.presets import make_config

_TINY = {"size": 32, "epochs": 1, "batch": 4}


def _subset(iou: float) -> events.SubsetScores:
    return events.SubsetScores(loss=1.0, scores=Scores(iou, 0, 0, iou, 0, 0))


def _started(time: float) -> events.Started:
    return events.Started(
        time=time,
        epochs=2,
        steps=2,
        train_images=9,
        val_images=3,
        parameters=2_000_000,
        device="cpu",
        threads=1,
        score_border="foreground",
    )


def _epoch(time: float, number: int, iou: float, best: bool) -> events.Epoch:
    return events.Epoch(
        time=time,
        epoch=number,
        epochs=2,
        step=number,
        train=_subset(iou),
        val=_subset(iou),
        images_per_second=1.0,
        seconds_left=0.0,
        best=best,
    )


def _tell(run: Path, told: Sequence[events.Event]) -> None:
    for event in told:
        events.write_event(run, event)


def _finished_run(data: Path, out: Path, folder: Path, preset: str, iou: float) -> None:
    project = open_project(data, out / "project")
    create_run(project, make_config(preset, start="scratch"), plan_training(project), folder=folder)
    _tell(folder, [_started(0), _epoch(60, 1, iou / 2, True), _epoch(120, 2, iou, True)])
    _tell(folder, [events.Finished(time=130, reason="done", val=Scores(iou, 0, 0, iou, 0, 0))])


def test_pauses_are_no_training_and_the_kept_model_counts(tmp_path):
    _tell(
        tmp_path,
        [
            _started(0),
            _epoch(60, 1, 0.7, True),
            events.Control(time=61, counter=1, state="pause"),
            _started(1000),
            events.Resumed(time=1000, step=1),
            _epoch(1060, 2, 0.6, False),
            events.Finished(time=1070, reason="done", val=Scores(0.71, 0, 0, 0.72, 0, 0)),
        ],
    )
    told = quality._told(tmp_path, [30.0])
    assert told.epochs == [(1.0, 0.7), (2.0, 0.7)]
    assert told.end.iou == 0.71
    assert math.isnan(told.cpu), "of one of its two workers nobody saw the end"
    assert quality._told(tmp_path, [30.0, 60.0]).cpu == 1.5
    assert math.isnan(told.kept_at(0.5))
    assert told.kept_at(1.5) == 0.7


def test_a_run_that_did_not_end_is_refused(tmp_path):
    _tell(tmp_path, [_started(0), _epoch(60, 1, 0.7, True)])
    with pytest.raises(BadInput, match="not trained to its end"):
        quality._told(tmp_path, [])


def test_a_run_of_other_photos_is_not_compared(pets, tmp_path):
    _finished_run(pets, tmp_path, tmp_path / "run", "quick", 0.9)
    plan = plan_training(open_project(pets, tmp_path / "project"))
    assert quality._from_elsewhere(tmp_path / "run", plan).end.iou == 0.9
    with pytest.raises(BadInput, match="photos"):
        quality._from_elsewhere(tmp_path / "run", Plan(plan.val, plan.train))


def test_what_is_missing_is_trained_once_and_all_is_told(pets, tmp_path):
    out, results, accurate = tmp_path / "out", tmp_path / "rows.json", tmp_path / "accurate"
    for name, iou in (("quick-scratch", 0.6), ("quick-imagenet", 0.8)):
        _finished_run(pets, out, out / "runs" / f"{name}-0", "quick", iou)
    _finished_run(pets, out, accurate, "accurate", 0.9)
    options = ["--out", out, "--seeds", 1, "--threads", 1, "--accurate", accurate]
    changes = [f"--set={name}={value}" for name, value in _TINY.items()]
    command = [sys.executable, "-m", "benchmarks.quality", pets, *options, *changes]

    def measure() -> tuple[dict[str, float], subprocess.CompletedProcess[str]]:
        # In a process of its own: the plot takes a QApplication.
        done = subprocess.run(
            [*map(str, command), "--json", str(results)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        return {row["name"]: row["value"] for row in json.loads(results.read_text())}, done

    told, done = measure()
    assert told["quick-scratch, seed 0: val IoU"] == 0.6
    assert told["accurate, seed 0: val IoU at 2.00 min"] == 0.9
    assert told["baseline, seed 0: CPU minutes"] > 0
    assert "accurate, seed 0: CPU minutes" not in told, "nobody measured it here"
    assert 0 < told["IoU of calling everything pet"] < 0.7
    assert told["photos that train"] + told["photos that score"] == 12
    assert "baseline-0" in done.stderr
    line = next(row for row in done.stdout.splitlines() if row.startswith("| 1 "))
    assert [cell.strip() for cell in line.split("|")[3:6]] == ["0.300", "0.400", "0.450"]
    assert (out / "quality.png").read_bytes().startswith(b"\x89PNG")
    again, done = measure()
    assert again == told
    assert "baseline-0" not in done.stderr, "it was trained already"
