"""Notices that a person is at work on the canvas: presses, also of a pen, wheel, keys, drags."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QSinglePointEvent
from PySide6.QtWidgets import QWidget

_PRESSES = frozenset(
    {QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TabletPress}
)
_MOVES = frozenset({QEvent.Type.MouseMove, QEvent.Type.TabletMove})
_WORK = frozenset(
    {
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.TabletRelease,
        QEvent.Type.Wheel,
        QEvent.Type.KeyPress,
    }
)


class Presses(QObject):
    """Watches a widget's events and lets them all pass."""

    def __init__(self, canvas: QWidget, worked: Callable[[int], None]) -> None:
        """worked: gets the number of presses that it was, 0 or 1."""
        super().__init__(canvas)
        self._worked = worked
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QSinglePointEvent) and kind in _PRESSES:
            self._worked(int(event.button() is Qt.MouseButton.LeftButton))
        elif kind in _WORK or (
            isinstance(event, QSinglePointEvent)
            and kind in _MOVES
            and event.buttons() != Qt.MouseButton.NoButton
        ):
            self._worked(0)
        return False
