"""A run as its events tell it: what the window, the table of runs and the command line read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

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


@dataclass
class RunState:
    """What is known of a run so far.

    paused: its worker was told to pause and left a checkpoint. death: the log's last words, where
    the worker just died.
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

    @property
    def over(self) -> bool:
        return self.finished is not None or self.failed is not None or self.death is not None

    @property
    def problem(self) -> str:
        """Why the run failed, "" where it did not."""
        if self.failed is not None:
            return self.failed.reason
        if self.death is not None:
            words = f"\nIts last words:\n{self.death}" if self.death else ""
            return f"Its process ended before it was done: start a new training.{words}"
        return ""

    @property
    def model(self) -> Path | None:
        """The file of the best model, once the run is over and has kept one."""
        if self.finished is None or not self.finished.model:
            return None
        return self.run / self.finished.model

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, Started):
            self.started, self.paused = event, False
        elif isinstance(event, Step):
            self.step = event
            self.steps.append(event)
        elif isinstance(event, Epoch):
            self.epochs.append(event)
        elif isinstance(event, Preview):
            self.previews.append(event)
        elif isinstance(event, Joined):
            self.joined.append(event)
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

    def _go_back(self, step: int) -> None:
        # What was said of later steps no longer holds; nor does an end before them.
        self.epochs = [e for e in self.epochs if e.step <= step]
        self.steps = [s for s in self.steps if s.step <= step]
        self.previews = [p for p in self.previews if p.step <= step]
        self.joined = [j for j in self.joined if j.step <= step]
        self.step = self.steps[-1] if self.steps else None
        self.finished = self.failed = self.death = None
        self.paused = False
