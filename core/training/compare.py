"""Trainings beside each other: a line each, and the options in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.training.config import Start, TrainConfig
from core.training.runs import RunInfo, masks_of


@dataclass(frozen=True)
class Difference:
    """An option and what each of the configs says of it, in words."""

    option: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A run in a table. train, val: masks; epochs: done, of epochs_wanted; best_iou: the best val
    IoU (0 to 1); minutes: trained; model_bytes: with its twin; created: ISO 8601, local time.
    """

    name: str
    state: str
    preset: str
    train: int
    val: int
    epochs: int
    epochs_wanted: int
    best_iou: float | None
    minutes: float
    model_bytes: int
    created: str


def differences(configs: Sequence[TrainConfig]) -> list[Difference]:
    """The options that are not the same in all configs, in the config's own order."""
    found = []
    for option in TrainConfig.model_fields:
        values = [getattr(config, option) for config in configs]
        if any(value != values[0] for value in values):
            found.append(Difference(option, tuple(in_words(option, v) for v in values)))
    return found


def in_words(option: str, value: object) -> str:
    """An option's value as people read it; a starting model by its run's folder."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value) or "none"
    return Path(text).parent.name if option == "start" and text not in tuple(Start) else text


def row(info: RunInfo) -> Row:
    """A run's line; of a damaged one only its name and state are known."""
    config, progress = info.config, info.progress
    masks = masks_of(info)
    return Row(
        name=info.name,
        state=info.state.value,
        preset=config.train.preset if config is not None else "",
        train=len(masks.train),
        val=len(masks.val),
        epochs=progress.epochs[-1].epoch if progress.epochs else 0,
        epochs_wanted=config.train.epochs if config is not None else 0,
        best_iou=_best_iou(info),
        minutes=info.seconds / 60,
        model_bytes=info.model_bytes,
        created=config.created if config is not None else "",
    )


def _best_iou(info: RunInfo) -> float | None:
    # At the images' own size where it was scored so: that is what is compared.
    finished = info.progress.finished
    if finished is not None and finished.val is not None:
        return finished.val.iou
    return info.best.val.scores.iou if info.best is not None else None
