"""The rehearsal of a training: what the child process answers, and what follows from it."""

from __future__ import annotations

import base64
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from core.project.project import open_project
from core.training.config import Source, TrainConfig
from core.training.estimate import (
    PICTURES,
    Answer,
    Request,
    Timing,
    estimated_seconds,
    steps_per_epoch,
    timed_alike,
    train_size,
)
from core.training.plan import plan_training
from core.training.presets import make_config
from core.training.rehearsal import rehearse

TINY = {"size": 32, "width": 4, "depth": 1, "threads": 1, "device": "cpu", "batch": 2}
TIMING = Timing(device="cpu", size=32, batch=2, load=0.01, step=0.5, validate_image=0.1)


def _request(root: Path, number: int = 0, **changes: Any) -> Request:
    project = open_project(root)
    plan = plan_training(project)
    asked = {k: changes.pop(k) for k in ("draw", "measure") if k in changes}
    return Request(
        number=number,
        config=make_config("custom", **(TINY | changes)),
        source=Source(folder=str(project.folder), store=str(project.store)),
        train=plan.train,
        val=plan.val,
        images=len(plan.train),
        **asked,
    )


def _pixels(picture: str) -> np.ndarray:
    """uint8 height x width x 3, RGB."""
    png = np.frombuffer(base64.b64decode(picture), np.uint8)
    return cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@pytest.fixture
def own_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def child() -> Iterator[Callable[[Request], list[Answer]]]:
    """child(request): what a process of its own answers; it has ended well in the end."""
    command = [sys.executable, "-m", "core.training.rehearsal"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(request: Request) -> list[Answer]:
        process.stdin.write(request.model_dump_json() + "\n")
        process.stdin.flush()
        answers = []
        while not answers or not answers[-1].last:
            answers.append(Answer.model_validate_json(process.stdout.readline()))
        return answers

    with contextlib.ExitStack() as stack:
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield ask
        process.stdin.close()
        assert process.wait(60) == 0
        process.stdout.close()


def test_a_child_process_shows_pictures_measures_and_writes_nothing(child, make_project, snapshot):
    root = make_project(images=6)
    before = snapshot(root)
    pictures, timed = child(_request(root, 1))
    assert (pictures.number, timed.number) == (1, 1)
    assert {_pixels(p).shape for p in pictures.pictures} == {(32, 32, 3)}
    assert len(pictures.pictures) == PICTURES
    assert timed.timing is not None
    assert (timed.timing.device, timed.timing.size, timed.timing.batch) == ("cpu", 32, 2)
    assert min(timed.timing.load, timed.timing.step, timed.timing.validate_image) > 0
    # It goes on after a request that cannot be answered.
    lost = _request(root, 2).model_copy(update={"source": Source(folder="/nowhere", store="/no")})
    (answer,) = child(lost)
    assert "nowhere" in answer.problem
    (again,) = child(_request(root, 3, measure=False))
    assert again.pictures == pictures.pictures
    (other,) = child(_request(root, 4, measure=False, draw=1))
    assert set(other.pictures).isdisjoint(again.pictures)
    assert snapshot(root) == before


@pytest.mark.usefixtures("own_threads")
def test_without_augmentation_the_pictures_are_the_photos_with_their_masks(make_project, animal):
    root = make_project(images=6, width=32, height=32)
    request = _request(root, augment="none", measure=False)
    (answer,) = rehearse(request)
    pixels, mask = animal(int(request.train[0].split("-")[1].split(".")[0]), 32, 32)
    shown = _pixels(answer.pictures[0])
    assert (shown[mask == 0] == pixels[mask == 0]).all()
    colour = np.array(open_project(root).settings.scheme.classes[1].colour)
    off_before = np.abs(pixels[mask == 1] - colour.astype(float)).mean()
    assert np.abs(shown[mask == 1] - colour.astype(float)).mean() < 0.7 * off_before


@pytest.mark.usefixtures("own_threads")
def test_a_start_from_imagenet_is_measured_without_a_download(make_project, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    request = _request(make_project(images=4), encoder="mobilenet_v3_small", start="imagenet")
    *_, answer = rehearse(request)
    assert answer.timing is not None
    assert not (tmp_path / "torch").exists()


@pytest.mark.parametrize(
    ("images", "changes", "steps"),
    [(33, {"batch": 16}, 3), (4, {"batch": 16, "min_steps": 12}, 12), (16, {"batch": 16}, 1)],
)
def test_steps_of_an_epoch(images, changes, steps):
    assert steps_per_epoch(TrainConfig(**changes), images) == steps


def test_the_estimate_grows_by_the_epochs_and_by_the_steps_and_images_of_each():
    config = TrainConfig(size=32, batch=2, epochs=10)
    ten = estimated_seconds(TIMING, config, train=20, val=5)
    twenty = estimated_seconds(TIMING, config.model_copy(update={"epochs": 20}), train=20, val=5)
    # Ten epochs: 10 steps each of half a second, 5 validation images of a tenth.
    assert twenty - ten == pytest.approx(10 * (10 * 0.5 + 5 * 0.1), rel=0.5)
    assert estimated_seconds(TIMING, config, train=40, val=5) - ten == pytest.approx(50, rel=0.01)


def test_another_size_is_estimated_by_its_pixels():
    small = TrainConfig(size=32, batch=2, epochs=100)
    large = small.model_copy(update={"size": 64})
    ratio = estimated_seconds(TIMING, large, 200, 5) / estimated_seconds(TIMING, small, 200, 5)
    assert ratio == pytest.approx(4, rel=0.1)


def test_pictures_grow_to_their_size_and_stay_there_for_the_last_third():
    config = TrainConfig(size=256, first_size=100, epochs=30)
    sizes = [train_size(config, epoch) for epoch in range(1, 31)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 96
    assert sizes[20:] == [256] * 10
    assert len(set(sizes)) == 6
    assert train_size(config.model_copy(update={"size": 200}), 30) == 200  # no multiple of 32
    assert {train_size(config.model_copy(update={"first_size": f}), 1) for f in (0, 256, 300)} == {
        256
    }


def test_small_pictures_at_first_are_estimated_as_faster():
    plain = TrainConfig(size=256, batch=2, epochs=30)
    growing = plain.model_copy(update={"first_size": 128})
    timing = TIMING.model_copy(update={"size": 256})
    share = estimated_seconds(timing, growing, 2000, 5) / estimated_seconds(timing, plain, 2000, 5)
    assert 0.65 < share < 0.8


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({"epochs": 50}, True),
        ({"learning_rate": 0.5}, True),
        ({"seed": 3}, True),
        ({"size": 64}, False),
        ({"batch": 4}, False),
        ({"width": 8}, False),
        ({"threads": 2}, False),
        ({"augment": "full"}, False),
    ],
)
def test_what_a_timing_depends_on(change, alike):
    config = TrainConfig(size=32)
    assert (timed_alike(config) == timed_alike(config.model_copy(update=change))) is alike
