"""Learn as you go: short trainings start by themselves, and better models take over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.errors import PetSegError
from core.project.project import Project
from core.project.reviews import Status
from petseg_gui.heavy import HEAVY
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.session import Session
from petseg_gui.tasks import Job, Lane, Task, Tasks
from petseg_gui.training.desk import TrainingDesk
from petseg_gui.training.run_list import RunList
from petseg_gui.training.watcher import Phase, RunWatcher
from petseg_gui.words import count

if TYPE_CHECKING:
    from core.training.learning import Judgement
    from core.training.plan import Plan
    from core.training.runs import RunInfo


@dataclass(frozen=True)
class _Found:
    """What the folder's runs and masks say.

    over: learning runs that ended and were not judged yet, newest first, the newest with its
    judgement. fresh: approvals that no run has seen. plan: where a run is due.
    """

    over: Sequence[RunInfo]
    judgement: Judgement | None
    under_way: bool
    fresh: int
    plan: Plan | None


class Learning(QObject):
    """Looks after every approval and at every end of a run; all of it in the background."""

    took_over = Signal(str)
    """A better model segments now: in words, how much better."""
    switched = Signal()
    """``on`` is as the folder's settings are now."""
    told = Signal(str)
    noted = Signal(str)
    """What it waits for, to be read beside the switch; "" where it is off."""

    def __init__(
        self,
        tasks: Tasks,
        session: Session,
        models: ModelChoice,
        desk: TrainingDesk,
        watcher: RunWatcher,
        runs: RunList,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._session = session
        self._models = models
        self._desk = desk
        self._watcher = watcher
        self._runs = runs
        self._awake = False  # the folder's first image is shown
        self._looking: Task | None = None
        self._again = False
        # Fresh masks at the last attempt: one that failed is not made again at once.
        self._tried = 0
        self._told: set[Path] = set()  # runs that were judged, also where it could not be written
        self.every = 10
        """So many approvals start a training."""
        session.status_changed.connect(self._status_changed)
        watcher.ended.connect(self.look)
        desk.changed.connect(self.look)

    @property
    def on(self) -> bool:
        """Whether it is switched on for the open folder."""
        project = self._session.project
        return project is not None and project.settings.learn

    def begin(self) -> None:
        """Learn in the open folder; what it learnt while no window was open is judged."""
        self._awake = True
        self.look()

    def leave(self) -> None:
        """Another folder is being opened: nothing is looked at until ``begin``."""
        self._awake, self._tried = False, 0
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def switch(self, on: bool) -> None:
        """Switch it on or off for the open folder, for good; ``switched`` follows."""
        project = self._session.project
        if project is None:
            return

        def work(job: Job) -> None:
            project.change_settings(learn=on)

        def done(_: None) -> None:
            self.switched.emit()
            self.look()

        def failed(reason: str) -> None:
            self.told.emit(reason)
            self.switched.emit()

        self._tasks.run(Lane.SAVE, work, done, failed, kept=True)

    def look(self) -> None:
        """Judge what has ended, and start what is due."""
        project = self._session.project
        if project is None or not project.writable or not self._awake:
            self.noted.emit("")
            return
        if self._looking is not None:
            self._again = True
            return
        self._again = False
        on, every, runs = self.on, self.every, self._runs

        def work(job: Job) -> _Found:
            with HEAVY:
                import_module("core.training.learning")  # and what stands on it
            return _look(job, project, runs.read(project), on, every)

        self._looking = self._tasks.run(Lane.TRAIN, work, self._take, self._failed)

    def _status_changed(self, name: str) -> None:
        if self.on and self._session.status(name) is Status.APPROVED:
            self.look()

    def _failed(self, reason: str) -> None:
        self._looking = None
        self.told.emit(reason)

    def _take(self, found: _Found) -> None:
        self._looking = None
        if found.over and found.over[0].folder not in self._told:
            self._judge(found)
        plan = found.plan
        if not self.on:
            self.noted.emit("")
        elif found.under_way:
            self.noted.emit("A short training learns from your masks.")
        elif plan is None:
            left = count(max(1, self.every - found.fresh), "more approval")
            self.noted.emit(f"The next short training starts after {left}.")
            self._tried = 0
        elif plan.problem:
            self.noted.emit(plan.problem)
        elif self._watcher.phase is Phase.PAUSED:
            # Whoever paused it wants the processor.
            self.noted.emit("The next short training starts once the paused one goes on or ends.")
        elif found.fresh != self._tried:
            self._tried = found.fresh
            self._start(plan)
        if self._again:
            self.look()

    def _start(self, plan: Plan) -> None:
        project, start = self._session.project, self._models.start
        if project is None:
            return

        def make() -> Sequence[Path]:
            with HEAVY:
                from core.training.learning import create_learning_run

            return [create_learning_run(project, start, plan)]

        self._desk.launch(project, make)

    def _judge(self, found: _Found) -> None:
        over = [info.folder for info in found.over]
        self._told.update(over)
        if found.judgement is not None:
            self._tell(found.over[0], found.judgement)
        self._runs.refresh()
        self._mark(over)  # after the choice of the model, which is written in the same lane

    def _tell(self, info: RunInfo, judgement: Judgement) -> None:
        config = info.config
        if config is None:
            return
        if info.problem:
            self.told.emit(f"The short training failed. {info.problem.splitlines()[0]}")
        elif info.model is None:
            self._models.refresh()
        elif not judgement.better:
            self._models.refresh()
            self.told.emit(f"Kept the present model. {judgement.text}")
        elif config.train.start != self._models.start:
            self._models.refresh()
            self.told.emit(
                f"A short training has made a better model ({judgement.text.rstrip('.')}), but you "
                "chose another one meanwhile, and it stays."
            )
        else:
            self._models.choose_new(info.model)
            masks = len(config.train_samples) + len(config.val_samples)
            masks += sum(len(event.images) for event in info.progress.joined)
            better = judgement.text[0].lower() + judgement.text[1:]
            self.took_over.emit(f"Learnt from {count(masks, 'mask')}: {better}")

    def _mark(self, runs: Sequence[Path]) -> None:
        def work(job: Job) -> None:
            from petseg_gui.training.marks import JUDGED, mark

            for run in runs:
                mark(run, JUDGED)

        self._tasks.run(Lane.SAVE, work, lambda _: self.look(), self.told.emit, kept=True)


def _look(job: Job, project: Project, infos: Sequence[RunInfo], on: bool, every: int) -> _Found:
    """For a thread."""
    from core.training.learning import fresh_masks, is_due, takes_over
    from core.training.plan import plan_training
    from core.training.runs import State
    from petseg_gui.training.marks import JUDGED, is_marked

    def alive() -> None:
        if job.cancelled:
            raise PetSegError("Nobody waits for this any more.")

    own = [i for i in infos if i.config is not None and i.config.purpose == "learn"]
    ends = (State.DONE, State.STOPPED, State.DISCARDED, State.FAILED)
    over = [i for i in own if i.state in ends and not is_marked(i.folder, JUDGED)]
    under_way = any(i.live or i.state is State.QUEUED for i in own)
    due = on and is_due(project, infos, every)
    return _Found(
        over=over,
        judgement=takes_over(over[0].progress) if over else None,
        under_way=under_way,
        fresh=fresh_masks(project, infos) if on else 0,
        plan=plan_training(project, alive=alive) if due else None,
    )
