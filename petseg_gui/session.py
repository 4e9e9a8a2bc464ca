"""The open folder and the open image: what is shown, what was edited, what must be saved."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.editing.history import Edit, History, Step
from core.editing.shelf import Shelf
from core.editing.snapshot import Snapshot
from core.editing.unpainted import fill_unpainted
from core.labels import VOID
from core.project.following import Changes
from core.project.project import Project
from core.project.reviews import Review, Status
from petseg_gui.document import Document
from petseg_gui.journals import Journals
from petseg_gui.loading import (
    ImageLoader,
    LoadedImage,
    StoredMask,
    read_beneath,
    read_stored_mask,
)
from petseg_gui.saver import Saver
from petseg_gui.tasks import Lane, Task, Tasks

if TYPE_CHECKING:
    from petseg_gui.theirs import Theirs, TwoMasks

_SAVE_AFTER_MS = 2000
_SLICE_S = 0.005
_LONGEST_PAUSE = 20.0  # seconds; who does nothing for longer is not at work
_MODELS_SAY = (Status.UNLABELLED, Status.PREDICTED)


@dataclass
class _Memory:
    """What is kept of an image while another one is open."""

    seconds: float = 0.0
    strokes: int = 0
    clicks: int = 0


class Session(QObject):
    """One person's work on one folder. Everything here happens on the GUI thread."""

    project_changed = Signal()
    leaving = Signal()
    """The open image is about to be left or saved: finish what is under way on it."""
    followed = Signal(object)
    """Images, or masks of images that are not open, have come or gone: the Changes."""
    opening = Signal()
    """Another image is being read: ``wanted``."""
    document_changed = Signal()
    status_changed = Signal(str)
    spoken = Signal(str)
    """A model's prediction of this image is stored."""
    save_state_changed = Signal()
    photo_changed = Signal(str)
    """Another program changed the open image's photo, and there are edits: a person decides."""
    mask_changed = Signal(str)
    """Another program changed this image's mask file, and it has edits here: a person decides."""
    mask_settled = Signal(str)
    """What ``mask_changed`` said of this image is decided."""
    predicted = Signal(object)
    """What a model says of the open image (a mask), whether it is shown as its mask or not."""
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
        self.journals = Journals(tasks, self)
        self.saver = Saver(tasks, self.journals, self)
        self.loader = ImageLoader(tasks, self)
        self._tasks = tasks
        self._statuses: dict[str, Status] = {}
        self._memories: dict[str, _Memory] = {}
        self._shelf = Shelf()
        self._forgot = False  # whether it was said that undo is bounded
        self._look: Task | None = None  # at the open image's mask file
        self._taking = False  # a mask from the disk: no edit that would have to be saved
        self._approving = False  # what is taken of the prediction is being worked out
        self._models: dict[str, str] = {}
        self._saved_revision = 0
        self._masked: deque[str] = deque()  # whose masks came or went, not looked at yet
        self._refresh_soon = QTimer(self, singleShot=True, interval=0)
        self._refresh_soon.timeout.connect(self._refresh_masked)
        self._stamp: tuple[int, int] | None = None  # of the open photo's file
        self._last_work = 0.0
        self._save_soon = QTimer(self)
        self._save_soon.setSingleShot(True)
        self._save_soon.setInterval(_SAVE_AFTER_MS)
        self._save_soon.timeout.connect(self._hand_over_edits)
        self.loader.loaded.connect(self._show_loaded)
        self.saver.saved.connect(self._on_saved)
        self.saver.failed.connect(self.save_state_changed)
        self.saver.conflicted.connect(self._on_conflict)
        self.saver.outdated.connect(self._on_outdated)
        self.saver.idle.connect(self.save_state_changed)

    @property
    def save_after_ms(self) -> int:
        """How long after the last edit a mask is saved."""
        return self._save_soon.interval()

    @save_after_ms.setter
    def save_after_ms(self, milliseconds: int) -> None:
        self._save_soon.setInterval(milliseconds)

    @property
    def undo_bytes(self) -> int:
        """The memory for undo, over all images."""
        return self._shelf.limit

    @undo_bytes.setter
    def undo_bytes(self, limit: int) -> None:
        self._shelf.limit = limit
        self._trim_undo()

    # The folder

    def set_project(self, project: Project, statuses: dict[str, Status]) -> None:
        """Work on another folder; what was edited in the one before is saved."""
        self.save()
        self.project = project
        self._statuses = statuses
        self.counts = Counter(statuses.values())
        self._masked.clear()
        self._memories.clear()
        self._models.clear()
        self._shelf.clear()
        self._forgot = False
        self.journals.clear()
        self.saver.digests = {}
        self.loader.set_project(project)
        self._show(None, "", "")
        self.project_changed.emit()

    def take_changes(self, changes: Changes, statuses: Mapping[str, Status]) -> None:
        """Other programs brought images or masks, or took them away.

        statuses: of the images that came.
        """
        if self.project is None:
            return
        # Not image by image: of a folder that was renamed there may be very many.
        self.project.take(changes)
        self._statuses |= statuses
        self.counts.update(_counted(statuses.values()))
        self.counts.subtract(_counted(map(self._statuses.pop, changes.gone)))
        self.loader.forget(*changes.gone)
        self._masked.extend(changes.masked)
        self._refresh_masked()
        self.followed.emit(changes)

    def _refresh_masked(self) -> None:
        """Some at a time: of thousands the window would else stand still."""
        end = time.monotonic() + _SLICE_S
        while self._masked and time.monotonic() < end:
            name = self._masked.popleft()
            self.loader.forget(name)
            self._refresh_status(name)
        if self._masked:
            self._refresh_soon.start()

    @property
    def kept(self) -> frozenset[str]:
        """The images that stay listed although their files may be gone: a person is at work."""
        return frozenset((self.name, self.wanted, *self.saver.waiting))

    def status(self, name: str) -> Status:
        return self._statuses.get(name, Status.UNLABELLED)

    def named(self, *statuses: Status) -> list[str]:
        """The images of these statuses, in order."""
        names = () if self.project is None else self.project.names
        return [name for name in names if self._statuses[name] in statuses]

    # The image

    def open_image(self, name: str) -> None:
        """Show an image as soon as it is read; until then the one before stays."""
        if name != self.wanted:
            self.wanted = name
            self.opening.emit()
            self.loader.load(name, self._unsaved(name))

    def read_again(self) -> None:
        """What an image's files mean has changed: read the open one anew, and no old ones."""
        self.save()
        self.loader.read_ahead(())
        self.loader.forget(self.wanted)
        if self.wanted:
            self.loader.load(self.wanted, self._unsaved(self.wanted))

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
            and self._unsaved(self.name) is None
        )

    # Predictions

    def take_prediction(self, name: str, mask: np.ndarray, model: str) -> bool:
        """A model has spoken (and the project stored it). Whether the mask is shown now."""
        self._models[name] = model
        self._refresh_status(name)
        if self.status(name) in _MODELS_SAY:
            self.loader.set_prediction(name, mask)
        else:
            self.loader.forget(name)
        self.spoken.emit(name)
        return name == self.name and self.show_prediction(mask)

    def predicted_by(self, name: str) -> str:
        """The id of the model that has spoken of an image since the folder was opened, or ""."""
        return self._models.get(name, "")

    def show_prediction(self, mask: np.ndarray) -> bool:
        """Show what a model says of the open image, unless its mask is a person's.

        mask: uint8, height x width. Whether it is shown.
        """
        document = self.document
        if document is None or mask.shape != document.mask.shape:
            return False  # the photo was replaced while it is open
        self.predicted.emit(mask)
        if self.status(self.name) is Status.REJECTED:
            return False
        if document.unpainted == VOID:
            document.set_prediction(mask)
            return True
        if not self.takes_predictions:
            return False
        document.set_mask(mask)
        return True

    # Judging and saving

    def take_judgement(self, name: str, digest: str) -> None:
        """An image was judged as its files say it; digest: of its mask file now, "" for none."""
        self.saver.digests[name] = digest
        self.loader.forget(name)
        self._refresh_status(name)
        if name == self.name:
            self._show_stored()

    def _show_stored(self) -> None:
        """Show what the open image's files say, unless it is edited meanwhile."""
        project, document = self.project, self.document
        if project is None or document is None:
            return
        name, revision = document.name, document.revision
        if self.dirty or document.stroking or self._unsaved(name) is not None:
            return  # what a person has painted since is the mask
        size = document.width, document.height

        def landed(found: tuple[StoredMask, np.ndarray | None]) -> None:
            stored, beneath = found
            edited = document.revision != revision or document.stroking
            if document is self.document and not edited:
                document.set_prediction(beneath)
                document.set_mask(stored.mask)

        self._tasks.run(
            Lane.LOAD,
            lambda job: (
                read_stored_mask(project, name, size),
                read_beneath(project, name, size),
            ),
            landed,
            self.told.emit,
        )

    def approve(self, then: Callable[[], None] = lambda: None) -> None:
        """Say that the open image's mask, as it is shown, is right; ``then`` follows.

        Where unpainted pixels are void, they first become what the prediction says of them, as
        one edit; that is worked out in the background.
        """
        document = self.document
        if document is None or not self.can_edit or self._approving:
            return
        self.leaving.emit()
        if document.unpainted != VOID:
            self._hand_over_approved()
            then()
            return
        self._approving = True
        revision, mask, prediction = document.revision, document.snapshot(), document.prediction

        def landed(found: tuple[Edit | None, bool]) -> None:
            self._approving = False
            edit, labelled = found
            if document is not self.document or document.revision != revision or document.stroking:
                self.told.emit("The mask was edited meanwhile: please approve it again.")
            elif not labelled:
                self.told.emit("There is nothing to approve: no stroke and no prediction.")
            else:
                if edit is not None:
                    document.apply(edit)
                self._hand_over_approved()
                then()

        def failed(reason: str) -> None:
            self._approving = False
            self.told.emit(reason)

        self._tasks.run(
            Lane.EDIT, lambda job: fill_unpainted(mask.pixels(), prediction), landed, failed
        )

    def _hand_over_approved(self) -> None:
        if self.project is None or self.document is None:
            return
        kept = self.project.mask_source(self.name) is not None and not self.dirty
        self._hand_over(Status.APPROVED, None if kept else self.document.snapshot())

    def take_approval_back(self) -> None:
        """Say that the open image's mask is not right yet, after all."""
        if self.can_edit and self.status(self.name) is Status.APPROVED:
            self._hand_over(Status.EDITED, None)

    def save(self) -> None:
        """Save the open image's edits, if there are any."""
        if self._approving:
            self._tasks.wait(Lane.EDIT)  # else an approval would be lost with its image
        self.leaving.emit()
        self._hand_over_edits()

    def _hand_over_edits(self) -> None:
        # A stroke in progress goes on: it is saved with the next edits.
        self._save_soon.stop()
        if self.document is not None and self.dirty and self.can_edit:
            self._hand_over(Status.EDITED, self.document.snapshot())

    def _hand_over(self, status: Status, mask: Snapshot | None) -> None:
        if self.project is None or self.document is None:
            return
        self._save_soon.stop()
        if status is Status.APPROVED:
            self.worked()  # they looked at it until now
        memory, record = self._memory(self.name), self.project.prediction(self.name)
        review = Review(
            image=self.name,
            status=status,
            model=record.model if record is not None else self._models.get(self.name, ""),
            seconds=round(memory.seconds, 1),
            strokes=memory.strokes + self.document.strokes,
            clicks=memory.clicks,
        )
        self._saved_revision = self.document.revision
        self.saver.save(self.project, review, mask)
        self.save_state_changed.emit()

    def _on_saved(self, name: str) -> None:
        self.loader.forget(name)
        self._refresh_status(name)
        self.save_state_changed.emit()

    def _on_edited(self) -> None:
        self.worked()
        self._save_soon.start()
        self.save_state_changed.emit()

    def worked(self, clicks: int = 0) -> None:
        """A person has just done something on the open image, maybe pressed on it."""
        if self.document is None:
            return
        memory, now = self._memory(self.name), time.monotonic()
        gap, self._last_work = now - self._last_work, now
        memory.clicks += clicks
        if gap <= _LONGEST_PAUSE:
            memory.seconds += gap

    def _on_step(self, step: Step) -> None:
        if self.project is None or self.document is None or not self.can_edit:
            return
        self._trim_undo()
        if not self._taking:
            digest = self.saver.digests.get(self.name, "")
            self.journals.record(self.project, self.document, step, digest)

    def _trim_undo(self) -> None:
        if self._shelf.trim() and not self._forgot:
            self._forgot = True
            megabytes = self._shelf.limit >> 20
            self.told.emit(
                f"The {megabytes} MB for undo are full: the oldest edits cannot be undone any more."
            )

    def forget_edits(self) -> None:
        """No edit can be undone any more, of any image: what they held is gone."""
        self._shelf.clear()
        if self.document is not None:
            self.document.history = self._history(self.name)
            self.document.edited.emit()

    def masks_rewritten(self) -> None:
        """PetSeg itself wrote the mask files anew: they say the same in another encoding."""
        digests = self.saver.digests = {}
        project, name = self.project, self.name
        if project is None or not name:
            return

        def landed(digest: str) -> None:
            digests.setdefault(name, digest)

        self._tasks.run(Lane.LOAD, lambda job: project.mask_digest(name), landed)

    def _history(self, name: str) -> History:
        history = self._shelf.take(name)
        history.on_step = self._on_step
        return history

    # Photos and masks that another program changes

    def check_photo(self, stamp: tuple[int, int] | None) -> None:
        """Show the open image anew where its file is another one than that which was read.

        stamp: of the file there is now, None where there is none. Where there are edits that could
        be undone, ``photo_changed`` asks first: the new photo may be of another size.
        """
        if stamp is None or stamp == self._stamp or self.name != self.wanted:
            return
        self._stamp = stamp
        document = self.document
        edited = document is not None and (
            self.dirty
            or document.stroking
            or document.history.can_undo
            or self._unsaved(self.name) is not None
        )
        if edited:
            self.photo_changed.emit(self.name)
        else:
            self.read_again()
            self.told.emit(f"{self.name} was changed by another program; it is shown anew.")

    # Masks that another program changes

    def check_mask(self) -> None:
        """Notice where another program changed the open image's mask file."""
        project, name = self.project, self.name
        known = self.saver.digests.get(name)
        if self._look is not None:
            self._look.cancel()
        if project is None or known is None:
            return

        def landed(digest: str) -> None:
            if digest == known or self.saver.digests.get(name) != known:
                return
            if not name == self.name == self.wanted:
                return  # the image is being left: it is noticed when it is saved, or shown again
            if self.document is None or self.problem:
                self.loader.load(name)
            elif self.dirty or self.document.stroking or self._unsaved(name) is not None:
                self._hand_over_edits()  # saving will find it changed, and ask
                if name in self.saver.conflicts:
                    self.mask_changed.emit(name)  # again: it is not decided yet
            else:
                self._load_theirs("Changed on disk")

        self._look = self._tasks.run(Lane.LOAD, lambda job: project.mask_digest(name), landed)

    def keep_mine(self, name: str) -> None:
        """Write an image's mask over the one that another program wrote."""
        self.saver.keep_mine(name)
        self.mask_settled.emit(name)

    def take_theirs(self, name: str) -> None:
        """Take what another program wrote as an image's mask, in place of the edits here.

        Where the image is open, that is one undoable edit.
        """
        if name == self.name and self.document is not None:
            self.leaving.emit()
            self._load_theirs("Take the mask on disk")
            return
        self.saver.drop(name)
        self.saver.digests.pop(name, None)
        self._shelf.drop(name)
        self.loader.forget(name)
        self._settle(name)

    def read_both(self, name: str, done: Callable[[TwoMasks], None]) -> None:
        """Read the mask here and the one on the disk, to be compared. Told where one cannot."""
        from petseg_gui.theirs import read_both  # rare: imported when it happens

        project, document = self.project, self.document
        mine, pixels = self._unsaved(name), None
        if document is not None and name == self.name:
            mine, pixels = document.snapshot(), document.pixels
        if project is not None and mine is not None:
            waiting = mine
            self._tasks.run(
                Lane.LOAD,
                lambda job: read_both(project, name, waiting, pixels),
                done,
                self.told.emit,
            )

    def _load_theirs(self, title: str) -> None:
        """Take the mask on the disk as one edit of the open image that need not be saved."""
        from petseg_gui.theirs import edit_to_theirs

        project, document = self.project, self.document
        if project is None or document is None:
            return
        name, revision, mine = document.name, document.revision, document.snapshot()

        def landed(theirs: Theirs) -> None:
            if document is not self.document:
                return
            if document.revision != revision or document.stroking:
                self.told.emit("The mask was edited meanwhile: please choose again.")
                return
            self.saver.drop(name)
            self.saver.digests[name] = theirs.digest
            if theirs.edit is not None:
                self._taking = True
                document.apply(theirs.edit)
                self._taking = False
                undo = " Undo brings yours back." if self.can_edit else ""
                self.told.emit(f"Another program changed this mask; it is shown now.{undo}")
            self._saved_revision = document.revision
            self._settle(name)

        self._tasks.run(
            Lane.LOAD,
            lambda job: edit_to_theirs(project, name, mine, title),
            landed,
            self.told.emit,
        )

    def _settle(self, name: str) -> None:
        self._refresh_status(name)
        self.save_state_changed.emit()
        self.mask_settled.emit(name)

    def _on_conflict(self, name: str) -> None:
        self.save_state_changed.emit()
        self.mask_changed.emit(name)

    def _on_outdated(self, name: str) -> None:
        self.told.emit(f"The mask of {name} was changed by another program: look at it again.")
        self.saver.digests.pop(name, None)
        self.loader.forget(name)
        if name == self.name:
            self._load_theirs("Changed on disk")

    # Coming and going

    def _show_loaded(self, image: LoadedImage) -> None:
        self.save()
        unsaved = self._unsaved(image.name)
        if unsaved is not None and unsaved is not image.unsaved:
            self.loader.load(image.name, unsaved)  # it was edited while it was read
            return
        if self.document is not None:
            self._memory(self.name).strokes += self.document.strokes
        self._stamp = image.stamp
        forgotten = False
        if image.digest is not None:
            if self.saver.digests.get(image.name, image.digest) != image.digest:
                forgotten = bool(self._history(image.name).nbytes)
                self._shelf.drop(image.name)  # another program changed the file
            self.saver.digests[image.name] = image.digest
            self._refresh_status(image.name)
        if image.pixels is None or image.mask is None or self.project is None:
            self._show(None, image.name, image.problem)
            return
        before = self.document if self.name == image.name else None
        if before is not None and before.mask.shape != image.mask.shape:
            self._shelf.drop(image.name)  # its photo was replaced by one of another size
        history = self._history(image.name)
        settings = self.project.settings
        document = Document(
            image.name,
            image.pixels,
            image.mask,
            settings.scheme,
            history,
            unpainted=settings.unpainted_id,
            prediction=image.prediction,
            stamp=image.stamp,
        )
        document.edited.connect(self._on_edited)
        self._show(document, image.name, image.problem, image.notes)
        if forgotten:
            self.told.emit(
                f"Another program changed the mask of {image.name}: its undo steps are gone."
            )

    def _show(
        self, document: Document | None, name: str, problem: str, notes: tuple[str, ...] = ()
    ) -> None:
        self.document, self.name, self.wanted = document, name, name
        self.problem, self.notes = problem, notes
        self._saved_revision = 0
        self._last_work = time.monotonic()
        self.document_changed.emit()
        self.save_state_changed.emit()

    def _unsaved(self, name: str) -> Snapshot | None:
        return self.saver.unsaved(self.project, name)

    def _memory(self, name: str) -> _Memory:
        known = self._memories.get(name)
        if known is None:
            known = self._memories[name] = _begun(self.project, name)
        return known

    def _refresh_status(self, name: str) -> None:
        if self.project is None or name not in self._statuses:
            return
        before, now = self._statuses[name], self.project.status(name)
        if before != now:
            self._statuses[name] = now
            self.counts[before] -= 1
            self.counts[now] += 1
            self.status_changed.emit(name)


def _begun(project: Project | None, name: str) -> _Memory:
    """An image whose mask is not approved yet goes on where it was left before the start."""
    before = project.review(name) if project is not None else None
    if before is None or before.status is not Status.EDITED:
        return _Memory()
    return _Memory(before.seconds, before.strokes, before.clicks)


def _counted(statuses: Iterable[Status]) -> dict[Status, int]:
    every = list(statuses)
    return {status: every.count(status) for status in Status}
