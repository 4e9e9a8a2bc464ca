"""What waits for the painting comes after it."""

from __future__ import annotations

import shiboken6
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from petseg_gui.after import after_painting


class Painted(QWidget):
    """Notes when it is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        self.log.append("painted")


def test_what_was_changed_is_painted_first(qtbot: QtBot) -> None:
    widget = Painted()
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    qtbot.waitUntil(lambda: bool(widget.log))
    widget.log.clear()
    widget.update()
    after_painting(widget, lambda: widget.log.append("done"))
    qtbot.waitUntil(lambda: "done" in widget.log)
    assert widget.log == ["painted", "done"]


def test_nothing_is_done_for_an_owner_that_is_gone(qtbot: QtBot) -> None:
    log: list[str] = []
    owner = QWidget()
    after_painting(owner, lambda: log.append("done"))
    shiboken6.delete(owner)
    qtbot.wait(20)
    assert log == []
