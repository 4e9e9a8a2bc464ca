"""Windows to test with, and fixtures that fail a test which leaves something running."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt, QThread, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from petseg_gui.app import build
from petseg_gui.parts import Parts

OpenWindow = Callable[..., Parts]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that does other work too, five seconds are soon over."""
    for name in ("waitUntil", "waitSignal"):
        patient = partialmethod(getattr(QtBot, name), timeout=60_000)
        monkeypatch.setattr(QtBot, name, patient)


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that leaves a thread, an active timer or a child process behind has failed."""
    threads, children = set(threading.enumerate()), _children()
    yield
    left = [f"thread {t.name}" for t in set(threading.enumerate()) - threads if t.is_alive()]
    left += [f"process {pid}" for pid in _children() - children]
    for thing in gc.get_objects():
        kind = type(thing)
        if not issubclass(kind, QTimer | QThread) or not shiboken6.isValid(thing):
            continue
        if issubclass(kind, QTimer) and thing.isActive():
            left.append(f"timer of {thing.parent()}")
        if issubclass(kind, QThread) and thing.isRunning() and thing != QThread.currentThread():
            left.append(f"QThread {thing}")
    assert not left, f"left behind: {', '.join(left)}"


@pytest.fixture(autouse=True)
def own_user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's own data."""
    folder = tmp_path / "user-data"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user-config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user-state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    return folder / "petseg"


@pytest.fixture(autouse=True)
def default_model(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model in place of the bundled one: tests are of the window, not of its quality.

    There is no fast one.
    """
    for module in (
        "core.inference.catalogue",
        "petseg_gui.prediction.models",
        "petseg_gui.training.dialog",
    ):
        monkeypatch.setattr(f"{module}.bundled_model", lambda: tiny_model)
    monkeypatch.setattr("core.inference.catalogue.fast_model", lambda: Path("gone.safetensors"))
    return tiny_model


@pytest.fixture
def open_window(qtbot: QtBot) -> Iterator[OpenWindow]:
    """open_window(folder, ...) -> the program's parts, its window shown, closed after the test.

    Waits until the first image (or why there is none) is shown, unless ``wait=False``.
    """
    opened: list[Parts] = []

    def open_(*arguments: object, wait: bool = True, segment: bool = False) -> Parts:
        parts = build([str(a) for a in arguments])
        opened.append(parts)
        parts.actions["segment_on_opening"].setChecked(segment)
        parts.window.resize(900, 640)
        parts.window.show()
        if wait:
            qtbot.waitUntil(lambda: bool(parts.session.name))
        return parts

    yield open_
    for parts in opened:
        parts.session.saver.give_up()
        parts.window.close()
        qtbot.waitUntil(lambda parts=parts: not parts.window.isVisible())
        parts.window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def go_to(qtbot: QtBot) -> Callable[[Parts, str], None]:
    """go_to(parts, name): choose an image as a click in the list does, and wait for it."""

    def go(parts: Parts, name: str) -> None:
        parts.browser.select(name)
        qtbot.waitUntil(lambda: parts.session.name == name)

    return go


@pytest.fixture
def paint(qtbot: QtBot) -> Callable[..., None]:
    """paint(parts, dx=20): a brush stroke with the mouse from the image's centre to the right."""

    def stroke(parts: Parts, dx: int = 20) -> None:
        canvas = parts.canvas
        start = canvas.rect().center()
        qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
        qtbot.mouseMove(canvas, start + QPoint(dx, 0))
        qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(dx, 0))

    return stroke


def _children() -> set[str]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(path.read_text().split()) if path.exists() else set()
