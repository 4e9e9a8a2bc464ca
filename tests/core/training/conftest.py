"""Small trainings: an easy task, a tiny network, real workers that never outlive a test."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from core.labels import PET
from core.masks import write_mask
from core.models.network import SegmentationNet
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.training import control, events
from core.training.config import TrainConfig
from core.training.control import Wanted
from core.training.launch import create_run, start_worker
from core.training.plan import plan_training
from core.training.presets import make_config

TINY = {"size": 32, "width": 4, "depth": 2, "threads": 1, "device": "cpu", "batch": 4, "epochs": 3}

# Everything that could go astray over an interruption: dropout, augmentation, a schedule, an
# optimizer with a memory, epochs that draw images again.
FULL = {
    "loss": "bce_dice",
    "augment": "strong",
    "paste": 0.5,
    "balance": True,
    "dropout": 0.2,
    "optimizer": "adamw",
    "schedule": "onecycle",
    "learning_rate": 1e-2,
    "batch": 3,
    "min_steps": 4,
    "epochs": 4,
}
MODEL = "best.safetensors"

Work = Callable[[Path], bool]


def draw_easy(root: Path, images: int = 8) -> Path:
    """Bright discs on dark noise: a task that a tiny network learns in seconds."""
    rng = np.random.default_rng(0)
    (root / "images").mkdir(parents=True)
    for i in range(images):
        mask = _draw_disc(root, f"easy-{i}.png", rng)
        write_mask(root / "masks" / f"easy-{i}.png", mask, PET)
    return root


def _draw_disc(root: Path, name: str, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:48, :48]
    row, column, radius = rng.integers(14, 34), rng.integers(14, 34), rng.integers(8, 14)
    mask = ((y - row) ** 2 + (x - column) ** 2 < radius**2).astype(np.uint8)
    pixels = rng.integers(0, 90, (48, 48, 3)) + mask[..., None] * 150
    Image.fromarray(pixels.astype(np.uint8)).save(root / "images" / name)
    return mask


def approve_more(root: Path, numbers: Sequence[int], status: Status = Status.APPROVED) -> None:
    """More discs, new-0.png and so on, that a person paints and judges now."""
    masks = {
        f"new-{i}.png": _draw_disc(root, f"new-{i}.png", np.random.default_rng(100 + i))
        for i in numbers
    }
    project = open_project(root)
    for name, mask in masks.items():
        project.save_mask(name, mask, Review(name, status))


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


def finished(run: Path) -> events.Finished:
    last = events.read_events(run)[0][-1]
    assert isinstance(last, events.Finished), last
    return last


def reason_of(run: Path) -> str:
    last = events.read_events(run)[0][-1]
    assert isinstance(last, events.Failed), last
    return last.reason


def joined(run: Path) -> list[tuple[int, tuple[str, ...]]]:
    """Which masks trained from which epoch on."""
    return [(e.epoch, e.images) for e in story(run) if isinstance(e, events.Joined)]


def notices(run: Path) -> list[str]:
    return [e.text for e in events.read_events(run)[0] if isinstance(e, events.Notice)]


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_file(one / MODEL), load_file(other / MODEL)
    return a.keys() == b.keys() and all(torch.equal(v, b[k]) for k, v in a.items())


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, action: Callable[[], object]) -> None:
    """Does something in the middle of a step, when a person or a machine could."""
    from core.training import worker

    real = worker.train_step

    def step_and_act(state: Any, *args: Any) -> float:
        loss = real(state, *args)
        if state.step == step:
            action()
        return loss

    monkeypatch.setattr(worker, "train_step", step_and_act)


def ask_at(monkeypatch: pytest.MonkeyPatch, run: Path, step: int, wanted: Wanted) -> None:
    at_step(monkeypatch, step, lambda: control.request(run, wanted))


def approve_at(
    monkeypatch: pytest.MonkeyPatch, root: Path, step: int, numbers: Sequence[int]
) -> None:
    at_step(monkeypatch, step, lambda: approve_more(root, numbers))


def scarce_from(monkeypatch: pytest.MonkeyPatch, step: int, images: int) -> None:
    """After so many steps the network has memory for so many images at once only."""
    from core.training import worker

    real, real_step, scarce = SegmentationNet.forward, worker.train_step, [step == 0]

    def train_step(state: Any, *args: Any) -> float:
        scarce[0] = state.step >= step
        return real_step(state, *args)

    def forward(self: SegmentationNet, x: torch.Tensor) -> torch.Tensor:
        logits = real(self, x)
        if scarce[0] and len(x) > images:
            torch.empty(2**60)
        return logits

    monkeypatch.setattr(SegmentationNet, "forward", forward)
    monkeypatch.setattr(worker, "train_step", train_step)


def poisoned(monkeypatch: pytest.MonkeyPatch, step: int, times: int) -> None:
    """A weight is made infinite after this step, until the run has gone back so often."""
    from core.training import worker

    real = worker.train_step

    def step_and_poison(state: Any, *args: Any) -> float:
        loss = real(state, *args)
        if state.step == step and state.rescues < times:
            with torch.no_grad():
                next(state.net.parameters()).fill_(math.inf)
        return loss

    monkeypatch.setattr(worker, "train_step", step_and_poison)


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


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of FULL that a real worker took from its beginning to its end."""
    run = new_run(draw_easy(tmp_path_factory.mktemp("whole") / "easy"), **FULL)
    with working(run) as process:
        assert process.wait(timeout=180) == 0, (run / "worker.log").read_text()
    return run


@contextlib.contextmanager
def worker_here() -> Iterator[Work]:
    """The worker's own function in this process, which keeps its priority and its threads."""
    from core.training import worker

    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "nice", lambda _by: 0)
        yield worker.work
    torch.set_num_threads(threads)


@pytest.fixture
def work() -> Iterator[Work]:
    """work(run): see ``worker_here``."""
    with worker_here() as work:
        yield work
