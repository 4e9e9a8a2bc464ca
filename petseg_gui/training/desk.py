"""Starting, joining, pausing and ending trainings; those that wait start one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.errors import PetSegError
from core.project.project import Project
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Tasks
from petseg_gui.training.watcher import Phase, RunWatcher

if TYPE_CHECKING:
    import subprocess

    from core.training.control import Wanted
    from petseg_gui.training.arrival import Arrival


@dataclass(frozen=True)
class _Started:
    """What is trained now, if anything, and how many runs wait behind it."""

    run: Path | None
    process: subprocess.Popen[bytes] | None
    waiting: int


# core.training is imported where it is used: its models take a while to build, and the window's
# first photo does not wait for them.
class TrainingDesk(QObject):
    """One training at a time, in a process of its own; the others wait in their folders."""

    started = Signal()
    """A run is being followed now."""
    queued = Signal(int)
    """New runs wait behind the one under way: so many in all."""
    changed = Signal()
    """``busy`` or ``waiting`` is another."""
    arrived = Signal(object)
    """An Arrival: what became of the folder's trainings while no window was open."""
    failed = Signal(str)
    """A run could not be started or told something."""

    def __init__(self, tasks: Tasks, watcher: RunWatcher, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._watcher = watcher
        self._project: Project | None = None
        self._starting = 0
        self.waiting = 0
        watcher.ended.connect(self._mark_seen)
        watcher.left.connect(self.look)

    @property
    def busy(self) -> bool:
        """Whether another training has to wait."""
        return self._starting > 0 or self._watcher.training

    def launch(self, project: Project, make: Callable[[], Sequence[Path]]) -> None:
        """Have run folders made in the background; they start one after the other.

        make: runs in a thread; may raise PetSegError.
        """

        def work(job: Job) -> _Started:
            with HEAVY:
                from core.training import queue

            for run in make():
                queue.enqueue(run)
            return _start_next(project.runs)

        def done(started: _Started) -> None:
            self._done(started)
            if started.process is None:
                self.queued.emit(started.waiting)

        self._project = project
        self._begin(work, done)

    def resume(self, run: Path | None = None) -> None:
        """Let a run go on where it stood still: the one that is followed, or another.

        It goes before those that wait, but waits itself while another is trained.
        """
        project, state = self._project, self._watcher.state
        if run is None and state is not None and self._watcher.resumable:
            run = state.run
        if project is not None and run is not None:
            self._begin(lambda job: _resume(project.runs, run), self._done)

    def join(self, project: Project) -> None:
        """Follow the run that is trained in this project, or show the one that stands still."""
        if project is not self._project:
            self._project, self.waiting = project, 0
            self._watcher.forget()
            self._watcher.progressed.emit()

        def work(job: Job) -> Arrival:
            with HEAVY:
                from petseg_gui.training.arrival import look_around

            return look_around(project)

        def joined(found: Arrival) -> None:
            if project is not self._project or self.busy:
                return
            self.waiting = found.waiting
            if found.run is not None:
                self._watcher.watch(found.run)
                self.started.emit()
            elif found.waiting:
                self.look()
            self.changed.emit()
            self.arrived.emit(found)

        self._tasks.run(Lane.TRAIN, work, joined, self.failed.emit)

    def look(self) -> None:
        """Start what waits, unless a run is under way or paused; count again what waits."""
        project = self._project
        if project is None or not project.writable:
            return
        start = self._watcher.phase is not Phase.PAUSED and not self.busy

        def work(job: Job) -> _Started:
            with HEAVY:
                from core.training import queue

            if start:
                return _start_next(project.runs)
            return _Started(None, None, len(queue.waiting(project.runs)))

        self._begin(work, self._done)

    def pause(self, then: Callable[[], None] | None = None) -> None:
        """Free the processor after the step in hand; ``then``: once it is told."""
        self._request("pause", then)

    def stop(self, then: Callable[[], None] | None = None) -> None:
        """End the run after the step in hand and keep its best model."""
        if self._watcher.resumable:
            self._stop_standing(then)
        else:
            self._request("stop", then)

    def discard(self) -> None:
        """End the run and keep nothing of it."""
        if self._watcher.resumable:
            self._delete_standing()
        else:
            self._request("discard")

    def end_silent(self, resume: bool = False) -> None:
        """End the process of a run that says nothing any more, and let it go on in a new one."""
        state = self._watcher.state
        if state is None or self._watcher.phase is not Phase.SILENT:
            return
        run = state.run

        def work(job: Job) -> None:
            from core.training import control

            control.kill_worker(run)

        def killed(_: None) -> None:
            if resume:
                self.resume(run)

        self._tasks.run(Lane.TRAIN, work, killed, self.failed.emit)

    def _stop_standing(self, then: Callable[[], None] | None) -> None:
        """Only a worker can finish a run: it is started and told to stop at its first look."""
        project, state = self._project, self._watcher.state
        if project is None or state is None:
            return
        run = state.run

        def work(job: Job) -> _Started:
            with HEAVY:
                from core.training import control, queue

            if queue.busy(project.runs) not in (None, run):
                raise PetSegError("Another training is under way: stop this one when it has ended.")
            started = _resume(project.runs, run)
            if started.run == run:
                control.request(run, control.Wanted.STOP)
            return started

        def done(started: _Started) -> None:
            from core.training.control import Wanted

            self._done(started)
            if started.run == run:
                self._asked(Wanted.STOP)
            if then is not None:
                then()

        self._begin(work, done)

    def _delete_standing(self) -> None:
        project, state = self._project, self._watcher.state
        if project is None or state is None:
            return
        run = state.run

        def work(job: Job) -> None:
            with HEAVY:
                from core.training.housekeeping import delete_run

            delete_run(project, run)

        def deleted(_: None) -> None:
            self._watcher.forget()
            self._watcher.progressed.emit()
            self.look()

        self._tasks.run(Lane.TRAIN, work, deleted, self.failed.emit)

    def _mark_seen(self) -> None:
        state, project = self._watcher.state, self._project
        if state is None or project is None or not project.writable:
            return
        run = state.run

        def work(job: Job) -> None:
            from petseg_gui.training.arrival import mark_seen

            mark_seen(run)

        self._tasks.run(Lane.TRAIN, work, None, self.failed.emit)

    def _begin(self, work: Callable[[Job], _Started], done: Callable[[_Started], None]) -> None:
        self._starting += 1
        self.changed.emit()

        def failed(reason: str) -> None:
            self._starting -= 1
            self.changed.emit()
            self.failed.emit(reason)

        def ready(started: _Started) -> None:
            self._starting -= 1
            done(started)

        self._tasks.run(Lane.TRAIN, work, ready, failed)

    def _done(self, started: _Started) -> None:
        self.waiting = started.waiting
        state = self._watcher.state
        known = state is not None and state.run == started.run
        if started.run is not None and (started.process is not None or not known):
            self._watcher.watch(started.run, started.process)
            self.started.emit()
        self.changed.emit()

    def _request(self, wanted: str, then: Callable[[], None] | None = None) -> None:
        state = self._watcher.state
        if state is None or not self._watcher.training:
            if then is not None:
                then()
            return
        run = state.run

        def work(job: Job) -> Wanted:
            from core.training import control

            control.request(run, control.Wanted(wanted))
            return control.Wanted(wanted)

        def told(asked: Wanted) -> None:
            self._asked(asked)
            if then is not None:
                then()

        self._tasks.run(Lane.TRAIN, work, told, self.failed.emit, kept=True)

    def _asked(self, wanted: Wanted) -> None:
        """Show at once what the worker will answer later."""
        self._watcher.asked = wanted
        self._watcher.progressed.emit()


def _start_next(runs: Path) -> _Started:
    """The run that waited longest, started now; or the one that is trained already."""
    from core.training import queue

    started = queue.start_next(runs)
    run, process = started if started is not None else (queue.busy(runs), None)
    return _Started(run, process, len(queue.waiting(runs)))


def _resume(runs: Path, run: Path) -> _Started:
    """Let a run go on at once, or queue it behind the one that is trained."""
    with HEAVY:
        from core.training import queue
        from core.training.launch import start_worker

    other = queue.busy(runs)
    if other is not None and other != run:
        queue.enqueue(run)
        return _Started(other, None, len(queue.waiting(runs)))
    process = start_worker(run) if other is None else None
    return _Started(run, process, len(queue.waiting(runs)))
