"""Masks on their way to the disk. A mask is kept here until its write succeeded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.files import sha256
from core.project.project import Project
from core.project.reviews import Review
from petseg_gui.tasks import Job, Lane, Tasks

_RETRY_MS = 10_000


@dataclass(frozen=True, eq=False)
class Work:
    """A judgement to be written, with its mask (uint8, height x width) if that has changed."""

    project: Project
    review: Review
    mask: np.ndarray | None


class Saver(QObject):
    """Writes one mask after the other; a failed write waits and is tried again."""

    saved = Signal(str)
    failed = Signal(str, str)
    """An image's name, and why its mask could not be written."""
    idle = Signal()
    """Nothing is being written any more; what failed may still wait."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._waiting: dict[str, Work] = {}
        self._failed: dict[str, str] = {}
        self._writing: str | None = None
        self._then: list[Callable[[], None]] = []
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(_RETRY_MS)
        self._retry.timeout.connect(self.try_again)

    @property
    def busy(self) -> bool:
        """Whether something is being written now."""
        return self._writing is not None

    @property
    def problems(self) -> dict[str, str]:
        """Image name -> why its mask is not on the disk yet."""
        return dict(self._failed)

    def unsaved(self, name: str) -> np.ndarray | None:
        """The mask of an image that is not on the disk yet, or None."""
        work = self._waiting.get(name)
        return work.mask if work is not None else None

    def save(self, project: Project, review: Review, mask: np.ndarray | None) -> None:
        """Write a judgement and its mask; newer ones replace older ones that still wait."""
        name = review.image
        before = self._waiting.get(name)
        if mask is None and before is not None:
            mask = before.mask  # the older mask is not on the disk yet
        self._waiting[name] = Work(project, review, mask)
        self._failed.pop(name, None)
        self._next()

    def when_idle(self, act: Callable[[], None]) -> None:
        """Call ``act`` as soon as nothing is being written: now, or later."""
        if self.busy:
            self._then.append(act)
        else:
            act()

    def try_again(self) -> None:
        """Write what could not be written before."""
        self._retry.stop()
        self._failed.clear()
        self._next()

    def give_up(self) -> None:
        """Drop what could not be written: a person said so."""
        self._retry.stop()
        for name in self._failed:
            self._waiting.pop(name, None)
        self._failed.clear()

    def _next(self) -> None:
        if self._writing is not None:
            return
        name = next((n for n in self._waiting if n not in self._failed), None)
        if name is None:
            self.idle.emit()
            then, self._then = self._then, []
            for act in then:
                act()
            return
        self._writing, work = name, self._waiting[name]
        self._tasks.run(
            Lane.SAVE,
            lambda job: _write(job, work),
            lambda _: self._written(name, work),
            lambda reason: self._not_written(name, work, reason),
        )

    def _written(self, name: str, work: Work) -> None:
        self._writing = None
        if self._waiting.get(name) is work:
            del self._waiting[name]
        self.saved.emit(name)
        self._next()

    def _not_written(self, name: str, work: Work, reason: str) -> None:
        self._writing = None
        if self._waiting.get(name) is work:
            self._failed[name] = reason
            self._retry.start()
            self.failed.emit(name, reason)
        self._next()


def _write(job: Job, work: Work) -> None:
    # Not asked whether cancelled: what a person drew is written even while the window closes.
    project, review = work.project, work.review
    if work.mask is not None:
        project.save_mask(review.image, work.mask, review)
        return
    source = project.mask_source(review.image)
    digest = sha256(source.read_bytes()) if source is not None else ""
    project.add_review(replace(review, mask=digest))
