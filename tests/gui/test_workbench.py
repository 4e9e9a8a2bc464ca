"""What the window gives its tools: work off its thread, and a word when that fails."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from core.editing.history import compare
from core.errors import BadInput
from core.labels import PET
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.document import Document
from petseg_gui.tasks import Tasks
from petseg_gui.tools.proposal import Proposal
from petseg_gui.workbench import make_workbench


@pytest.fixture
def told():
    return []


@pytest.fixture
def bench(qtbot, told):
    tasks, canvas = Tasks(), Canvas()
    qtbot.addWidget(canvas)

    class NoModel:
        def of(self, document, value, box):
            return None

        def mask_in(self, document, box):
            return None

    yield make_workbench(tasks, canvas, NoModel(), told.append)
    tasks.close()


@pytest.fixture
def document():
    return Document("a", np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8), PET)


def painted(document):
    after = document.mask.copy()
    after[2:4, 2:4] = 1
    return compare(document.mask, after, "Test")


def test_a_proposal_is_worked_out_off_the_windows_thread(bench, document, qtbot):
    threads = []
    proposal = Proposal(bench)
    proposal.ask(
        document, lambda: (threads.append(threading.current_thread()), painted(document))[1]
    )
    assert proposal.count is None
    qtbot.waitUntil(lambda: proposal.count == 4)
    assert threads != [threading.current_thread()]
    assert proposal.take(document)
    assert document.mask.sum() == 4


def test_waiting_makes_what_was_taken(bench, document):
    proposal = Proposal(bench)
    proposal.ask(document, lambda: painted(document))
    proposal.take(document)
    assert not document.mask.any()
    bench.wait()
    assert document.mask.sum() == 4


def test_work_that_fails_is_told_and_leaves_nothing_pending(bench, document, told, qtbot):
    def fail():
        raise BadInput("the model file is gone")

    proposal = Proposal(bench)
    proposal.ask(document, fail)
    qtbot.waitUntil(lambda: told == ["the model file is gone"])
    assert not proposal.pending
    assert not proposal.take(document)
