"""How fast a run is, that it lives, and what a person wants of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from core.training import control, events
from core.training.control import Wanted

_STEP_EVENT_SECONDS = 0.5
_TOUCH_SECONDS = 5.0

Say = Callable[[events.Event], None]


class Ended(Exception):
    """A person wants the run to end (or to pause) now."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class Watch:
    """Looks at control.json and shows that the worker lives.

    What was asked while the worker was starting is obeyed at the first look.
    """

    def __init__(self, run: Path, say: Say) -> None:
        self._run = run
        self._say = say
        wanted, counter = control.read_request(run)
        self._answered = counter if wanted is Wanted.RUN else -1
        self._touched = 0.0

    def touch(self) -> None:
        """To be called often."""
        if time.monotonic() - self._touched > _TOUCH_SECONDS:
            control.touch(self._run)
            self._touched = time.monotonic()

    def look(self) -> None:
        """Raises Ended where a person wants so."""
        self.touch()
        wanted, counter = control.read_request(self._run)
        if counter != self._answered:
            self._answered = counter
            self._say(events.Control(counter=counter, state=wanted))
            if wanted is not Wanted.RUN:
                raise Ended(wanted)


class Pace:
    """Measures speed and says each half second how far the run is."""

    def __init__(self, say: Say, first_step: int, total_steps: int, epoch_steps: int) -> None:
        self._say = say
        self._first_step = first_step
        self._total_steps = total_steps
        self._epoch_steps = epoch_steps
        self._images = 0
        self._training_seconds = 0.0
        self._validation_seconds = 0.0
        self._last_said = 0.0
        self._last = time.monotonic()

    @property
    def images_per_second(self) -> float:
        """Training images a second, so far."""
        return self._images / max(self._training_seconds, 1e-9)

    def seconds_left(self, step: int) -> float:
        """Until the last epoch's end, validations included."""
        left = self._total_steps - step
        per_step = self._training_seconds / max(step - self._first_step, 1)
        return left * per_step + left / self._epoch_steps * self._validation_seconds

    def stepped(self, images: int, step: int, epoch: int, loss: float) -> None:
        """A step on so many images was taken."""
        now = time.monotonic()
        self._training_seconds += now - self._last
        self._last = now
        self._images += images
        if now - self._last_said >= _STEP_EVENT_SECONDS:
            self._last_said = now
            self._say(
                events.Step(
                    epoch=epoch,
                    step=step,
                    steps=self._total_steps,
                    loss=loss,
                    images_per_second=self.images_per_second,
                    seconds_left=self.seconds_left(step),
                )
            )

    def validated(self) -> None:
        """The time since the last step went into validating."""
        now = time.monotonic()
        self._validation_seconds = now - self._last
        self._last = now
