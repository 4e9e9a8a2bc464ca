"""Every edit on its way to the disk, at once and in the background: the journals of images."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from core.editing.history import Step
from core.editing.snapshot import Snapshot
from core.project.project import Project
from petseg_gui.document import Document
from petseg_gui.tasks import Job, Lane, Tasks

if TYPE_CHECKING:
    from core.project.journal import Journal


@dataclass(eq=False)
class _Entry:
    """An image's journal. steps: how many were handed over, whether written yet or not."""

    journal: Journal
    steps: int = 0


@dataclass(frozen=True, eq=False)
class Mark:
    """How far an image's edits had come when its mask was handed over to be saved."""

    entry: _Entry
    steps: int
    written: Future[Any] | None
    """Ends when the edits up to here are in the journal (or could not be written)."""

    def saving(self, digest: str) -> None:
        """The mask file of this SHA-256 is about to be put in place. In the saving thread.

        Raises WriteError.
        """
        if self.written is not None:
            wait([self.written])
        self.entry.journal.saving(digest)


class Journals(QObject):
    """One journal for each image with edits that are not saved. On the GUI thread."""

    failed = Signal(str)
    """Why edits cannot be written; said once, until one could be again."""
    works = Signal()
    """Edits can be written again."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._entries: dict[str, _Entry] = {}
        self._failing = False

    def clear(self) -> None:
        """Another folder is open. What is not saved stays in its journal on the disk."""
        self._entries.clear()

    def record(self, project: Project, document: Document, step: Step, digest: str) -> None:
        """Write an edit of an image down, just before or after the document makes it.

        digest: SHA-256 of the mask file that holds the image's saved state, "" without one.
        """
        # Imported with the first edit: the window's first photo does not wait for it.
        from core.project.journal import Journal, Start

        name = document.name
        entry = self._entries.get(name)
        if entry is None:
            journal = Journal(project.journal_path(name), project.layout.images)
            entry = self._entries[name] = _Entry(journal)
        journal = entry.journal
        snapshot: Snapshot | None = None
        if starts := journal.needs_start:
            journal.needs_start = False
            if not digest or entry.steps:
                # No file holds the mask before this edit: an earlier one could not be written,
                # or there is no file.
                snapshot = document.snapshot()
        entry.steps += 1
        width, height = document.width, document.height

        def work(job: Job) -> None:
            # A mask of many megapixels is copied here, off the window's thread.
            base = None if snapshot is None else snapshot.pixels()
            start = Start(name, width, height, digest, base) if starts else None
            journal.append(step.packed(), start)

        self._tasks.run(Lane.JOURNAL, work, self._written, self._not_written)

    def mark(self, name: str) -> Mark | None:
        """The image's edits up to now; None where all are saved."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        flushed = self._tasks.run(Lane.JOURNAL, lambda job: None)
        return Mark(entry, entry.steps, flushed.future)

    def finish(self, mark: Mark, done: Callable[[], None]) -> None:
        """A mask with the edits up to ``mark`` is saved; then ``done``.

        The journal goes, unless the image was edited meanwhile.
        """
        if mark.entry.steps != mark.steps:
            done()
            return
        for name in [n for n, entry in self._entries.items() if entry is mark.entry]:
            del self._entries[name]

        def failed(reason: str) -> None:
            self.failed.emit(reason)
            done()

        journal = mark.entry.journal
        self._tasks.run(Lane.JOURNAL, lambda job: journal.remove(), lambda _: done(), failed)

    def drop(self, name: str) -> None:
        """Forget an image's edits that are not saved: a person said so."""
        entry = self._entries.pop(name, None)
        if entry is not None:
            journal = entry.journal
            self._tasks.run(Lane.JOURNAL, lambda job: journal.remove(), None, self.failed.emit)

    def _written(self, _: None) -> None:
        if self._failing:
            self._failing = False
            self.works.emit()

    def _not_written(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            self.failed.emit(reason)
