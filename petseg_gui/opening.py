"""Opening folders (and drawing the demo) off the GUI thread."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import BadInput
from core.evaluation.triage import Arrangement, by_name
from core.files import WriteError, is_writable
from core.masks import MaskEncoding
from core.project.layout import find_layout
from core.project.places import known_store, needs_store, remember_store
from core.project.project import (
    JOURNAL_SUFFIX,
    STORE_NAME,
    EncodingUnclear,
    Project,
    open_project,
)
from core.project.reviews import Status
from petseg_gui.garbage import nothing_collected
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.project.lock import WindowLock
    from core.project.recovery import Recovered

_SLOW_MS = 400
_LISTED_EACH_S = 0.25  # opening that takes no longer shows the whole list at once
_FIRST = 1000
_LARGE = 5000


@dataclass(frozen=True)
class Opened:
    """A folder that was opened, with its images by name, and each one's status.

    Where there are many images, all this takes a moment. lock: held while this window may change
    the folder. locked_out: why it may not, although the folder is not read-only. recovered: what an
    earlier window had not saved. finished: an import that was interrupted, in words.
    """

    project: Project
    images: Arrangement
    statuses: dict[str, Status]
    lock: WindowLock | None = None
    locked_out: str = ""
    recovered: Recovered | None = None
    finished: str = ""


@dataclass(frozen=True)
class Listed:
    """The names of the first images in a folder that is being opened; images: where they are."""

    images: Path
    names: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A folder whose masks can be read in more than one way; text says what is unclear."""

    folder: Path
    store: Path | None
    text: str


class Opener(QObject):
    """Opens one folder at a time: a newer wish replaces an older one."""

    opened = Signal(object)
    unclear = Signal(object)
    failed = Signal(str)
    slow = Signal()
    """It takes long enough that a person should be told."""
    listed = Signal(object)
    """The first images of a large folder: Listed. ``opened``, ``unclear`` or ``failed`` follows."""
    counted = Signal(int)
    """So many images were found by now."""
    drawing = Signal(int, int)
    """Images of the demo drawn, and how many there will be; equal when done."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._task: Task | None = None
        self._lock: WindowLock | None = None
        self._left: list[WindowLock] = []  # of folders left, whose last masks may still be saved
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_SLOW_MS)
        self._slow.timeout.connect(self.slow)

    @property
    def busy(self) -> bool:
        return self._task is not None

    def open(
        self, folder: Path, store: Path | None = None, encoding: MaskEncoding | None = None
    ) -> None:
        """Open a folder; ``opened``, ``unclear`` or ``failed`` follows."""

        held = self._lock

        def work(job: Job) -> Opened | Question:
            read_only = needs_store(folder)
            place = known_store(folder) if store is None and read_only else store
            try:
                with nothing_collected():
                    opened = _open(folder, place, encoding, held, _Listing(job, folder).add)
            except EncodingUnclear as error:
                return Question(folder, store, str(error))
            if store is not None and read_only:
                remember_store(folder, store)
            return opened

        self._run(work)

    def open_demo(self, folder: Path) -> None:
        """Open the demo, drawn first if it is not there yet."""
        if (folder / "images").is_dir():
            self.open(folder)
            return

        def work(job: Job) -> Opened | None:
            # The drawing's imports would delay the window's start.
            from core.demo import IMAGES, draw_demo

            # Drawn aside: a demo half drawn would look like a whole one the next time.
            aside = folder.with_name(folder.name + ".part")
            shutil.rmtree(aside, ignore_errors=True)
            for number in draw_demo(aside):
                job.report((number, IMAGES))
                if job.cancelled:
                    shutil.rmtree(aside, ignore_errors=True)
                    return None
            aside.rename(folder)
            return _open(folder, None, None, None, lambda names: None)

        self._run(work)

    def cancel(self) -> None:
        """Forget the folder that is being opened."""
        self._slow.stop()
        if self._task is not None:
            self._task.cancel()
            if self._task.future is not None:
                self._task.future.add_done_callback(self._let_go)
            self._task = None

    def release_left(self) -> None:
        """Let other windows have the folders before this one: all of them is saved."""
        for lock in self._left:
            lock.release()
        self._left.clear()

    def release(self) -> None:
        """Let other windows have the folder: this one changes nothing in it any more."""
        self.release_left()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _let_go(self, opening: Future[Any]) -> None:
        """Nobody waits for this folder any more."""
        if opening.cancelled() or opening.exception() is not None:
            return
        result = opening.result()
        if isinstance(result, Opened) and result.lock not in (None, self._lock):
            result.lock.release()

    def _run(self, work: Callable[[Job], Any]) -> None:
        self.cancel()
        self._task = self._tasks.run(
            Lane.LOAD, work, self._landed, self._failed, self._show_progress
        )
        self._slow.start()

    def _show_progress(self, reported: Listed | int | tuple[int, int]) -> None:
        if isinstance(reported, Listed):
            self.listed.emit(reported)
        elif isinstance(reported, int):
            self.counted.emit(reported)
        else:
            self.drawing.emit(*reported)

    def _landed(self, result: Opened | Question | None) -> None:
        self._slow.stop()
        self._task = None
        if isinstance(result, Opened):
            if self._lock is not None and self._lock is not result.lock:
                self._left.append(self._lock)
            self._lock = result.lock
            self.opened.emit(result)
        elif isinstance(result, Question):
            self.unclear.emit(result)

    def _failed(self, reason: str) -> None:
        self._slow.stop()
        self._task = None
        self.failed.emit(reason)


class _Cancelled(Exception):
    """Nobody waits for this folder any more."""


class _Listing:
    """Reports the first images of a folder that takes a while, and then how many there are."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._job = job
        self._folder = folder
        self._names: list[str] = []
        self._found = 0
        self._next = time.monotonic() + _LISTED_EACH_S
        self._told = 0

    def add(self, names: list[str]) -> None:
        """These come next. Raises _Cancelled, BadInput."""
        if self._job.cancelled:
            raise _Cancelled
        self._found += len(names)
        self._names += names[: _FIRST - len(self._names)]
        now = time.monotonic()
        more = self._told < len(self._names)
        if now < self._next and not (more and self._found >= _LARGE):
            return
        self._next = now + _LISTED_EACH_S
        if more:
            self._told = len(self._names)
            self._job.report(Listed(find_layout(self._folder).images, tuple(self._names)))
        self._job.report(self._found)


def _open(
    folder: Path,
    store: Path | None,
    encoding: MaskEncoding | None,
    held: WindowLock | None,
    listed: Callable[[list[str]], None],
) -> Opened:
    """Open a folder, for changes where no other window has it, and finish what was interrupted.

    held: the lock that this window has already, maybe on the same folder.
    """
    place = folder.resolve() / STORE_NAME if store is None else store.resolve()
    lock, locked_out = (held, "") if held is not None and held.store == place else (None, "")
    # The lock comes before the listing, which then misses nothing that another window does.
    if lock is None and is_writable(place):
        lock, locked_out = _try_to_lock(place)
    recovered, finished = None, ""
    try:
        project = open_project(
            folder, store, encoding, half_converted=lock is not None, listed=listed
        )
        if project.writable and lock is None and not locked_out:
            lock, locked_out = _try_to_lock(place)  # its store is made for the first time
        if project.writable and lock is not None:
            _finish_conversion(project)
            finished = _finish_imports(project)
            try:
                recovered = _recover(project)
            except WriteError as error:
                locked_out = f"Strokes from before cannot be brought back. {error}"
    except BaseException:
        if lock is not None and lock is not held:
            lock.release()
        raise
    if lock is not None and (locked_out or not project.writable):
        lock.release()
        lock = None
    if lock is None:
        project.writable = False
    images = by_name(project.names)
    return Opened(project, images, project.statuses(), lock, locked_out, recovered, finished)


# What an earlier window left undone is rare: what mends it is imported when there is something.
def _finish_conversion(project: Project) -> None:
    if project.half_converted:
        from core.project.convert import resume_conversion

        resume_conversion(project)


def _finish_imports(project: Project) -> str:
    """What was finished, or why it cannot be, in words; "" for nothing."""
    if not (project.store / "imports").is_dir():
        return ""
    from core.formats.importing import finish_imports

    try:
        return finish_imports(project)
    except (WriteError, BadInput) as error:
        return f"An import was interrupted and cannot be finished yet. {error}"


def _recover(project: Project) -> Recovered | None:
    if not any(project.journals.rglob(f"*{JOURNAL_SUFFIX}")):
        return None
    from core.project.recovery import recover

    return recover(project)


def _try_to_lock(store: Path) -> tuple[WindowLock | None, str]:
    """The lock, or why there is none."""
    from core.project.lock import FolderTaken, take  # its import takes time

    try:
        return take(store), ""
    except (FolderTaken, WriteError) as error:
        return None, str(error)
