"""A small grid: one training for each combination of some options' values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from core.errors import BadInput
from core.training.compare import in_words
from core.training.config import TrainConfig, parse_config
from core.training.launch import title_of

GRID_OPTIONS = ("learning_rate", "batch", "size", "epochs")
MOST = 24
"""More trainings than these would keep a laptop busy for a day."""


@dataclass(frozen=True)
class Cell:
    """One training of a grid; the name tells its values."""

    name: str
    config: TrainConfig


def parse_values(option: str, text: str) -> list[str]:
    """The values in ``text``, with commas between them, doubles left out. Raises BadInput."""
    if option not in GRID_OPTIONS:
        raise BadInput(f"A grid is made of {', '.join(GRID_OPTIONS)}, not of {option!r}.")
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not values:
        raise BadInput(f"The grid names no value for {option}: write {option}=A,B.")
    return list(dict.fromkeys(values))


def make_grid(config: TrainConfig, values: Mapping[str, Sequence[str]]) -> list[Cell]:
    """Every combination of the values, in the options' order; the rest is the config's.

    Raises BadInput: more than MOST combinations, or a value that the option does not take.
    """
    options = list(values)
    count = math.prod(len(values[option]) for option in options)
    if count > MOST:
        raise BadInput(f"This grid means {count} trainings; at most {MOST}: leave some values out.")
    cells: list[Cell] = []
    for chosen in product(*(values[option] for option in options)):
        changed = parse_config(config.model_dump() | dict(zip(options, chosen, strict=True)))
        if all(cell.config != changed for cell in cells):  # 1e-3 and 0.001
            cells.append(Cell(_name(changed, options), changed))
    return cells


def _name(config: TrainConfig, options: Sequence[str]) -> str:
    words = [f"{o.replace('_', ' ')} {in_words(o, getattr(config, o))}" for o in options]
    return f"{title_of(config)}: {', '.join(words)}" if words else title_of(config)
