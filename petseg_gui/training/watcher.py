"""Following a run through its folder, whoever started it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import BadInput
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    import subprocess

    from core.training.config import RunConfig
    from core.training.control import Wanted
    from core.training.events import Event, Failed, Finished
    from core.training.progress import RunState

_POLL_MS = 400
_PAUSED_POLL_MS = 2000  # somebody else may let it go on


class Phase(Enum):
    """Where a run is."""

    NONE = auto()
    TRAINING = auto()
    SILENT = auto()
    """Its worker lives, but says nothing any more."""
    ENDING = auto()
    """It was told to pause, to stop or to end, and has not answered yet."""
    PAUSED = auto()
    DIED = auto()
    FAILED = auto()
    FINISHED = auto()


@dataclass(frozen=True)
class _News:
    """history: the run's state until now, where this is the first look at it."""

    history: RunState | None
    config: RunConfig | None
    events: list[Event]
    offset: int
    alive: bool
    silent: bool
    last_words: str


class RunWatcher(QObject):
    """Read ``state`` and ``phase`` when it says that something has happened."""

    met = Signal()
    """A run is followed, and its history and ``config`` are known."""
    progressed = Signal()
    paused = Signal()
    ended = Signal()
    """The run ended while it was followed: finished, failed or died."""
    left = Signal()
    """The worker of a run that ended is gone: the next one may begin."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.state: RunState | None = None
        self.config: RunConfig | None = None
        self.asked: Wanted | None = None
        """What this window asked for last and was not answered yet."""
        self.last_words = ""
        """The end of the log of a worker that died or fell silent."""
        self._alive = False
        self._silent = False
        self._process: subprocess.Popen[bytes] | None = None
        self._offset: int | None = None
        # What the events say of an end before the worker that lives now: it may be taken back.
        self._former_end: tuple[Finished | None, Failed | None] | None = None
        self._reading: Task | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)

    @property
    def phase(self) -> Phase:
        """Where the run is that is followed."""
        state = self.state
        if state is None:
            return Phase.NONE
        if state.finished is not None:
            return Phase.FINISHED
        if state.failed is not None:
            return Phase.FAILED
        if state.death is not None:
            return Phase.DIED
        if state.paused and not self._alive:
            return Phase.PAUSED
        if self._silent:
            return Phase.SILENT
        return Phase.ENDING if state.paused or self.asked is not None else Phase.TRAINING

    @property
    def training(self) -> bool:
        """Whether a run is under way."""
        return self.phase in (Phase.TRAINING, Phase.SILENT, Phase.ENDING)

    @property
    def resumable(self) -> bool:
        """Whether the run stands still and can go on."""
        return self.phase in (Phase.PAUSED, Phase.DIED, Phase.FAILED)

    @property
    def following(self) -> bool:
        """Whether the run is still being looked at."""
        return self._timer.isActive()

    def watch(self, run: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        """Follow a run. process: its worker, where it is a child of this program."""
        # The events' models take a while to build: not at the window's start.
        from core.training.progress import RunState

        self.forget()
        self.state = RunState(run)
        self._process, self._alive = process, True
        self._timer.start(_POLL_MS)
        self.progressed.emit()
        self._poll()

    def forget(self) -> None:
        """Follow no run any more; the run itself goes on."""
        self.stop()
        self.state = self.config = self.asked = None
        self.last_words = ""
        self._offset = self._former_end = self._process = None
        self._alive = self._silent = False

    def stop(self) -> None:
        """Look no longer."""
        self._timer.stop()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _poll(self) -> None:
        if self.state is None or self._reading is not None:
            return
        run, process, offset = self.state.run, self._process, self._offset

        def work(job: Job) -> _News:
            with HEAVY:
                from core.training import control
                from core.training.events import read_events
                from core.training.launch import last_words

            # First whether it lives, then what it said: so its last words are never missed.
            alive = (process is not None and process.poll() is None) or control.worker_alive(run)
            silent = alive and control.worker_silent(run)
            events, end = read_events(run, offset or 0)
            words = last_words(run) if silent or not alive else ""
            if offset is not None:
                return _News(None, None, events, end, alive, silent, words)
            return _News(_history(run, events), _config(run), [], end, alive, silent, words)

        self._reading = self._tasks.run(Lane.TRAIN, work, self._take, self._unreadable)

    def _take(self, news: _News) -> None:
        self._reading = None
        state, before = self.state, self.phase
        if state is None:
            return
        fell_silent = news.silent != self._silent
        self._alive, self._silent = news.alive, news.silent
        self._offset, self.last_words = news.offset, news.last_words
        if news.history is not None:
            self.state = state = news.history
            self.config = news.config
            self._put_end_aside(state)
        for event in news.events:
            state.take(event)
        if news.events:
            self._former_end = None
        if not news.alive:
            self._settle(state)
        if news.history is not None or news.events or fell_silent or self.phase is not before:
            self.progressed.emit()
        if news.history is not None:
            self.met.emit()
        if news.history is None or self._process is not None:
            self._tell(before)
        self._pace()

    def _put_end_aside(self, state: RunState) -> None:
        """A worker that lives has taken up the run anew, or it is just about to leave."""
        if self._alive and state.over:
            self._former_end = (state.finished, state.failed)
            state.finished = state.failed = None
        if self._process is not None:
            state.paused = False  # this window has just let it go on

    def _settle(self, state: RunState) -> None:
        """The worker is gone: why?"""
        if self._former_end is not None:
            state.finished, state.failed = self._former_end
            self._former_end = None
        if not state.over and not state.paused:
            state.death = self.last_words

    def _tell(self, before: Phase) -> None:
        phase, ends = self.phase, (Phase.DIED, Phase.FAILED, Phase.FINISHED)
        if phase is Phase.PAUSED and before is not phase:
            self.paused.emit()
        elif phase in ends and before not in ends:
            self.ended.emit()
        if phase in ends and not self._alive and self._timer.isActive():
            self.left.emit()

    def _pace(self) -> None:
        """Look more rarely, or not at all any more."""
        state, standing = self.state, self.phase is Phase.PAUSED
        if standing or state is None or state.over:
            self.asked = None
        if state is None or (state.over and not self._alive):
            # Until then polling went on, so that the child process is reaped.
            self._timer.stop()
        elif self._timer.isActive():
            self._timer.setInterval(_PAUSED_POLL_MS if standing else _POLL_MS)

    def _unreadable(self, reason: str) -> None:
        self._reading = None
        self._timer.stop()
        if self.state is not None and not self.state.over:
            self.state.death = self.last_words = reason
            self.progressed.emit()
            self.ended.emit()


def _history(run: Path, events: list[Event]) -> RunState:
    """What all events so far tell. For a thread: there may be a hundred thousand of them."""
    from core.training.progress import RunState

    state = RunState(run)
    for event in events:
        state.take(event)
    return state


def _config(run: Path) -> RunConfig | None:
    from core.training.config import read_run_config

    try:
        return read_run_config(run)
    except BadInput:
        return None  # the worker says what is wrong with it
