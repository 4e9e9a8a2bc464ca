"""Following a run through its folder, whoever started it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    import subprocess

    from core.training.events import Event
    from core.training.progress import RunState

_POLL_MS = 400


@dataclass(frozen=True)
class _News:
    events: list[Event]
    offset: int
    alive: bool
    last_words: str


class RunWatcher(QObject):
    """``progressed`` after every event, ``ended`` once: read ``state``."""

    progressed = Signal()
    ended = Signal()

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.state: RunState | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._offset = 0
        self._reading: Task | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def training(self) -> bool:
        """Whether a run is under way."""
        return self.state is not None and not self.state.over

    @property
    def following(self) -> bool:
        """Whether the run's worker is still there to be looked after."""
        return self._timer.isActive()

    def watch(self, run: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        """Follow a run. process: its worker, where it is a child of this program."""
        # The events' models take a while to build: not at the window's start.
        from core.training.progress import RunState

        self.stop()
        self.state = RunState(run)
        self._process, self._offset = process, 0
        self._timer.start()
        self.progressed.emit()
        self._poll()

    def stop(self) -> None:
        """Look no longer; the run itself goes on."""
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
            alive = control.worker_alive(run) if process is None else process.poll() is None
            events, end = read_events(run, offset)
            return _News(events, end, alive, "" if alive else last_words(run))

        self._reading = self._tasks.run(Lane.TRAIN, work, self._take, self._unreadable)

    def _take(self, news: _News) -> None:
        self._reading = None
        state = self.state
        if state is None:
            return
        was_over = state.over
        for event in news.events:
            state.take(event)
        self._offset = news.offset
        if not news.alive:
            # Until then polling went on, so that the child process is reaped.
            self._timer.stop()
            if not state.over:
                state.death = news.last_words
        if news.events or state.over:
            self.progressed.emit()
        if state.over and not was_over:
            self.ended.emit()

    def _unreadable(self, reason: str) -> None:
        self._reading = None
        self._timer.stop()
        if self.state is not None and not self.state.over:
            self.state.death = reason
            self.progressed.emit()
            self.ended.emit()
