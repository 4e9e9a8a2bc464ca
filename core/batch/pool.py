"""The same work on many items: in threads, or in processes with threads of their own.

Items are taken as they are needed, so that a hundred thousand cost no more memory than ten.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, Generic, Protocol, TypeVar, cast

from core.errors import BadInput, PetSegError

Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", covariant=True)
T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2  # items that wait for each thread
_GRACE_SECONDS = 5.0


class Work(Protocol[Item, Result]):
    """What is done with an item; called from several threads at once."""

    def __call__(self, item: Item, /) -> Result: ...

    def stop(self) -> None:
        """End, from another thread, what is under way; it may then raise anything."""


class WorkerDied(PetSegError):
    """A process that worked on items has ended by itself, or was killed."""


def in_threads(
    work: Work[T, R], items: Iterable[T], threads: int
) -> Generator[tuple[T, R], None, None]:
    """Each item with what became of it, in order. Closed on the way, it stops the work.

    Raises what the work raises.
    """
    if threads == 1:
        for item in items:
            yield item, work(item)
        return
    ahead: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                ahead.append((item, pool.submit(work, item)))
                if len(ahead) > _AHEAD * threads:
                    first, future = ahead.popleft()
                    yield first, future.result()
            while ahead:
                first, future = ahead.popleft()
                yield first, future.result()
        finally:
            if ahead:
                for _, future in ahead:
                    future.cancel()
                work.stop()


def in_processes(
    make: Callable[[], Work[T, R]], items: Iterable[T], workers: int, threads: int = 1
) -> Generator[tuple[T, R], None, None]:
    """Each item with what became of it, as they are done, by ``workers`` processes.

    make: makes the work in each process; it, items and results can be pickled. threads: of each
    process. Closed on the way, it stops the work; the processes also end with this one. Raises
    what the work raises of PetSegError, WorkerDied.
    """
    answers: SimpleQueue[tuple[_Worker[T, R], Any]] = SimpleQueue()
    team: list[_Worker[T, R]] = []
    try:
        team += [_Worker(make, threads, answers) for _ in range(workers)]
        waiting = iter(items)
        for worker in team * (_AHEAD * threads):  # the first to all, before any gets a second
            worker.give_one(waiting)
        while any(worker.busy for worker in team):
            worker, answer = answers.get()
            yield worker.take(answer)
            worker.give_one(waiting)
    finally:
        for worker in team:
            worker.dismiss()
        for worker in team:
            worker.wait()


class _Worker(Generic[T, R]):
    """A process of ``core.batch.worker``, and the items it has."""

    def __init__(
        self,
        make: Callable[[], Work[T, R]],
        threads: int,
        answers: SimpleQueue[tuple[_Worker[T, R], Any]],
    ) -> None:
        self._items: dict[int, T] = {}
        self._given = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.batch.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C is for the process that gives out the work
        )
        self._to = cast("IO[bytes]", self._process.stdin)
        self._from = cast("IO[bytes]", self._process.stdout)
        self._listener = Thread(target=self._listen, args=(answers,), daemon=True)
        self._listener.start()
        self._send((make, threads))

    @property
    def busy(self) -> bool:
        return bool(self._items)

    def give_one(self, waiting: Iterator[T]) -> None:
        """Hand it the next item, if there is one."""
        for item in waiting:
            self._items[self._given] = item
            self._send((self._given, item))
            self._given += 1
            return

    def take(self, answer: Any) -> tuple[T, R]:
        """The item that was answered, and the result. Raises PetSegError."""
        if answer is None:
            raise self._dead()
        number, result, problem = answer
        if problem is not None:
            is_input, words = problem
            raise (BadInput if is_input else PetSegError)(words)
        return self._items.pop(number), result

    def dismiss(self) -> None:
        """No more items come; those that it has are not waited for."""
        with suppress(OSError):
            self._to.close()

    def wait(self) -> None:
        """Until it has ended."""
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._from.close()

    def _send(self, message: object) -> None:
        try:
            pickle.dump(message, self._to)
            self._to.flush()
        except OSError as error:
            raise self._dead() from error

    def _listen(self, answers: SimpleQueue[tuple[_Worker[T, R], Any]]) -> None:
        """Hand on what it says; None at its end."""
        with suppress(OSError, ValueError, pickle.UnpicklingError, EOFError):
            while True:
                # It is our own process that writes here, nobody's file.
                answers.put((self, pickle.load(self._from)))  # noqa: S301
        answers.put((self, None))

    def _dead(self) -> WorkerDied:
        code = self._process.wait()
        return WorkerDied(
            f"A worker process ended unexpectedly (exit code {code}); perhaps the memory was too "
            "small. The same command goes on where it stopped; fewer --workers need less memory."
        )
