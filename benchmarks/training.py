"""Images a second of a training, against the network alone and against the usual loop.

``python -m benchmarks.training [DATA] [--json FILE] [--presets NAME ...] [--threads N]``; DATA is a
folder with masks, drawn animals without one. For each preset three loops take the same steps with
the same network, loss, optimizer and threads, in turn, round after round in one process:

- PetSeg: batches from the decoded images, augmented, trained on and scored, as a run does it;
- the limit: one constant batch again and again, nothing but forward, loss, backward, step;
- the usual loop: a Dataset that decodes, resizes and augments image by image (torchvision's v2
  transforms of the same kinds), a DataLoader with two processes, and the limit's step.

What is reported is the median round; with fewer threads than cores the usual loop's processes have
cores that the others leave alone. Then a whole run of one epoch in a worker of its own tells
the peak memory, and one in two processes under torchrun how fast they are together. Where the
preset's weights come from makes no step faster: all begin from scratch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Protocol, TypeVar

import cv2
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from benchmarks.report import Row, json_argument, report
from core.data.decoding import Decoding, convert_mask
from core.data.samples import Samples, SampleStore, load_samples
from core.demo import FIRST_TRAINING_SEED, draw_demo
from core.labels import VOID, LabelScheme, apply_border_rule, scheme_under
from core.project.project import Project, open_project
from core.project.reviews import Status
from core.training import events
from core.training.config import Start, TrainConfig, outputs_for, trained_scheme
from core.training.launch import create_run, last_words
from core.training.losses import segmentation_loss
from core.training.plan import plan_training
from core.training.presets import PRESETS, make_config
from core.training.runs import read_run
from core.training.start import choose_device, start_network
from core.training.trainer import Scoring, Setup, TrainState, batches, new_state, train_step

T = TypeVar("T")

LIMIT_SHARE = 0.9
AHEAD = 1.0

_WORKERS = 2
_DRAWN = 64

# The usual loop's augmentation: the same kinds and ranges as core/data/augment.py.
_AFFINE = {"degrees": 20.0, "translate": (0.12, 0.12), "fill": {tv_tensors.Mask: VOID, "others": 0}}
_SCALES = {"geometric": (0.85, 1.2), "full": (0.6, 1.5)}


def main() -> int:
    """Measure, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, nargs="?", help="a folder with masks")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="in a round")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data
        if data is None:
            data = Path(scratch) / "drawn"
            for _ in draw_demo(data, _DRAWN, _DRAWN, FIRST_TRAINING_SEED):
                pass
        rows: list[Row] = []
        for preset in options.presets:
            print(f"measuring {preset}", file=sys.stderr, flush=True)
            config = make_config(
                preset,
                start=Start.SCRATCH,
                threads=options.threads,
                device=options.device,
                min_steps=options.steps,
                epochs=1,
                join=False,
            )
            project = open_project(data, Path(scratch) / preset)
            rows += _against_others(project, config, options.rounds)
            rows += _in_workers(project, config)
    return report(rows, options.json)


@dataclass(frozen=True)
class Task:
    """What all loops train: a preset on a project's masks.

    full: the classes before the border rule. An epoch has ``config.min_steps`` steps.
    """

    project: Project
    config: TrainConfig
    names: list[str]
    full: LabelScheme

    @property
    def device(self) -> torch.device:
        return choose_device(self.config.device)

    @property
    def images(self) -> int:
        """That are trained on in an epoch."""
        return self.config.min_steps * self.config.batch

    def state(self) -> TrainState:
        """A network of its own."""
        net = start_network(self.config, outputs_for(self.config, self.full), torch.zeros(0))
        net.to(self.device).to(memory_format=torch.channels_last)
        return new_state(net, self.config, self.config.min_steps)


def _against_others(project: Project, config: TrainConfig, rounds: int) -> Iterator[Row]:
    full = trained_scheme(config, project.settings.scheme)
    names = project.named([Status.APPROVED])[: config.min_steps * config.batch]
    # For ever, as far as the schedule is concerned.
    task = Task(project, config.model_copy(update={"epochs": 10_000}), names, full)
    loops: dict[str, Loop] = {}
    # First, so that its processes are there before any thread of OpenCV or torch.
    loops["Dataset and DataLoader"] = Usual(task)
    loops["Dataset and DataLoader"].round()
    started = time.perf_counter()
    store = SampleStore(Decoding(config.size, full, config.border), threads=config.threads)
    samples = load_samples([(project, name) for name in names], store, lambda: None)
    decoded = len(samples) / (time.perf_counter() - started)
    loops["one constant batch"] = Limit(task, samples)
    loops["PetSeg"] = Ours(task, samples)
    for loop in loops.values():
        loop.round()  # what is built at first is none of the speed
    rounds_of = [{name: loop.round() for name, loop in loops.items()} for _ in range(rounds)]
    speeds = {name: median(each[name] for each in rounds_of) for name in loops}
    usual, bare, own = speeds.values()
    for name, speed in speeds.items():
        yield Row(f"{config.preset}: {name}", speed, "images/s")
    yield Row(f"{config.preset}: PetSeg of the constant batch", own / bare, "x", LIMIT_SHARE, True)
    yield Row(f"{config.preset}: PetSeg of the DataLoader", own / usual, "x", AHEAD, True)
    yield Row(f"{config.preset}: decoding, once a run", decoded, "images/s")


class Loop(Protocol):
    """One way to train."""

    def round(self) -> float:
        """Images a second of one epoch."""


class Ours:
    """The program's own steps."""

    def __init__(self, task: Task, samples: Samples) -> None:
        self._samples, self._state, self._epoch = samples, task.state(), 0
        scoring = Scoring(scheme_under(task.full, task.config.border), task.config.score_border)
        self._setup = Setup(task.config, scoring, task.device)

    def round(self) -> float:
        setup, self._epoch = self._setup, self._epoch + 1
        n, steps = len(self._samples), setup.config.min_steps

        def step(batch: Tensor) -> int:
            train_step(self._state, self._samples, batch, setup)
            return len(batch)

        return _speed(batches(setup.config, n, self._epoch, steps), step, setup.device)


class Limit:
    """One batch that is on the device already, again and again."""

    def __init__(self, task: Task, samples: Samples) -> None:
        self._task, self._state = task, task.state()
        images, masks = samples.take(torch.arange(task.config.batch) % len(samples))
        self._batch = images.to(task.device).float(), masks.to(task.device)

    def round(self) -> float:
        order = [self._batch] * self._task.config.min_steps
        return _speed(order, partial(_bare_step, self._state, self._task), self._task.device)


class Usual:
    """The loop of the tutorials, with PetSeg's network and loss."""

    def __init__(self, task: Task) -> None:
        self._task, self._state = task, task.state()
        self._loader = DataLoader(
            Photos(task),
            task.config.batch,
            shuffle=True,
            num_workers=_WORKERS,
            persistent_workers=True,
            worker_init_fn=_alone,
        )

    def round(self) -> float:
        return _speed(self._loader, partial(_bare_step, self._state, self._task), self._task.device)


class Photos(Dataset[tuple[Tensor, Tensor]]):
    """Decoded, resized and augmented one by one, each time anew."""

    def __init__(self, task: Task) -> None:
        self._task, self._transform = task, _transform(task.config)

    def __len__(self) -> int:
        return self._task.images

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        task = self._task
        name, project = task.names[index % len(task.names)], task.project
        with Image.open(project.image_path(name)) as file:
            image = tv_tensors.Image(v2.functional.pil_to_tensor(file.convert("RGB")))
        mask = project.read_mask(name)
        assert mask is not None
        mask = convert_mask(mask, project.settings.scheme, task.full)
        mask = apply_border_rule(mask, task.full, task.config.border)
        pixels, truth = self._transform(image, tv_tensors.Mask(torch.from_numpy(mask)))
        return pixels.as_subclass(Tensor), truth.as_subclass(Tensor)


def _transform(config: TrainConfig) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    steps: list[v2.Transform] = [v2.Resize((config.size, config.size), antialias=True)]
    if config.augment != "none":
        bilinear = v2.InterpolationMode.BILINEAR
        scale = _SCALES[config.augment]
        steps += [
            v2.RandomHorizontalFlip(),
            v2.RandomAffine(scale=scale, interpolation=bilinear, **_AFFINE),
        ]
    if config.augment == "full":
        steps += [v2.ColorJitter(0.35, 0.35, 0.4), v2.RandomApply([v2.GaussianBlur(3)], 0.15)]
    whole: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = v2.Compose(
        [*steps, v2.ToDtype({tv_tensors.Image: torch.float32, "others": None})]
    )
    return whole


def _alone(_worker: int) -> None:
    cv2.setNumThreads(0)


def _bare_step(state: TrainState, task: Task, batch: Sequence[Tensor]) -> int:
    """Forward, loss, backward, step; how many images."""
    images, masks = (part.to(task.device) for part in batch)
    state.net.train()
    logits = state.net(images.contiguous(memory_format=torch.channels_last))
    loss = segmentation_loss(logits, masks, task.config.loss)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    return len(images)


def _speed(order: Iterable[T], step: Callable[[T], int], device: torch.device) -> float:
    """Images a second of an epoch, from before its first batch is asked for."""
    started = time.perf_counter()
    images = sum(step(batch) for batch in order)
    _wait_for(device)
    return images / (time.perf_counter() - started)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _in_workers(project: Project, config: TrainConfig) -> Iterator[Row]:
    """A run in a process of its own, and one in two."""
    alone = _run(project, config, [], "alone")
    two = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    together = _run(project, config, two, "two")
    yield Row(f"{config.preset}: a worker's peak memory", alone.memory / 2**20, "MB")
    yield Row(f"{config.preset}: a worker", alone.images_per_second, "images/s")
    yield Row(f"{config.preset}: two ranks", together.images_per_second, "images/s")


def _run(project: Project, config: TrainConfig, under: list[str], name: str) -> events.Epoch:
    """The last epoch of a run; under: the module that starts the worker, with its options."""
    folder = create_run(project, config, plan_training(project), folder=project.runs / name)
    command = [sys.executable, "-m", *under, "core.training", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    info = read_run(folder)
    if not info.progress.epochs:
        raise RuntimeError(info.problem or done.stderr or last_words(folder))
    return info.progress.epochs[-1]


if __name__ == "__main__":
    sys.exit(main())
