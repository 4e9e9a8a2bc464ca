"""Work in threads and processes: bounded, stopped, and never hung by a process that dies."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from core.batch.pool import WorkerDied, in_processes, in_threads
from core.errors import BadInput


class Doubled:
    """Doubles numbers; 13 is bad luck, and 99 kills."""

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def __call__(self, item: int) -> tuple[int, int]:
        if item == 13:
            raise BadInput("13 is bad luck")
        if item == 99:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == -1:
            self.stopped.wait(60)
        os.write(1, b"noise that no answer is mistaken for")
        return os.getpid(), 2 * item

    def stop(self) -> None:
        self.stopped.set()


def counted(most: int, taken: list[int]) -> Iterator[int]:
    for i in range(most):
        if i != 13:
            taken.append(i)
            yield i


def test_threads_keep_the_order_and_take_no_more_than_they_need():
    taken: list[int] = []
    results = in_threads(Doubled(), counted(10_000, taken), 4)
    assert [(i, found[1]) for i, found in (next(results) for _ in range(20))] == [
        (i, 2 * i) for i in taken[:20]
    ]
    assert len(taken) < 40
    results.close()


def test_who_closes_threads_on_the_way_stops_the_work():
    work = Doubled()
    results = in_threads(work, iter([1, -1, -1]), 2)
    next(results)
    results.close()
    assert work.stopped.is_set()


def test_processes_share_the_items():
    taken: list[int] = []
    found = dict(in_processes(Doubled, counted(60, taken), 2))
    assert {item: double for item, (_, double) in found.items()} == {i: 2 * i for i in taken}
    assert len({process for process, _ in found.values()}) == 2
    assert os.getpid() not in {process for process, _ in found.values()}


def test_who_closes_processes_on_the_way_ends_them():
    results = in_processes(Doubled, iter([1, 2, -1, -1]), 2, threads=2)
    next(results)
    results.close()  # which the fixture sees: no process, no thread is left


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [(13, BadInput, "13 is bad luck"), (99, WorkerDied, "exit code -9")],
)
def test_what_goes_wrong_in_a_process_is_raised(item: int, error: type, words: str):
    with pytest.raises(error, match=words):
        list(in_processes(Doubled, iter([1, item]), 1))
