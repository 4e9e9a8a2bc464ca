"""Starting, joining and ending trainings."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.project.project import Project
from core.training import control
from core.training.config import TrainConfig
from core.training.control import Wanted
from core.training.launch import create_run, start_worker
from core.training.plan import Plan
from petseg_gui.tasks import Job, Lane, Tasks
from petseg_gui.training.watcher import RunWatcher

Started = tuple[Path, subprocess.Popen[bytes]]


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
            found = sorted(runs.iterdir(), reverse=True) if runs.is_dir() else []
            return next((run for run in found if control.worker_alive(run)), None)

        def joined(run: Path | None) -> None:
            if run is not None and not self.busy:
                self._watcher.watch(run)
                self.started.emit()

        self._tasks.run(Lane.TRAIN, work, joined, self.failed.emit)

    def stop(self, then: Callable[[], None] | None = None) -> None:
        """End the run after the step in hand and keep its best model; ``then``: once it is told."""
        self._request(Wanted.STOP, then)

    def discard(self) -> None:
        """End the run and keep nothing of it."""
        self._request(Wanted.DISCARD)

    def _request(self, wanted: Wanted, then: Callable[[], None] | None = None) -> None:
        state = self._watcher.state
        if state is None or state.over:
            return
        run = state.run

        def told(_: int) -> None:
            if then is not None:
                then()

        self._tasks.run(
            Lane.TRAIN, lambda job: control.request(run, wanted), told, self.failed.emit
        )
