"""A child process that works for the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from petseg_gui.child import Child

_WORK = """
import os, sys, time
from core.child import run_child
from core.errors import BadInput

def work(request, tell):
    print("a library's own words")
    tell(1, 2, "half")
    if request["do"] == "refuse":
        raise BadInput("No such thing.")
    if request["do"] == "die":
        sys.stderr.write("out of luck\\n")
        sys.stderr.flush()
        os._exit(3)
    if request["do"] == "sleep":
        time.sleep(600)
    return {"answer": 42}

sys.exit(run_child(work))
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot) -> Child:
    (tmp_path / "for_a_test.py").write_text(_WORK)
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}")
    window = QWidget()
    qtbot.addWidget(window)
    child = Child("for_a_test", window)
    yield child
    child.cancel()
    child.wait()


def test_progress_comes_before_the_result(child, qtbot):
    told = []
    child.progressed.connect(lambda *progress: told.append(progress))
    with qtbot.waitSignal(child.finished, timeout=30_000) as got:
        child.start({"do": "work"})
    assert got.args == [{"answer": 42}]
    assert told == [(1, 2, "half")]
    assert not child.running


@pytest.mark.parametrize(("do", "words"), [("refuse", "No such thing."), ("die", "out of luck")])
def test_what_went_wrong_is_told_once(child, qtbot, do, words):
    told = []
    child.failed.connect(told.append)
    child.start({"do": do})
    qtbot.waitUntil(lambda: bool(told) and not child._ending, timeout=30_000)
    assert told == [words]
    assert not child.running


def test_nothing_is_heard_of_what_was_cancelled(child, qtbot):
    told = []
    child.failed.connect(told.append)
    with qtbot.waitSignal(child.progressed, timeout=30_000):
        child.start({"do": "sleep"})
    child.cancel()
    with qtbot.waitSignal(child.finished, timeout=30_000) as got:
        child.start({"do": "work"})
    assert (got.args, told) == ([{"answer": 42}], [])


def test_it_does_not_outlive_the_window(child, qtbot):
    with qtbot.waitSignal(child.progressed, timeout=30_000):
        child.start({"do": "sleep"})
    process = child._process
    process.closeWriteChannel()  # as when the window is killed
    qtbot.waitUntil(lambda: not child.running, timeout=30_000)
