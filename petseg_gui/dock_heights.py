"""Docks above each other share their column's height by what their contents need."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow

from petseg_gui.after import after_painting


class DockHeights(QObject):
    """Makes room for a dock when it is first opened.

    Heights that a person dragged, now or before the window was opened, stay in proportion.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._shown = False
        self._by_hand = False
        self._met: set[QDockWidget] = set()
        window.installEventFilter(self)

    def watch(self, dock: QDockWidget) -> None:
        """Make room for this dock when it is first opened."""
        dock.toggleViewAction().toggled.connect(lambda on: self._opened(dock) if on else None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and not self._shown:
            self._shown = True  # those in it were shown before
            self._by_hand = any(len(self._column(dock)) > 1 for dock in self._docks())
        elif event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            place = event.position().toPoint()
            # A line between two docks, not one beside them, which drags a width.
            if self._window.isSeparator(place) and any(
                dock.x() <= place.x() < dock.x() + dock.width() for dock in self._docks()
            ):
                self._by_hand = True
        return False

    def _opened(self, dock: QDockWidget) -> None:
        if dock in self._met:
            return  # it comes back as it was left
        self._met.add(dock)
        if self._shown:
            after_painting(dock, lambda: self._make_room(dock))

    def _make_room(self, dock: QDockWidget) -> None:
        column = self._column(dock)
        if dock not in column:
            return  # closed again
        heights = [d.height() for d in column]
        wanted = [d.sizeHint().height() for d in column]
        if self._by_hand:
            # No more than its even part; the others divide the rest as they did.
            own = min(dock.sizeHint().height(), sum(heights) // len(column))
            rest = (sum(heights) - own) / max(1, sum(heights) - dock.height())
            wanted = [
                own if d is dock else min(round(height * rest), height)
                for d, height in zip(column, heights, strict=True)
            ]
        if any(height < want for height, want in zip(heights, wanted, strict=True)):
            self._window.resizeDocks(column, wanted, Qt.Orientation.Vertical)

    def _column(self, dock: QDockWidget) -> list[QDockWidget]:
        area = self._window.dockWidgetArea(dock)
        return [d for d in self._docks() if self._window.dockWidgetArea(d) is area]

    def _docks(self) -> list[QDockWidget]:
        docks = self._window.findChildren(QDockWidget)
        return [dock for dock in docks if dock.isVisible()]
