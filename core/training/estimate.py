"""How long a training will take, from what its rehearsal measured; and how to speak with one.

The rehearsal (core/training/rehearsal.py) is a child process: it reads a Request a line from its
standard input and writes Answers, a line each.
"""

from __future__ import annotations

import math
import os

from pydantic import BaseModel, ConfigDict

from core.training.config import Source, TrainConfig

PICTURES = 8
"""So many augmented images a rehearsal shows."""

# What no timed step tells, in seconds: the process's start until its first image, and the end of
# an epoch (the model's export and its check, the checkpoint, the previews).
_START = 6.0
_EPOCH_END = 1.0

_SIZE_STEP = 32

# What a step's time does not depend on.
_UNTIMED = {
    "preset",
    "weights",
    "start_share",
    "score_border",
    "first_size",
    "balance",
    "lovasz_epochs",
    "learning_rate",
    "encoder_rate",
    "weight_decay",
    "schedule",
    "epochs",
    "min_steps",
    "patience",
    "join",
    "replay",
    "seed",
    "memory",
}


def disk_needed(config: TrainConfig, train: int, val: int) -> int:
    """Bytes of decoded images that a run of so many keeps in a file, as ``SampleStore`` decides."""
    room, needed = config.memory * 2**20, 0
    for images in (train, val):
        size = images * 4 * config.size**2
        if size > room:
            needed += size
        else:
            room -= size
    return needed


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Request(_Message):
    """train, val: names of a few images of ``source``; they stand for all others.

    images: so many will train. draw: another number brings another augmentation. measure: time
    some steps too.
    """

    number: int
    config: TrainConfig
    source: Source
    train: tuple[str, ...]
    val: tuple[str, ...]
    images: int
    draw: int = 0
    measure: bool = True


class Timing(_Message):
    """Seconds: to load an image, of a step at this size and batch, to validate an image."""

    device: str
    size: int
    batch: int
    load: float
    step: float
    validate_image: float


class Answer(_Message):
    """To the request of that number: pictures (PNG, base64), then the timing, or the problem.

    last: nothing more comes.
    """

    number: int
    pictures: tuple[str, ...] = ()
    timing: Timing | None = None
    problem: str = ""
    last: bool = False


def threads_of(config: TrainConfig) -> int:
    """The CPU threads that a training takes: one core is left free unless it is told."""
    return config.threads or max(1, (os.cpu_count() or 2) - 1)


def steps_per_epoch(config: TrainConfig, images: int) -> int:
    """Steps of one epoch: every image once, and at least ``min_steps``."""
    return max(config.min_steps, math.ceil(images / config.batch))


def train_size(config: TrainConfig, epoch: int) -> int:
    """Pixels of an epoch's pictures: growing evenly to ``size`` over the first two thirds.

    Progressive resizing (Howard 2018): on the way, the multiple of 32 that is nearest.
    epoch: from 1.
    """
    grown = 1.5 * (epoch - 1) / config.epochs
    if not 0 < config.first_size < config.size or grown >= 1:
        return config.size
    size = config.first_size + (config.size - config.first_size) * grown
    return min(config.size, max(1, round(size / _SIZE_STEP)) * _SIZE_STEP)


def step_costs(config: TrainConfig) -> list[float]:
    """What a step takes in each epoch, as a share of one at the full size: by its pixels."""
    sizes = [train_size(config, epoch) for epoch in range(1, config.epochs + 1)]
    return [(size / config.size) ** 2 for size in sizes]


def timed_alike(config: TrainConfig) -> str:
    """A key: two configs of the same key take the same time for a step and an image."""
    return config.model_dump_json(exclude=_UNTIMED)


def estimated_seconds(timing: Timing, config: TrainConfig, train: int, val: int) -> float:
    """The length of a whole training on so many images.

    A timing at another size or batch is scaled by the number of pixels: roughly right.
    """
    area = (config.size / timing.size) ** 2
    batch = min(config.batch, max(train, 1)) / timing.batch
    smaller = sum(step_costs(config)) / config.epochs
    steps = steps_per_epoch(config, train) * timing.step * area * smaller * batch
    validation = val * timing.validate_image * area
    # At the end the best model is scored on the val images once more, at their own size.
    once = _START + (train + 2 * val) * timing.load + validation
    return once + config.epochs * (steps + validation + _EPOCH_END)
