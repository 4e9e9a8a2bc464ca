"""A run as its events tell it: what the window, the table of runs and the command line read."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from core.inference.catalogue import RUN_MODEL
from core.training.control import Wanted
from core.training.events import (
    Control,
    Epoch,
    Event,
    Failed,
    Finished,
    Joined,
    Notice,
    Preview,
    Resumed,
    Started,
    Step,
)


@dataclass(frozen=True)
class Gain:
    """Val IoU (0 to 1, three decimals) of the model a run started from, and of the one it kept."""

    before: float
    after: float

    @property
    def better(self) -> bool:
        """Whether the new model is worth changing to; equal at three decimals is not better."""
        return self.after > self.before

    def __str__(self) -> str:
        return f"{self.before:.3f} → {self.after:.3f}"


@dataclass
class RunState:
    """What is known of a run so far.

    paused: its worker was told to pause and left a checkpoint. death: the log's last words, where
    the worker just died. seconds: how long its workers trained, pauses left out.
    """

    run: Path
    started: Started | None = None
    step: Step | None = None
    epochs: list[Epoch] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    joined: list[Joined] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    paused: bool = False
    finished: Finished | None = None
    failed: Failed | None = None
    death: str | None = None
    seconds: float = 0.0
    _clock: float | None = None

    @property
    def over(self) -> bool:
        return self.finished is not None or self.failed is not None or self.death is not None

    @property
    def model(self) -> Path | None:
        """The file of the best model, once the run is over and has kept one."""
        # A folder may come from anywhere: a file outside of it is none of this run's.
        if self.finished is None or self.finished.model != RUN_MODEL:
            return None
        return self.run / RUN_MODEL

    @property
    def best(self) -> Epoch | None:
        """The epoch whose model is kept so far."""
        return next((e for e in reversed(self.epochs) if e.best), None)

    @property
    def gain(self) -> Gain | None:
        """What the run was good for; None where it kept no model or its start was not scored.

        Both models are scored on the run's validation images, at the images' own size.
        """
        before = self.started.start_val if self.started is not None else None
        after = self.finished.val if self.finished is not None else None
        if before is None or after is None or self.model is None:
            return None
        return Gain(round(before.iou, 3), round(after.iou, 3))

    def copy(self) -> RunState:
        """What is known now; it does not change with what comes."""
        return replace(
            self,
            epochs=list(self.epochs),
            steps=list(self.steps),
            previews=list(self.previews),
            joined=list(self.joined),
            notices=list(self.notices),
        )

    def take(self, event: Event) -> None:
        """Learn from an event."""
        self._count_time(event)
        if isinstance(event, Started):
            self._start(event)
        elif isinstance(event, Step):
            self.step = event
            self.steps.append(event)
        elif isinstance(event, Epoch):
            # After a crash just before a checkpoint an epoch is told once more, with all that
            # came behind it.
            _forget_from(self.previews, event.epoch)
            _forget_from(self.joined, event.epoch + 1)
            _put(self.epochs, event)
        elif isinstance(event, Preview):
            _put(self.previews, event)
        elif isinstance(event, Joined):
            _put(self.joined, event)
        elif isinstance(event, Control):
            self.paused = event.state == Wanted.PAUSE
        elif isinstance(event, Resumed):
            self._go_back(event.step)
        elif isinstance(event, Notice):
            self.notices.append(event.text)
        elif isinstance(event, Finished):
            self.finished = event
        elif isinstance(event, Failed):
            self.failed = event

    def _start(self, event: Started) -> None:
        # A run that goes on does not score its starting model again.
        if event.start_val is None and self.started is not None:
            event = event.model_copy(update={"start_val": self.started.start_val})
        self.started, self.paused = event, False
        # A worker has taken it up anew: from a checkpoint, or without one from the beginning.
        self.failed = self.death = None

    def _count_time(self, event: Event) -> None:
        # Between a worker's start and its last words; not what passes until another goes on.
        if isinstance(event, Started):
            self._clock = event.time
        elif isinstance(event, Control):
            self._clock = None
        elif isinstance(event, Step | Epoch | Finished) and self._clock is not None:
            gap = event.time - self._clock
            self.seconds += gap if 0 < gap < math.inf else 0.0
            self._clock = event.time

    def _go_back(self, step: int) -> None:
        # What was said of later steps no longer holds; nor does an end before them.
        self.epochs = [e for e in self.epochs if e.step <= step]
        self.steps = [s for s in self.steps if s.step <= step]
        self.previews = [p for p in self.previews if p.step <= step]
        self.joined = [j for j in self.joined if j.step <= step]
        self.step = self.steps[-1] if self.steps else None
        self.finished = self.failed = self.death = None
        self.paused = False


_T = TypeVar("_T", Epoch, Preview, Joined)


def _put(told: list[_T], event: _T) -> None:
    """Add what may have been told before."""
    _forget_from(told, event.epoch)
    told.append(event)


def _forget_from(told: list[_T], epoch: int) -> None:
    while told and told[-1].epoch >= epoch:
        told.pop()
