"""Work off the GUI thread: results, errors, progress, and cancelling."""

from __future__ import annotations

import threading
import weakref

import pytest
from PySide6.QtCore import QObject, QThread

from core.errors import BadInput
from petseg_gui.tasks import Lane, Tasks


@pytest.fixture
def tasks(qtbot):
    made = Tasks()
    yield made
    made.close()


def test_a_result_comes_back_on_the_gui_thread(tasks, qtbot):
    seen = []
    gui = QThread.currentThread()

    def done(result):
        seen.append((result, QThread.currentThread() == gui))

    tasks.run(Lane.LOAD, lambda job: threading.current_thread().name, done)
    qtbot.waitUntil(lambda: bool(seen))
    name, on_gui_thread = seen[0]
    assert on_gui_thread
    assert name.startswith("petseg-load")


def test_an_error_for_people_comes_as_text(tasks, qtbot):
    seen = []

    def work(job):
        raise BadInput("the file is empty")

    tasks.run(Lane.LOAD, work, None, seen.append)
    qtbot.waitUntil(lambda: seen == ["the file is empty"])


def test_a_defect_is_not_swallowed_and_keeps_nobody_waiting(tasks, qtbot):
    seen = []

    def work(job):
        raise MemoryError

    with qtbot.captureExceptions() as caught:
        tasks.run(Lane.LOAD, work, None, seen.append)
        qtbot.waitUntil(lambda: not tasks.busy)
    assert [kind for kind, _, _ in caught] == [MemoryError]
    assert seen == ["MemoryError"]


def test_what_nobody_waits_for_gives_way(tasks, qtbot):
    begun, ended = threading.Event(), []

    def in_no_hurry(job):
        begun.set()
        job.give_way()
        ended.append("index")

    def awaited(job):
        begun.wait()
        ended.append("load")

    tasks.run(Lane.LOAD, awaited)
    tasks.run(Lane.INDEX, in_no_hurry)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert ended == ["load", "index"]


def test_a_cancelled_tasks_late_result_never_lands(tasks, qtbot):
    started, go = threading.Event(), threading.Event()
    seen = []

    def work(job):
        started.set()
        go.wait(10)
        job.report("half")
        return job.cancelled

    task = tasks.run(Lane.LOAD, work, seen.append, seen.append, seen.append)
    assert started.wait(10)
    task.cancel()
    go.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert seen == []


def test_progress_comes_in_order_and_before_the_result(tasks, qtbot):
    seen = []

    def work(job):
        for number in range(3):
            job.report(number)
        return "done"

    tasks.run(Lane.LOAD, work, seen.append, None, seen.append)
    qtbot.waitUntil(lambda: seen == [0, 1, 2, "done"])


def test_a_lane_keeps_its_order(tasks, qtbot):
    seen = []
    for number in range(5):
        tasks.run(Lane.SAVE, lambda job, number=number: number, seen.append)
    qtbot.waitUntil(lambda: seen == [0, 1, 2, 3, 4])


def test_waiting_hands_on_a_lanes_results_in_order_and_once(tasks, qtbot):
    seen = []

    def then(number):
        seen.append(number)
        if number == 1:
            tasks.run(Lane.EDIT, lambda job: 3, seen.append)  # what follows is waited for too

    for number in (1, 2):
        tasks.run(Lane.EDIT, lambda job, number=number: number, then)
    tasks.wait(Lane.EDIT)
    assert seen == [1, 2, 3]
    qtbot.wait(20)
    assert seen == [1, 2, 3]


def test_waiting_for_one_lane_does_not_wait_for_another(tasks, qtbot):
    go = threading.Event()
    task = tasks.run(Lane.LOAD, lambda job: go.wait(10))
    tasks.wait(Lane.EDIT)
    assert not task.future.done()
    go.set()


def test_closing_waits_for_the_threads_and_takes_no_more_work(qtbot):
    tasks = Tasks()
    tasks.run(Lane.LOAD, lambda job: None)
    tasks.close()
    ran = []
    tasks.run(Lane.LOAD, ran.append)
    assert not any(t.name.startswith("petseg-") for t in threading.enumerate())
    assert ran == []


def test_closing_does_what_a_person_decided_and_drops_the_rest(qtbot):
    tasks, done = Tasks(), []
    # It holds the lane up until the closing has cancelled it.
    first = [tasks.run(Lane.SAVE, lambda job: first[0].cancelled.wait(10))]
    tasks.run(Lane.SAVE, lambda job: done.append("kept"), kept=True)
    tasks.run(Lane.SAVE, lambda job: done.append("dropped"))
    tasks.close()
    assert done == ["kept"]


def test_a_task_that_ended_holds_nothing_it_was_given(tasks, qtbot):
    """A dialog that a lane's thread let go of last would die there, and the program with it."""
    held = QObject()
    alive = weakref.ref(held)
    ended = [
        tasks.run(Lane.LOAD, lambda job, _=held: None, *[lambda _, held=held: None] * 3)
        for _ in range(2)
    ]
    ended[1].cancel()
    del held
    qtbot.waitUntil(lambda: not tasks.busy)
    assert ended
    assert alive() is None
