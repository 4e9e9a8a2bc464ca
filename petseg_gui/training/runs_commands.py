"""What can be done with trainings in their window: words, keys, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.training.runs import RunInfo


@dataclass(frozen=True)
class RunCommand:
    """can: whether it can be done with the runs that are selected (one at least).

    writes: whether it needs a folder that may be written to.
    """

    id: str
    text: str
    tip: str
    key: str
    can: Callable[[Sequence[RunInfo]], bool]
    writes: bool = True


def _one(test: Callable[[RunInfo], bool]) -> Callable[[Sequence[RunInfo]], bool]:
    return lambda infos: len(infos) == 1 and test(infos[0])


RUN_COMMANDS = (
    RunCommand(
        "use",
        "Use this model",
        "Segment with this model from now on",
        "Ctrl+U",
        _one(lambda i: i.model is not None and not i.live),
        writes=False,
    ),
    RunCommand(
        "continue",
        "Continue…",
        "Train further from its best model, with the same masks and settings",
        "Ctrl+G",
        _one(lambda i: i.model is not None and i.config is not None and not i.live),
    ),
    RunCommand(
        "again",
        "Train again",
        "A new training with the same settings, on today's masks",
        "Ctrl+T",
        _one(lambda i: i.config is not None),
    ),
    RunCommand(
        "pause",
        "Pause",
        "Free the processor; the training goes on later where it was",
        "Ctrl+P",
        _one(lambda i: i.live),
    ),
    RunCommand(
        "resume",
        "Resume",
        "Let the training go on where it stood still",
        "Ctrl+R",
        _one(lambda i: i.resumable),
    ),
    RunCommand(
        "stop",
        "Stop",
        "End the training and keep its best model",
        "Ctrl+.",
        _one(lambda i: i.live),
    ),
    RunCommand(
        "unqueue",
        "Remove from queue",
        "Let it wait until it is resumed by hand",
        "Ctrl+Backspace",
        lambda infos: all(i.queued for i in infos),
    ),
    RunCommand(
        "rename",
        "Rename",
        "Give the training and its model another name",
        "F2",
        _one(lambda i: i.config is not None and not i.live),
    ),
    RunCommand(
        "delete",
        "Delete…",
        "Delete the training with its model",
        "Del",
        lambda infos: not any(i.live for i in infos),
    ),
    RunCommand(
        "log",
        "Show log",
        "What its process wrote down",
        "Ctrl+L",
        _one(lambda i: True),
        writes=False,
    ),
    RunCommand(
        "folder",
        "Open folder",
        "Show the training's files",
        "Ctrl+O",
        _one(lambda i: True),
        writes=False,
    ),
)
"""In the order of the menu."""
