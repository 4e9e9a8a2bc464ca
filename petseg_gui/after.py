"""Doing something once the window shows what was changed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def after_painting(owner: QObject, act: Callable[[], object]) -> None:
    """Call ``act`` once everything that is to be painted now is painted, if ``owner`` still lives.

    Work that starts earlier, even in a thread, holds up the painting.
    """
    # QTimer.singleShot(0) is too early: Qt posts it as an event, and paints after all of these.
    timer = QTimer(owner, singleShot=True, interval=0)
    timer.timeout.connect(act)
    timer.timeout.connect(timer.deleteLater)
    timer.start()
