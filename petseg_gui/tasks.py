"""The one way to run work off the GUI thread: progress, result, error, cancel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from enum import Enum
from threading import Event
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from core.errors import PetSegError


class Lane(Enum):
    """Work of one lane runs in order and never waits for another lane's; value: its threads."""

    LOAD = ("load", 2)
    THUMBNAILS = ("thumbnails", 1)
    PREDICT = ("predict", 1)
    SAVE = ("save", 1)
    TRAIN = ("train", 1)


class Job:
    """What the work sees of its task. Used from the worker's thread."""

    def __init__(self, cancelled: Event, report: Callable[[object], None]) -> None:
        self._cancelled = cancelled
        self.report = report
        """Sends a value to ``Task.progress``."""

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self._cancelled.is_set()


class Task(QObject):
    """Work under way. Its signals come on the GUI thread; after ``cancel`` none comes but ended."""

    progress = Signal(object)
    done = Signal(object)
    failed = Signal(str)
    ended = Signal()

    _reported = Signal(object)
    _landed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._cancelled = Event()
        self._future: Future[Any] | None = None
        self._reported.connect(self._on_reported, Qt.ConnectionType.QueuedConnection)
        self._landed.connect(self._on_landed, Qt.ConnectionType.QueuedConnection)

    def cancel(self) -> None:
        """Ask the work to stop; a result that comes all the same never lands."""
        self._cancelled.set()
        if self._future is not None:
            self._future.cancel()

    def start(self, executor: ThreadPoolExecutor, work: Callable[[Job], Any]) -> None:
        """Hand the work to a thread."""
        self._future = executor.submit(work, Job(self._cancelled, self._reported.emit))
        self._future.add_done_callback(lambda _: self._landed.emit())

    @Slot(object)
    def _on_reported(self, value: object) -> None:
        if not self._cancelled.is_set():
            self.progress.emit(value)

    @Slot()
    def _on_landed(self) -> None:
        future = self._future
        if future is None:
            return
        try:
            if not self._cancelled.is_set():
                self._deliver(future)
        finally:
            self.ended.emit()

    def _deliver(self, future: Future[Any]) -> None:
        try:
            result = future.result()
        except CancelledError:
            return
        except (PetSegError, OSError) as error:
            # Anything else is a defect: it goes on to the excepthook.
            self.failed.emit(str(error))
        else:
            self.done.emit(result)


class Tasks(QObject):
    """Starts work in lanes, and knows what is still under way."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executors: dict[Lane, ThreadPoolExecutor] = {}
        self._running: set[Task] = set()
        self._closed = False

    def run(
        self,
        lane: Lane,
        work: Callable[[Job], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[str], None] | None = None,
    ) -> Task:
        """Run ``work`` in a lane's thread; ``done`` gets its result on the GUI thread.

        A PetSegError or OSError of the work goes to ``failed`` as text.
        """
        task = Task(self)
        if done is not None:
            task.done.connect(done)
        if failed is not None:
            task.failed.connect(failed)
        if self._closed:
            task.cancel()
            return task
        self._running.add(task)
        task.ended.connect(lambda: self._forget(task))
        task.start(self._executor(lane), work)
        return task

    def close(self) -> None:
        """Cancel everything and wait for the threads to end."""
        self._closed = True
        for task in list(self._running):
            task.cancel()
        for executor in self._executors.values():
            executor.shutdown(wait=True, cancel_futures=True)
        self._executors.clear()

    def _executor(self, lane: Lane) -> ThreadPoolExecutor:
        if lane not in self._executors:
            name, threads = lane.value
            self._executors[lane] = ThreadPoolExecutor(threads, f"petseg-{name}")
        return self._executors[lane]

    def _forget(self, task: Task) -> None:
        self._running.discard(task)
        task.deleteLater()
