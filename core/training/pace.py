"""How fast a run is, that it lives, and what a person wants of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from core.training import control, events
from core.training.control import Wanted
from core.training.ranks import ALONE, Ranks

_STEP_EVENT_SECONDS = 0.5
_TOUCH_SECONDS = 5.0
_ANSWERS = (None, *Wanted)

Say = Callable[[events.Event], None]


class Ended(Exception):
    """A person wants the run to end (or to pause) now."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class Watch:
    """Looks at control.json and shows that the worker lives.

    What was asked while the worker was starting is obeyed at the first look; not so a pause that
    an earlier worker has answered (``obeyed``: the counters of those): this one was started since.
    """

    def __init__(self, run: Path, say: Say, ranks: Ranks = ALONE, obeyed: int = -1) -> None:
        self._run = run
        self._say = say
        self._ranks = ranks
        wanted, counter = control.read_request(run)
        stale = wanted is Wanted.PAUSE and counter <= obeyed
        self._answered = counter if wanted is Wanted.RUN or stale else -1
        self._touched = 0.0

    def touch(self) -> None:
        """To be called often."""
        if self._ranks.first and time.monotonic() - self._touched > _TOUCH_SECONDS:
            control.touch(self._run)
            self._touched = time.monotonic()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Shows that the worker lives while it waits for something long, as a download."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(_TOUCH_SECONDS):
                with suppress(OSError):  # the folder is gone: who reads it will notice
                    control.touch(self._run)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def look(self, *, but: Wanted | None = None) -> None:
        """Raises Ended, on all ranks, where a person wants so. but: what is left for later."""
        self.settle(self._asked(but) if self._ranks.first else None)

    def peek(self, *, but: Wanted | None = None) -> None:
        """As ``look``, where ranks do not go in step: raises Ended on this one alone."""
        asked = self._asked(but)
        if asked is not None:
            raise Ended(asked)

    def settle(self, ended: Wanted | None) -> None:
        """Raises Ended on all ranks where one of them has been told to end."""
        wanted = _ANSWERS[self._ranks.largest(_ANSWERS.index(ended))]
        if wanted is not None:
            raise Ended(wanted)

    def _asked(self, but: Wanted | None) -> Wanted | None:
        """What is newly wanted, if not to run; answers it."""
        self.touch()
        wanted, counter = control.read_request(self._run)
        if counter == self._answered or wanted is but:
            return None
        self._answered = counter
        self._say(events.Control(counter=counter, state=wanted))
        return None if wanted is Wanted.RUN else wanted


class Pace:
    """Measures speed and says each half second how far the run is."""

    def __init__(self, say: Say, costs: Sequence[float], epoch_steps: int) -> None:
        """costs: of a step in each epoch, in relation to the others'."""
        self._say = say
        self._costs = costs
        self._epoch_steps = epoch_steps
        self._cost = 0.0
        self._images = 0
        self._training_seconds = 0.0
        self._epoch_end_seconds = 0.0
        self._last_said = 0.0
        self._last = time.monotonic()

    @property
    def images_per_second(self) -> float:
        """Training images a second, so far."""
        return self._images / max(self._training_seconds, 1e-9)

    def seconds_left(self, step: int) -> float:
        """Until the last epoch's end, validations included."""
        epochs, steps = divmod(step, self._epoch_steps)
        costs = self._costs[epochs:]
        cost = sum(costs) * self._epoch_steps - sum(costs[:1]) * steps
        epochs_left = len(costs) - steps / self._epoch_steps
        per_cost = self._training_seconds / max(self._cost, 1e-9)
        return cost * per_cost + epochs_left * self._epoch_end_seconds

    def stepped(self, images: int, step: int, epoch: int, loss: float) -> None:
        """A step on so many images was taken."""
        now = time.monotonic()
        self._training_seconds += now - self._last
        self._last = now
        self._cost += self._costs[epoch - 1]
        self._images += images
        if now - self._last_said >= _STEP_EVENT_SECONDS:
            self._last_said = now
            self._say(
                events.Step(
                    epoch=epoch,
                    step=step,
                    steps=len(self._costs) * self._epoch_steps,
                    loss=loss,
                    images_per_second=self.images_per_second,
                    seconds_left=self.seconds_left(step),
                )
            )

    def validated(self) -> None:
        """The time since the last step went into the epoch's end, which may go on."""
        self._epoch_end_seconds = time.monotonic() - self._last

    def epoch_ended(self) -> None:
        """The next step begins now."""
        self.validated()
        self._last = time.monotonic()
