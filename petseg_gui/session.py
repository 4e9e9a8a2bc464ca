"""The open folder and the open image: what is shown, what was edited, what must be saved."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.editing.history import History
from core.project.project import Project
from core.project.reviews import Review, Status
from petseg_gui.document import Document
from petseg_gui.loading import ImageLoader, LoadedImage
from petseg_gui.saver import Saver
from petseg_gui.tasks import Lane, Tasks

_SAVE_AFTER_MS = 2000
_LONGEST_PAUSE = 30.0  # seconds between two edits that count as work
_MODELS_SAY = (Status.UNLABELLED, Status.PREDICTED)


@dataclass
class _Memory:
    """What is kept of an image while another one is open."""

    history: History = field(default_factory=History)
    checksum: int = 0
    seconds: float = 0.0
    strokes: int = 0


class Session(QObject):
    """One person's work on one folder. Everything here happens on the GUI thread."""

    project_changed = Signal()
    leaving = Signal()
    """The open image is about to be left or saved: finish what is under way on it."""
    opening = Signal()
    """Another image is being read: ``wanted``."""
    document_changed = Signal()
    status_changed = Signal(str)
    save_state_changed = Signal()
    told = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.document: Document | None = None
        self.name = ""
        self.wanted = ""
        """The image that is shown as soon as it is read; ``name`` is the one that is shown."""
        self.problem = ""
        self.notes: tuple[str, ...] = ()
        """What a person should know of the image: its pages, its bits, its true format."""
        self.counts: Counter[Status] = Counter()
        self.saver = Saver(tasks, self)
        self.loader = ImageLoader(tasks, self)
        self._tasks = tasks
        self._statuses: dict[str, Status] = {}
        self._memories: dict[str, _Memory] = {}
        self._models: dict[str, str] = {}
        self._saved_revision = 0
        self._last_edit = 0.0
        self._save_soon = QTimer(self)
        self._save_soon.setSingleShot(True)
        self._save_soon.setInterval(_SAVE_AFTER_MS)
        self._save_soon.timeout.connect(self.save)
        self.loader.loaded.connect(self._show_loaded)
        self.saver.saved.connect(self._on_saved)
        self.saver.failed.connect(self.save_state_changed)
        self.saver.idle.connect(self.save_state_changed)

    # The folder

    def set_project(self, project: Project, statuses: dict[str, Status]) -> None:
        """Work on another folder; what was edited in the one before is saved."""
        self._leave()
        self.project = project
        self._statuses = statuses
        self.counts = Counter(statuses.values())
        self._memories.clear()
        self._models.clear()
        self.loader.set_project(project)
        self._show(None, "", "")
        self.project_changed.emit()

    def status(self, name: str) -> Status:
        return self._statuses.get(name, Status.UNLABELLED)

    def named(self, *statuses: Status) -> list[str]:
        """The images of these statuses, in order."""
        return [name for name, status in self._statuses.items() if status in statuses]

    # The image

    def open_image(self, name: str) -> None:
        """Show an image as soon as it is read; until then the one before stays."""
        if name != self.wanted:
            self.wanted = name
            self.opening.emit()
            self.loader.load(name)

    @property
    def can_edit(self) -> bool:
        """Whether strokes on the open image could be kept."""
        return bool(
            self.document is not None
            and not self.problem
            and self.project is not None
            and self.project.writable
        )

    @property
    def dirty(self) -> bool:
        """Whether the open image has edits that were not handed to the saver yet."""
        return self.document is not None and self.document.revision != self._saved_revision

    @property
    def save_state(self) -> str:
        """One word or two for the status bar."""
        if self.saver.problems:
            return "Not saved"
        if self.saver.busy or self.dirty:
            return "Saving…"
        return "Saved" if self.document is not None and self.can_edit else ""

    @property
    def takes_predictions(self) -> bool:
        """Whether a new prediction may be shown in place of the open image's mask."""
        document = self.document
        return bool(
            document is not None
            and not self.problem
            and not document.stroking
            and not document.history.can_undo
            and not document.history.can_redo
            and self.status(self.name) in _MODELS_SAY
            and self.saver.unsaved(self.name) is None
        )

    # Predictions

    def take_prediction(self, name: str, mask: np.ndarray, model: str) -> bool:
        """A model has spoken (and the project stored it). Whether the mask is shown now."""
        self._models[name] = model
        self._refresh_status(name)
        self.loader.forget(name)
        if self.document is None or name != self.name or not self.takes_predictions:
            return False
        self.document.set_mask(mask)
        return True

    def replace_with_prediction(self) -> None:
        """Take the stored prediction as the open image's mask: one undoable edit."""
        project, document = self.project, self.document
        if project is None or document is None or not self.can_edit:
            return
        name, size = document.name, (document.width, document.height)

        def replace(mask: np.ndarray | None) -> None:
            if document is not self.document:
                return
            if mask is None:
                self.told.emit("There is no prediction yet: segment the image first.")
            elif not document.replace_mask(mask, "Replace with prediction"):
                self.told.emit("The mask is the prediction already.")

        self._tasks.run(
            Lane.LOAD, lambda job: project.read_prediction(name, size), replace, self.told.emit
        )

    # Judging and saving

    def approve(self) -> None:
        """Say that the open image's mask, as it is shown, is right."""
        if self.project is None or self.document is None or not self.can_edit:
            return
        self.leaving.emit()
        kept = self.project.mask_source(self.name) is not None and not self.dirty
        self._hand_over(Status.APPROVED, None if kept else self.document.snapshot())

    def save(self) -> None:
        """Save the open image's edits, if there are any."""
        self._save_soon.stop()
        self.leaving.emit()
        if self.document is not None and self.dirty and self.can_edit:
            self._hand_over(Status.EDITED, self.document.snapshot())

    def _hand_over(self, status: Status, mask: np.ndarray | None) -> None:
        if self.project is None or self.document is None:
            return
        self._save_soon.stop()
        memory = self._memory(self.name)
        review = Review(
            image=self.name,
            status=status,
            model=self._models.get(self.name, ""),
            seconds=round(memory.seconds, 1),
            strokes=memory.strokes + self.document.strokes,
        )
        self._saved_revision = self.document.revision
        self.saver.save(self.project, review, mask)
        self.save_state_changed.emit()

    def _on_saved(self, name: str) -> None:
        self.loader.forget(name)
        self._refresh_status(name)
        self.save_state_changed.emit()

    def _on_edited(self) -> None:
        memory = self._memory(self.name)
        now = time.monotonic()
        memory.seconds += min(now - self._last_edit, _LONGEST_PAUSE)
        self._last_edit = now
        self._save_soon.start()
        self.save_state_changed.emit()

    # Coming and going

    def _show_loaded(self, image: LoadedImage) -> None:
        self._leave()
        if image.pixels is None or image.mask is None or self.project is None:
            self._show(None, image.name, image.problem)
            return
        unsaved = self.saver.unsaved(image.name)
        mask = image.mask if unsaved is None else unsaved.copy()
        memory = self._memory(image.name)
        if memory.history.nbytes and memory.checksum != _checksum(mask):
            memory.history = History()  # the file was changed by someone else
        scheme = self.project.settings.scheme
        document = Document(image.name, image.pixels, mask, scheme, memory.history)
        document.edited.connect(self._on_edited)
        self._show(document, image.name, image.problem, image.notes)

    def _show(
        self, document: Document | None, name: str, problem: str, notes: tuple[str, ...] = ()
    ) -> None:
        self.document, self.name, self.wanted = document, name, name
        self.problem, self.notes = problem, notes
        self._saved_revision = 0
        self._last_edit = time.monotonic()
        self.document_changed.emit()
        self.save_state_changed.emit()

    def _leave(self) -> None:
        self.save()
        document = self.document
        if document is None:
            return
        memory = self._memory(document.name)
        memory.strokes += document.strokes
        memory.checksum = _checksum(document.mask) if memory.history.nbytes else 0

    def _memory(self, name: str) -> _Memory:
        return self._memories.setdefault(name, _Memory())

    def _refresh_status(self, name: str) -> None:
        if self.project is None or name not in self._statuses:
            return
        before, now = self._statuses[name], self.project.status(name)
        if before != now:
            self._statuses[name] = now
            self.counts[before] -= 1
            self.counts[now] += 1
            self.status_changed.emit(name)


def _checksum(mask: np.ndarray) -> int:
    return zlib.adler32(np.ascontiguousarray(mask).data)
