"""Progress that is told at a pace people can read: a step may take less than a millisecond."""

from __future__ import annotations

import time
from collections.abc import Callable

from petseg_gui.tasks import Job

_PACE_S = 0.05


def calmly(job: Job, words: str) -> Callable[[int, int], None]:
    """Reports (words, steps done, all of them) of a job, not more often than can be seen."""
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if done == total or now - told >= _PACE_S:
            told = now
            job.report((words, done, total))

    return tell
