"""Looks for the image that is the most useful to correct next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.project.project import Project
from petseg_gui.browser.facts import FactsKeeper
from petseg_gui.heavy import HEAVY
from petseg_gui.session import Session
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.evaluation.triage import Known
    from core.evaluation.useful import Choice
    from core.project.index import Index


class UsefulFinder(QObject):
    """``found`` tells a Choice, or None where no image waits."""

    found = Signal(object)
    failed = Signal(str)

    def __init__(
        self, tasks: Tasks, session: Session, facts: FactsKeeper, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._session = session
        self._facts = facts
        self._offered: dict[str, None] = {}  # in this session: who passes one over wants another
        self._task: Task | None = None
        session.project_changed.connect(self._forget)

    def find(self, names: Sequence[str]) -> None:
        """Look among these images; ``found`` or ``failed`` follows."""
        project, index = self._session.project, self._facts.index
        if project is None or index is None or self._task is not None:
            return
        known, offered, now = self._facts.known, list(self._offered), self._session.wanted
        self._task = self._tasks.run(
            Lane.INDEX,
            lambda job: _choose(job, project, index, known, names, [*offered, now]),
            self._landed,
            self._failed,
        )

    def _landed(self, choice: Choice | None) -> None:
        self._task = None
        if choice is not None:
            if choice.name in self._offered:
                self._offered.clear()  # all were offered: from the beginning
            self._offered[choice.name] = None
        self.found.emit(choice)

    def _failed(self, reason: str) -> None:
        self._task = None
        self.failed.emit(reason)

    def _forget(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._offered.clear()


def _choose(
    job: Job,
    project: Project,
    index: Index,
    known: Known,
    names: Sequence[str],
    offered: list[str],
) -> Choice | None:
    """The most useful of the images that wait; offered: the latest, that which is open, last."""
    with HEAVY:
        from core.evaluation.measuring import stored_look
        from core.evaluation.useful import Look, next_useful, waiting_among

    def look(name: str) -> Look | None:
        return None if job.cancelled else stored_look(project, index, name)

    waiting, done = waiting_among(project, names, known)
    waiting.pop(offered[-1], None)
    passed = {name: None for name in offered if name in waiting}
    fresh = {name: value for name, value in waiting.items() if name not in passed}
    if fresh:
        return next_useful(fresh, [*done, *passed], look)
    return next_useful(waiting, done, look)
