"""Starting, joining and ending trainings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, Signal

from core.project.project import Project
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Tasks
from petseg_gui.training.watcher import RunWatcher

if TYPE_CHECKING:
    import subprocess

    from core.training.config import TrainConfig
    from core.training.plan import Plan

# core.training is imported where it is used: its models take a while to build, and the window's
# first photo does not wait for them.
Started: TypeAlias = "tuple[Path, subprocess.Popen[bytes]]"


class TrainingDesk(QObject):
    """One training at a time, in a process of its own."""

    started = Signal()
    """A run is being followed now."""
    failed = Signal(str)
    """A run could not be started or told something."""

    def __init__(self, tasks: Tasks, watcher: RunWatcher, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._watcher = watcher
        self._starting = False

    @property
    def busy(self) -> bool:
        """Whether another training has to wait."""
        return self._starting or self._watcher.training

    def start(self, project: Project, config: TrainConfig, plan: Plan) -> None:
        """Make a run and start its worker."""
        if self.busy:
            return
        self._starting = True

        def work(job: Job) -> Started:
            with HEAVY:
                from core.training.launch import create_run, start_worker

            run = create_run(project, config, plan)
            return run, start_worker(run)

        def started(result: Started) -> None:
            self._starting = False
            self._watcher.watch(*result)
            self.started.emit()

        def failed(reason: str) -> None:
            self._starting = False
            self.failed.emit(reason)

        self._tasks.run(Lane.TRAIN, work, started, failed)

    def join(self, project: Project) -> None:
        """Follow the run that is being trained in this project, if there is one."""
        if self.busy:
            return
        runs = project.runs

        def work(job: Job) -> Path | None:
            from core.training import control

            found = sorted(runs.iterdir(), reverse=True) if runs.is_dir() else []
            return next((run for run in found if control.worker_alive(run)), None)

        def joined(run: Path | None) -> None:
            if run is not None and not self.busy:
                self._watcher.watch(run)
                self.started.emit()

        self._tasks.run(Lane.TRAIN, work, joined, self.failed.emit)

    def stop(self, then: Callable[[], None] | None = None) -> None:
        """End the run after the step in hand and keep its best model; ``then``: once it is told."""
        self._request("stop", then)

    def discard(self) -> None:
        """End the run and keep nothing of it."""
        self._request("discard")

    def _request(self, wanted: str, then: Callable[[], None] | None = None) -> None:
        state = self._watcher.state
        if state is None or state.over:
            if then is not None:
                then()
            return
        run = state.run

        def work(job: Job) -> int:
            from core.training import control

            return control.request(run, control.Wanted(wanted))

        def told(_: int) -> None:
            if then is not None:
                then()

        self._tasks.run(Lane.TRAIN, work, told, self.failed.emit)
