"""Runs as their files tell them, without a training: for what only reads them."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.evaluation.metrics import Scores
from core.modelfile import onnx_path
from core.project.project import open_project
from core.training import events
from core.training.control import worker_alive
from core.training.launch import create_run
from core.training.plan import plan_training
from core.training.presets import make_config
from core.training.progress import RunState

BEST = "best.safetensors"


def scores(iou: float) -> Scores:
    return Scores(iou, iou, iou, iou, iou, iou)


def started(at: float = 0.0, **values: Any) -> events.Started:
    usual: dict[str, Any] = {
        "epochs": 3,
        "steps": 6,
        "train_images": 20,
        "val_images": 10,
        "parameters": 1,
        "device": "cpu",
        "threads": 1,
        "score_border": "foreground",
    }
    return events.Started(time=at, **(usual | values))


def step(number: int, at: float = 0.0) -> events.Step:
    return events.Step(
        time=at, epoch=1, step=number, steps=6, loss=0.5, images_per_second=9, seconds_left=1
    )


def epoch(
    number: int,
    at: float = 0.0,
    *,
    loss: tuple[float, float] = (0.5, 0.5),
    iou: tuple[float, float] = (0.5, 0.5),
    said: float | None = None,
    truth: float | None = None,
    train_truth: float | None = None,
    best: bool = False,
) -> events.Epoch:
    """loss, iou: of train and val; said, truth: shares of foreground on val."""
    return events.Epoch(
        time=at,
        epoch=number,
        epochs=3,
        step=2 * number,
        train=events.SubsetScores(
            loss=loss[0], scores=scores(iou[0]), truth_foreground=train_truth
        ),
        val=events.SubsetScores(
            loss=loss[1], scores=scores(iou[1]), foreground=said, truth_foreground=truth
        ),
        images_per_second=9,
        seconds_left=1,
        best=best,
    )


def finished(
    at: float = 0.0, iou: float = 0.8, model: str = BEST, **values: Any
) -> events.Finished:
    usual = {"reason": "done", "model": model, "best_epoch": 2, "val": scores(iou)}
    return events.Finished(time=at, **(usual | values))


def control(state: str, at: float = 0.0) -> events.Control:
    return events.Control(time=at, counter=1, state=state)


GOING = (started(), step(1, 1), epoch(1, 10, best=True))
WHOLE = (started(), step(1, 1), epoch(1, 10), step(3, 11), epoch(2, 20, best=True), finished(25))


def tell(run: Path, told: Sequence[events.Event], name: str | None = None) -> None:
    """Append events to a run's file, as its worker would."""
    lines = (e.model_copy(update={"run": name or run.name}).model_dump(mode="json") for e in told)
    with open(run / events.FILE_NAME, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def state_of(told: Sequence[events.Event]) -> RunState:
    state = RunState(Path("run"))
    for event in told:
        state.take(event)
    return state


def made_run(root: Path, told: Sequence[events.Event] = (), name: str = "", **changes: Any) -> Path:
    """A run of the project in ``root`` that nobody trained."""
    project = open_project(root)
    config = make_config("baseline", **changes)
    run = create_run(project, config, plan_training(project), name=name)
    tell(run, told)
    return run


def with_model(run: Path, model: Path) -> Path:
    shutil.copy(model, run / BEST)
    shutil.copy(onnx_path(model), onnx_path(run / BEST))
    return run


@contextlib.contextmanager
def idle_worker(run: Path) -> Iterator[None]:
    """A process that counts as the run's worker and does nothing."""
    words = [sys.executable, "-c", "input()", "core.training", str(run)]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        (run / "worker.json").write_text(json.dumps({"pid": process.pid}))
        while not worker_alive(run):
            assert process.poll() is None
        yield
        process.kill()
