from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from petseg_gui.readout import Readout


class Layouts(QObject):
    """Counts how often a window was laid out anew."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.fixture
def readout(qtbot: QtBot) -> Iterator[Readout]:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QHBoxLayout(window)
    readout = Readout(window)
    layout.addStretch(1)
    layout.addWidget(readout)
    window.resize(400, 60)
    window.show()
    qtbot.waitExposed(window)
    yield readout
    window.close()


def test_it_makes_room_for_its_text_and_keeps_it(readout: Readout, qtbot: QtBot) -> None:
    readout.set_text("1234, 5678  background")
    wide = readout.fontMetrics().horizontalAdvance("1234, 5678  background")
    qtbot.waitUntil(lambda: readout.width() >= wide)
    layouts = Layouts()
    readout.window().installEventFilter(layouts)
    for text in ("1, 2  pet", "", "3, 4  background"):
        readout.set_text(text)
        qtbot.wait(5)
    assert readout.text() == "3, 4  background"
    assert readout.width() >= wide
    assert layouts.count == 0


def test_what_it_shows_is_its_text(readout: Readout, qtbot: QtBot) -> None:
    readout.set_text("1234, 5678  pet")
    qtbot.waitUntil(lambda: readout.width() > 20)
    shown = readout.grab().toImage()
    readout.set_text("")
    assert readout.grab().toImage() != shown
    readout.set_text("1234, 5678  pet")
    assert readout.grab().toImage() == shown
