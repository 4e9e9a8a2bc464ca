"""The one way to run work off the GUI thread: progress, result, error, cancel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from enum import Enum
from threading import Event
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot

from core.errors import PetSegError


class Lane(Enum):
    """Work of one lane runs in order and never waits for another lane's; value: its threads."""

    LOAD = ("load", 2)
    EDIT = ("edit", 1)
    THUMBNAILS = ("thumbnails", 1)
    PREDICT = ("predict", 1)
    REVISE = ("revise", 1)
    EXPLAIN = ("explain", 1)
    COMPARE = ("compare", 1)
    INDEX = ("index", 1)
    FOLLOW = ("follow", 1)
    EXCHANGE = ("exchange", 1)
    SAVE = ("save", 1)
    JOURNAL = ("journal", 1)
    TRAIN = ("train", 1)


_AWAITED = (Lane.LOAD, Lane.FOLLOW)
_LONGEST_WAIT_S = 0.5


class Job:
    """What the work sees of its task. Used from the worker's thread."""

    def __init__(self, cancelled: Event, report: Callable[[object], None], calm: Event) -> None:
        """calm: set while nothing is under way that the list or the image waits for."""
        self._cancelled = cancelled
        self._calm = calm
        self.report = report
        """Sends a value to the task's ``progress``."""

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self._cancelled.is_set()

    def give_way(self) -> None:
        """Wait a little while work is under way that is awaited more than this.

        All threads and the window take turns at Python: each more makes all of them slower.
        """
        self._calm.wait(_LONGEST_WAIT_S)


class Task:
    """Work under way. What it calls, it calls on the GUI thread; nothing any more once cancelled.

    A plain object: a QObject that dies while a thread still posts to it takes the program along.
    What it was given may hold such objects as well, and a thread may be the last to let go of the
    task: so the GUI thread lets go of all of it as soon as the work has ended (``release``).
    """

    def __init__(
        self,
        lane: Lane,
        work: Callable[[Job], Any],
        done: Callable[[Any], None] | None,
        failed: Callable[[str], None] | None,
        progress: Callable[[Any], None] | None,
        kept: bool,
    ) -> None:
        self.lane = lane
        self.kept = kept
        self.cancelled = Event()
        self.future: Future[Any] | None = None
        self._work: Callable[[Job], Any] | None = work
        self._done = done
        self._failed = failed
        self._progress = progress

    def carry_out(self, job: Job) -> Any:
        """Do the work. On a lane's thread."""
        return None if self._work is None else self._work(job)

    def cancel(self) -> None:
        """Ask the work to stop; a result that comes all the same never lands."""
        self.cancelled.set()
        if self.future is not None:
            self.future.cancel()

    def deliver_progress(self, value: object) -> None:
        """Hand on what the work reported. On the GUI thread."""
        if self._progress is not None and not self.cancelled.is_set():
            self._progress(value)

    def deliver_result(self) -> None:
        """Hand on how the work ended, once. On the GUI thread."""
        done, failed, delivered = self._done, self._failed, self._work is None
        self.release()
        if self.future is None or self.cancelled.is_set() or delivered:
            return
        try:
            result = self.future.result()
        except CancelledError:
            return
        except Exception as error:
            # Whoever waits is let go in any case; a defect goes on to the excepthook.
            if failed is not None:
                failed(str(error) or type(error).__name__)
            if not isinstance(error, PetSegError | OSError):
                raise
            return
        if done is not None:
            done(result)

    def release(self) -> None:
        """Let go of the work and of what it calls. On the GUI thread, once the work has ended."""
        self._work = self._done = self._failed = self._progress = None


class Tasks(QObject):
    """Starts work in lanes, and knows what is still under way."""

    _mail = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executors: dict[Lane, ThreadPoolExecutor] = {}
        self._running: dict[Task, None] = {}  # in the order of their start
        # What the threads have to say, in order: (task, whether it is progress, the progress).
        self._letters: deque[tuple[Task, bool, object]] = deque()
        self._calm = Event()
        self._calm.set()
        self._closed = False
        self._mail.connect(self._read, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        lane: Lane,
        work: Callable[[Job], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[str], None] | None = None,
        progress: Callable[[Any], None] | None = None,
        *,
        kept: bool = False,
    ) -> Task:
        """Run ``work`` in a lane's thread; ``done`` gets its result on the GUI thread.

        An exception of the work goes to ``failed`` as text (one that is neither PetSegError nor
        OSError to the excepthook as well), what it reports to ``progress``.
        kept: what a person has decided, written in a moment: closing waits for it.
        """
        task = Task(lane, work, done, failed, progress, kept)
        if self._closed:
            task.cancel()
            return task
        self._running[task] = None
        self._look_whether_calm()
        job = Job(task.cancelled, lambda value: self._post(task, True, value), self._calm)
        task.future = self._executor(lane).submit(task.carry_out, job)
        task.future.add_done_callback(lambda _: self._post(task, False, None))
        return task

    @property
    def busy(self) -> bool:
        """Whether any work is under way."""
        return bool(self._running)

    def wait(self, lane: Lane) -> None:
        """Wait until a lane's work is done, and hand on its results. For work of a moment only."""
        while task := next((t for t in self._running if t.lane is lane), None):
            if task.future is not None:
                wait([task.future])
            self._running.pop(task, None)
            self._look_whether_calm()
            task.deliver_result()

    def close(self) -> None:
        """Cancel all but what is kept, and wait for the threads to end."""
        self._closed = True
        self._calm.set()
        for task in self._running:
            if not task.kept:
                task.cancel()
        for executor in self._executors.values():
            executor.shutdown(wait=True)
        self._executors.clear()
        for task in self._running:
            task.release()
        self._running.clear()
        self._letters.clear()
        QCoreApplication.removePostedEvents(self)

    def _post(self, task: Task, is_progress: bool, value: object) -> None:
        self._letters.append((task, is_progress, value))
        self._mail.emit()

    @Slot()
    def _read(self) -> None:
        if not self._letters:
            return  # closed in the meantime
        task, is_progress, value = self._letters.popleft()
        if is_progress:
            task.deliver_progress(value)
            return
        self._running.pop(task, None)
        self._look_whether_calm()
        task.deliver_result()

    def _look_whether_calm(self) -> None:
        if any(task.lane in _AWAITED for task in self._running):
            self._calm.clear()
        else:
            self._calm.set()

    def _executor(self, lane: Lane) -> ThreadPoolExecutor:
        if lane not in self._executors:
            name, threads = lane.value
            self._executors[lane] = ThreadPoolExecutor(threads, f"petseg-{name}")
        return self._executors[lane]
