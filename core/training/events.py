"""events.jsonl: what a training says of itself, one typed event a line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core import jsonl
from core.evaluation.metrics import Scores

FILE_NAME = "events.jsonl"


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    time: float = Field(default_factory=time.time)
    run: str = ""


class SubsetScores(BaseModel):
    """Loss and scores over one subset.

    foreground, truth_foreground: the share of the labelled pixels (0 to 1) that the network, and
    that the masks, call anything but background; None in runs of before they were told.
    """

    model_config = ConfigDict(frozen=True)

    loss: float
    scores: Scores
    foreground: float | None = None
    truth_foreground: float | None = None


class Started(_Event):
    """fingerprint: SHA-256 over the images' names and mask hashes; versions: of code and libraries.

    start_val: the starting model's scores on the validation images at their own size; None where
    the run starts from no model.
    """

    type: Literal["started"] = "started"
    epochs: int
    steps: int
    train_images: int
    val_images: int
    parameters: int
    device: str
    threads: int
    score_border: str
    ranks: int = 1
    fingerprint: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    start_val: Scores | None = None


class Loading(_Event):
    """The worker reads images: said every few seconds, where that takes so long."""

    type: Literal["loading"] = "loading"
    done: int
    images: int


class Step(_Event):
    type: Literal["step"] = "step"
    epoch: int
    step: int
    steps: int
    loss: float
    images_per_second: float
    seconds_left: float


class Epoch(_Event):
    """memory: peak bytes of the worker so far; learning_rate: at the epoch's end."""

    type: Literal["epoch"] = "epoch"
    epoch: int
    epochs: int
    step: int
    train: SubsetScores
    val: SubsetScores
    images_per_second: float
    seconds_left: float
    best: bool
    train_images: int = 0
    learning_rate: float = 0.0
    memory: int = 0


class Preview(_Event):
    """The same few validation images, predicted after an epoch (0: before the first).

    images: their names, in the order of their folders ``previews/0``, ``previews/1``, ... Each
    holds ``photo.png`` (RGB), ``truth.png`` and ``epoch-0003.png`` (8-bit class ids, 255 void), all
    of one size.
    """

    type: Literal["preview"] = "preview"
    epoch: int
    step: int
    images: tuple[str, ...]


class Joined(_Event):
    """Masks that were approved meanwhile train from this epoch on."""

    type: Literal["joined"] = "joined"
    epoch: int
    step: int
    images: tuple[str, ...]


class Checkpoint(_Event):
    type: Literal["checkpoint"] = "checkpoint"
    epoch: int
    step: int


class Notice(_Event):
    type: Literal["notice"] = "notice"
    text: str


class Control(_Event):
    """The worker's answer to a counter in control.json. After ``pause`` it exits."""

    type: Literal["control"] = "control"
    counter: int
    state: str


class Resumed(_Event):
    """The run goes on after ``step``; what was said of later steps no longer holds."""

    type: Literal["resumed"] = "resumed"
    step: int


class Finished(_Event):
    """model: the best model's file, relative to the run folder; "" where none was kept.

    reason: ``early`` where the run ended because nothing got better any more. val: the best
    model's scores on the validation images at their own size.
    """

    type: Literal["finished"] = "finished"
    reason: Literal["done", "early", "stopped", "discarded"]
    model: str = ""
    best_epoch: int = 0
    val: Scores | None = None


class Failed(_Event):
    type: Literal["failed"] = "failed"
    reason: str


Event = Annotated[
    Started
    | Loading
    | Step
    | Epoch
    | Preview
    | Joined
    | Checkpoint
    | Notice
    | Control
    | Resumed
    | Finished
    | Failed,
    Field(discriminator="type"),
]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def write_event(run: Path, event: Event) -> None:
    """Append an event, with the run's name. Raises WriteError."""
    named = event.model_copy(update={"run": run.name})
    jsonl.append(run / FILE_NAME, named.model_dump(mode="json"))


def parse_event(line: bytes) -> Event | None:
    """The event that a line of JSON holds, or None."""
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError:
        return None


def read_events(run: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events from byte ``offset`` on, and the offset to read from next time.

    Torn lines wait until they are whole; lines that are no event are left out.
    """
    events, end = [], offset
    for after, record in jsonl.scan(run / FILE_NAME, offset):
        end = after
        try:
            events.append(_ADAPTER.validate_python(record))
        except ValidationError:
            continue
    return events, end
