"""What a training would be made of, as the dialog asks, hears and tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.labels import LabelScheme
from core.training.config import Source, TrainConfig
from core.training.grid import Cell
from core.training.plan import Plan
from petseg_gui.words import count


@dataclass(frozen=True)
class Prospect:
    """What a training would be made of.

    source, scheme: the open folder and its classes. animals_fit: whether drawn animals can be
    replayed beside them. further: masks of the further folder; further_problem: why there are none.
    """

    plan: Plan
    source: Source | None = None
    scheme: LabelScheme | None = None
    animals_fit: bool = False
    further: int = 0
    further_problem: str = ""


@dataclass(frozen=True)
class Question:
    """What a Prospect depends on. also: a further folder to learn from."""

    preset: str
    include_edited: bool
    also: Path | None


@dataclass(frozen=True)
class Wish:
    """The trainings that a person starts, in their order."""

    cells: tuple[Cell, ...]
    plan: Plan
    also: Path | None


def sentence(
    start: str, prospect: Prospect, also: Path | None, config: TrainConfig | None, time: str
) -> str:
    """What will happen. start: what it starts from; also: a further folder; time: "" if unknown."""
    parts = [f"Starts from {start}", prospect.plan.sentence]
    if prospect.further and also is not None:
        parts.append(f"{prospect.further:,} more from {also.name}")
    if config is not None:
        if config.replay:
            parts.append(count(config.replay, "drawn animal"))
        parts.append(f"{config.size}\u00a0px")
    return ", ".join([*parts, *([time] if time else [])]) + "."
