"""What became of a folder's trainings while no window was open; for a thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.project.project import Project
from core.training import queue
from core.training.runs import RunInfo, State, list_runs
from petseg_gui.training.marks import SEEN, is_marked, mark


@dataclass(frozen=True)
class Arrival:
    """run: the one to show: trained now, or standing still; waiting: how many wait.

    ended: the newest that ended with a model and was not told of yet.
    """

    run: Path | None
    waiting: int
    ended: RunInfo | None


def look_around(project: Project) -> Arrival:
    """Look at a folder's runs; what is told now is not told at the next opening."""
    # What the window learnt by itself is judged elsewhere.
    runs = list_runs(project.runs)
    own = [info for info in runs if info.config is None or info.config.purpose != "learn"]
    live = next((info for info in runs if info.live), None)
    standing = next((info for info in own if _stands(info)), None)
    shown = live or standing
    ended = next((info for info in own if info.state in (State.DONE, State.STOPPED)), None)
    if ended is not None and (ended.model is None or not _first_time(project, ended.folder)):
        ended = None
    waiting = len(queue.waiting(project.runs))
    return Arrival(shown.folder if shown is not None else None, waiting, ended)


def mark_seen(run: Path) -> None:
    """The end of this run was seen: it is told no more."""
    mark(run, SEEN)


def _stands(info: RunInfo) -> bool:
    if info.state is State.FAILED:
        return not is_marked(info.folder, SEEN)
    return info.state in (State.PAUSED, State.INTERRUPTED)


def _first_time(project: Project, run: Path) -> bool:
    if not project.writable or is_marked(run, SEEN):
        return False
    mark_seen(run)
    return True
