"""Runs to watch: folders with the events of a training, and processes that stand in for workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton

from core.evaluation.metrics import Scores
from core.inference.catalogue import RUN_MODEL
from core.project.project import open_project
from core.training import control, events
from core.training.launch import create_run
from core.training.plan import plan_training
from core.training.presets import make_config
from petseg_gui.parts import Parts
from petseg_gui.training.watcher import Phase

# A process whose command line is a worker's, and which lives until its standard input is closed.
_IDLE = "import sys; sys.stdin.read()"


def _scores(value: float) -> Scores:
    """The same value for all scores."""
    return Scores(value, value, value, value, value, value)


def _started(epochs: int = 2, **more: object) -> events.Started:
    return events.Started(
        epochs=epochs,
        steps=epochs * 4,
        train_images=3,
        val_images=1,
        parameters=1000,
        device="cpu",
        threads=1,
        score_border="foreground",
        **more,
    )


def _epoch(number: int, iou: float, epochs: int = 2, **more: object) -> events.Epoch:
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
        **more,
    )


def _step(number: int, epochs: int = 2) -> events.Step:
    return events.Step(
        epoch=1 + (number - 1) // 4,
        step=number,
        steps=4 * epochs,
        loss=1 / number,
        images_per_second=12.0,
        seconds_left=600.0,
    )


@pytest.fixture(scope="session")
def say() -> SimpleNamespace:
    """Makes events of a small training: say.started(), say.step(3), say.epoch(1, 0.5), ..."""
    return SimpleNamespace(scores=_scores, started=_started, epoch=_epoch, step=_step)


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(make_project) -> MakeRun:
    """make_run(*events, size=32, epochs=2) -> a new run in the same small project each time."""
    folder = make_project(images=6)

    def make(*said: events.Event, purpose: str = "", **options: object) -> Path:
        project = open_project(folder)
        config = make_config("baseline", **({"size": 32, "epochs": 2, "threads": 1} | options))
        run = create_run(project, config, plan_training(project), purpose=purpose)
        for event in said:
            events.write_event(run, event)
        return run

    return make


class Worker:
    """Stands in for a run's worker: alive until ``end``, and it says only what the test writes."""

    def __init__(self, run: Path) -> None:
        control.request(run, control.Wanted.RUN)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IDLE, "core.training", str(run)], stdin=subprocess.PIPE
        )
        self._mark = run / "worker.json"
        self._mark.write_text(json.dumps({"pid": self._process.pid}))

    def fall_silent(self) -> None:
        """As if it had not been heard of for an hour."""
        os.kill(self._process.pid, signal.SIGSTOP)
        long_ago = self._mark.stat().st_mtime - 3600
        os.utime(self._mark, (long_ago, long_ago))

    def end(self) -> int:
        """End as a worker does, unless it was killed; returns its exit status."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGCONT)
        self._process.communicate(b"")
        return self._process.returncode


@pytest.fixture
def work_on() -> Iterator[Callable[[Path], Worker]]:
    """work_on(run) -> a Worker that has it; all end with the test, before its windows close."""
    workers: list[Worker] = []

    def work(run: Path) -> Worker:
        workers.append(Worker(run))
        return workers[-1]

    yield work
    for worker in workers:
        worker.end()


@pytest.fixture
def give_model(make_model) -> Callable[[Path], Path]:
    """give_model(run) -> the run's best model, which is a tiny one."""

    def give(run: Path) -> Path:
        model, best = make_model(seed=3, name="New"), run / RUN_MODEL
        for suffix in (".safetensors", ".onnx"):
            shutil.copy(model.with_suffix(suffix), best.with_suffix(suffix))
        return best

    return give


@pytest.fixture
def answer(qtbot) -> Callable[[Parts, str], None]:
    """answer(parts, text): press a button of the question that is asked."""

    def press(parts: Parts, text: str) -> None:
        qtbot.waitUntil(lambda: parts.window.findChild(QMessageBox) is not None)
        box = parts.window.findChild(QMessageBox)
        next(b for b in box.findChildren(QPushButton) if b.text() == text).click()

    return press


@pytest.fixture
def open_at(open_window, qtbot):
    """open_at(run) -> the window on the run's folder, once it knows the folder's trainings."""

    def open_(run: Path) -> Parts:
        parts = open_window(run.parents[2], wait=False)
        with qtbot.waitSignal(parts.training.arrived):
            pass
        return parts

    return open_


@pytest.fixture
def watching(open_at, work_on, qtbot):
    """watching(run) -> the window that has joined a run, and the run's worker."""
    made: list[tuple[Parts, Worker]] = []

    def watch(run: Path) -> tuple[Parts, Worker]:
        worker = work_on(run)
        parts = open_at(run)
        qtbot.waitUntil(lambda: parts.watcher.config is not None)
        assert parts.watcher.phase is Phase.TRAINING
        made.append((parts, worker))
        return parts, worker

    yield watch
    for parts, worker in made:
        worker.end()
        # A window does not close on a training without a question.
        qtbot.waitUntil(
            lambda p=parts: not p.watcher.training or not p.window.isVisible(), timeout=10_000
        )
