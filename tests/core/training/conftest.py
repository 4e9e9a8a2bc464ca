"""Small trainings: an easy task, a tiny network, real workers that never outlive a test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.labels import PET
from core.masks import write_mask
from core.project.project import open_project
from core.training import events
from core.training.config import TrainConfig
from core.training.launch import create_run, start_worker
from core.training.plan import plan_training
from core.training.presets import make_config

TINY = {"size": 32, "width": 4, "depth": 2, "threads": 1, "device": "cpu", "batch": 4, "epochs": 3}


def draw_easy(root: Path, images: int = 8) -> Path:
    """Bright discs on dark noise: a task that a tiny network learns in seconds."""
    rng = np.random.default_rng(0)
    (root / "images").mkdir(parents=True)
    y, x = np.mgrid[:48, :48]
    for i in range(images):
        row, column, radius = rng.integers(14, 34), rng.integers(14, 34), rng.integers(8, 14)
        mask = ((y - row) ** 2 + (x - column) ** 2 < radius**2).astype(np.uint8)
        pixels = rng.integers(0, 90, (48, 48, 3)) + mask[..., None] * 150
        Image.fromarray(pixels.astype(np.uint8)).save(root / "images" / f"easy-{i}.png")
        write_mask(root / "masks" / f"easy-{i}.png", mask, PET)
    return root


def tiny_config(**changes: Any) -> TrainConfig:
    return make_config("baseline", **(TINY | changes))


def new_run(root: Path, **changes: Any) -> Path:
    project = open_project(root)
    return create_run(project, tiny_config(**changes), plan_training(project))


def story(run: Path) -> list[events.Event]:
    """What a reader keeps of a run's events: nothing of steps that were taken again."""
    kept: list[events.Event] = []
    for event in events.read_events(run)[0]:
        if isinstance(event, events.Resumed):
            kept = [e for e in kept if getattr(e, "step", 0) <= event.step]
        kept.append(event)
    return kept


def epochs_of(run: Path) -> list[events.Epoch]:
    return [e for e in story(run) if isinstance(e, events.Epoch)]


def numbers(run: Path) -> list[tuple[Any, ...]]:
    """What must be the same in two runs of the same seed: every figure but the times."""
    return [(e.epoch, e.step, e.train, e.val, e.best) for e in epochs_of(run)]


@contextlib.contextmanager
def working(run: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process; killed where it still runs at the end."""
    worker = start_worker(run)
    try:
        yield worker
    finally:
        if worker.poll() is None:
            os.kill(worker.pid, signal.SIGKILL)
        worker.wait()


def wait_for(condition: Callable[[], Any], worker: subprocess.Popen[bytes]) -> None:
    """Until the condition holds; fails where the worker ends before, or after two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        assert worker.poll() is None, "the worker ended before"
        assert time.monotonic() < deadline, "nothing happened for two minutes"
        time.sleep(0.005)


@pytest.fixture
def easy(tmp_path: Path) -> Path:
    return draw_easy(tmp_path / "easy")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], bool]]:
    """work(run): the worker's own function in this process, which keeps its priority."""
    from core.training import worker

    monkeypatch.setattr(os, "nice", lambda _by: 0)
    threads = torch.get_num_threads()
    yield worker.work
    torch.set_num_threads(threads)
