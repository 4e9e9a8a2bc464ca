"""``petseg queue``."""

from __future__ import annotations

import time
from pathlib import Path

from core.cli.follow import follow, read_on
from core.cli.output import DONE, open_for_cli, say
from core.training.progress import RunState
from core.training.queue import busy, start_next, waiting
from core.training.runs import read_run

_LOOK_SECONDS = 1.0


def queue_command(data: Path, store: Path | None) -> int:
    """Start the trainings of a folder that wait, one after the other, and follow each."""
    runs = open_for_cli(data, store).runs
    if not waiting(runs):
        say("No training waits. To let one wait: petseg train DATA --queue")
        return DONE
    return follow_queue(runs)


def follow_queue(runs: Path) -> int:
    """Train what waits in a folder of runs; Ctrl+C or a pause ends it, the others go on waiting."""
    code, awaited = DONE, None
    while queue := waiting(runs):
        # What a run said before its worker starts is known already.
        told = {run: RunState(run) for run in queue}
        offsets = {run: read_on(state, 0) for run, state in told.items()}
        started = start_next(runs)
        if started is None:
            awaited = _say_awaited(busy(runs), awaited)
            time.sleep(_LOOK_SECONDS)
            continue
        run, worker = started
        say(f"{read_run(run).name}; run folder {run}")
        ending = follow(told.get(run, RunState(run)), worker, offsets.get(run, 0))
        code = code or ending.code
        if ending.enough:
            break
    left = len(waiting(runs))
    if left:
        say(f"{left} more {'waits' if left == 1 else 'wait'}; to start: petseg queue DATA")
    return code


def _say_awaited(run: Path | None, awaited: Path | None) -> Path | None:
    if run is not None and run != awaited:
        say(f"Waiting for {read_run(run).name}, which is being trained.")
    return run
