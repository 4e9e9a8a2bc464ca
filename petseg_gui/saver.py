"""Masks on their way to the disk. A mask is kept here until its write succeeded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from core.editing.snapshot import Snapshot
from core.files import WriteError
from core.project.project import MaskChanged, Project
from core.project.reviews import Review
from petseg_gui.journals import Journals, Mark
from petseg_gui.tasks import Job, Lane, Tasks

_RETRY_MS = 10_000


@dataclass(frozen=True, eq=False)
class Work:
    """A judgement to be written, with its mask and the edits in it if that has changed.

    digests: the saver's of this folder; another may be open before it is written.
    """

    project: Project
    review: Review
    mask: Snapshot | None
    mark: Mark | None
    digests: dict[str, str]


class Saver(QObject):
    """Writes one mask after the other; a failed write waits and is tried again."""

    saved = Signal(str)
    failed = Signal(str, str)
    """An image's name, and why its mask could not be written."""
    conflicted = Signal(str)
    """Another program changed this image's mask file: ``keep_mine`` or ``drop``."""
    outdated = Signal(str)
    """Another program changed this image's mask file: the judgement on it was dropped."""
    idle = Signal()
    """Nothing is being written any more; what failed may still wait."""

    def __init__(self, tasks: Tasks, journals: Journals, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.digests: dict[str, str] = {}
        """Image -> SHA-256 of its mask file as it was last read or written here, "" for none."""
        self._tasks = tasks
        self._journals = journals
        self._waiting: dict[str, Work] = {}
        self._failed: dict[str, str] = {}
        self._conflicts: dict[str, MaskChanged] = {}
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
        return self._failed | {name: str(error) for name, error in self._conflicts.items()}

    @property
    def conflicts(self) -> list[str]:
        """The images whose mask files another program changed meanwhile."""
        return list(self._conflicts)

    @property
    def waiting(self) -> list[str]:
        """The images whose masks or judgements are not on the disk yet."""
        return list(self._waiting)

    def unsaved(self, project: Project | None, name: str) -> Snapshot | None:
        """The mask of a project's image that is not on the disk yet, or None."""
        work = None if project is None else self._work_of(project, name)
        return None if work is None else work.mask

    def save(self, project: Project, review: Review, mask: Snapshot | None) -> None:
        """Write a judgement and its mask; newer ones replace older ones that still wait."""
        name = review.image
        before = self._work_of(project, name)
        if mask is None and before is not None:
            # The older mask is not on the disk yet.
            self._waiting[name] = replace(before, review=review)
        else:
            mark = None if mask is None else self._journals.mark(name)
            self._waiting[name] = Work(project, review, mask, mark, self.digests)
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

    def keep_mine(self, name: str) -> None:
        """Write an image's mask over the one that another program wrote: a person said so."""
        conflict = self._conflicts.pop(name, None)
        if conflict is not None:
            self._waiting[name].digests[name] = conflict.digest
            self._next()

    def drop(self, name: str) -> None:
        """Do not write an image's mask that waits: a person said so."""
        self._waiting.pop(name, None)
        self._failed.pop(name, None)
        self._conflicts.pop(name, None)
        self._journals.drop(name)

    def give_up(self) -> None:
        """Drop what could not be written: a person said so."""
        self._retry.stop()
        for name in self.problems:
            self.drop(name)

    def _work_of(self, project: Project, name: str) -> Work | None:
        """What waits of a project's image; another folder's of the same name may wait, too."""
        work = self._waiting.get(name)
        return work if work is not None and work.project.store == project.store else None

    def _next(self) -> None:
        if self._writing is not None:
            return
        stuck = self._failed.keys() | self._conflicts.keys()
        name = next((n for n in self._waiting if n not in stuck), None)
        if name is None:
            self.idle.emit()
            then, self._then = self._then, []
            for act in then:
                act()
            return
        self._writing, work = name, self._waiting[name]
        expected = work.digests.get(name)
        self._tasks.run(
            Lane.SAVE,
            lambda job: _write(job, work, expected),
            lambda result: self._written(name, work, result),
            lambda reason: self._not_written(name, work, reason),
        )

    def _written(self, name: str, work: Work, result: str | MaskChanged) -> None:
        if isinstance(result, MaskChanged):
            self._clash(name, work, result)
            return

        work.digests[name] = result

        def finished() -> None:
            # Not before ``saved``: whoever asks must meet the mask here, or its file as it is now.
            if self._waiting.get(name) is work:
                del self._waiting[name]
            self._writing = None
            self.saved.emit(name)
            self._next()

        if work.mark is None:
            finished()
        else:
            # Until its journal is gone, a mask counts as being written.
            self._journals.finish(work.mark, finished)

    def _not_written(self, name: str, work: Work, reason: str) -> None:
        self._writing = None
        if self._waiting.get(name) is work:
            self._failed[name] = reason
            self._retry.start()
            self.failed.emit(name, reason)
        self._next()

    def _clash(self, name: str, work: Work, change: MaskChanged) -> None:
        self._writing = None
        waiting = self._waiting.get(name)
        if waiting is not None and waiting.mask is None:
            del self._waiting[name]
            self.outdated.emit(name)
        elif waiting is not None:
            self._conflicts[name] = change
            self.conflicted.emit(name)
        self._next()


def _write(job: Job, work: Work, expected: str | None) -> str | MaskChanged:
    """The SHA-256 of the mask file there is now; a MaskChanged where it is somebody else's."""
    # Not asked whether cancelled: what a person drew is written even while the window closes.
    from core.evaluation.corrections import measured  # not needed before something is saved

    project, mark = work.project, work.mark
    mask = work.mask.pixels() if work.mask is not None else None
    review = measured(project, work.review, mask)

    def about_to_write(digest: str) -> None:
        # A journal that cannot be written must not keep the mask from being saved.
        with suppress(WriteError):
            if mark is not None:
                mark.saving(digest)

    try:
        if mask is not None:
            return project.save_mask(
                review.image,
                mask,
                review,
                expected=expected,
                about_to_write=about_to_write,
            )
        digest = project.mask_digest(review.image)
        if expected not in (None, digest):
            raise MaskChanged(review.image, digest)
        project.add_review(replace(review, mask=digest))
        return digest
    except MaskChanged as change:
        return change
