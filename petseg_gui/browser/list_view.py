"""The list itself: one image is open, and several may be selected beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QRegion
from PySide6.QtWidgets import QListView, QWidget

_FLAG = QItemSelectionModel.SelectionFlag
_CONTROL = Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_EVERYTHING = 1 << 30


class ImageListView(QListView):
    """Rows of images. The current one is open in the window.

    A click or an arrow key opens another image; with Ctrl or Shift it selects, and what is open
    stays. Letter keys are left to the window: they are its shortcuts.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._end = -1  # the row that Shift and an arrow key move, -1: the current one
        self.setAccessibleName("Images")
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)

    @property
    def selected_count(self) -> int:
        """How many rows are selected."""
        return sum(rows.stop - rows.start for rows in self.selected_rows)

    @property
    def selected_rows(self) -> list[slice]:
        """The stretches of rows that are selected, from the top."""
        selection = self.selectionModel().selection()
        parts = [selection.at(i) for i in range(selection.count())]
        ends = sorted((part.top(), part.bottom() + 1) for part in parts)
        return [slice(top, end) for top, end in ends]

    @property
    def top(self) -> tuple[int, int]:
        """The row at the upper edge, and how many pixels of it are above."""
        return divmod(self.verticalScrollBar().value(), max(1, self.sizeHintForRow(0)))

    def restore(self, top: tuple[int, int], current: int, rows: Iterable[int]) -> None:
        """After other rows are shown: scroll to a row, select these, and mark the current one.

        current: -1 for none.
        """
        self.executeDelayedItemsLayout()
        row, above = top
        self.verticalScrollBar().setValue(row * self.sizeHintForRow(0) + above)
        model, selection, chosen = self.model(), self.selectionModel(), QItemSelection()
        # Neighbouring rows as one range: each range costs as much as a row.
        numbered = enumerate(sorted(rows))
        for _, neighbours in groupby(numbered, key=lambda pair: pair[1] - pair[0]):
            stretch = [row for _, row in neighbours]
            ends = model.index(stretch[0], 0), model.index(stretch[-1], 0)
            chosen.append(QItemSelectionRange(*ends))
        selection.setCurrentIndex(model.index(current, 0), _FLAG.NoUpdate)
        selection.select(chosen, _FLAG.ClearAndSelect)

    def open_row(self, row: int) -> None:
        """Make a row the current one, and the only one that is selected."""
        self._end = -1
        index = self.model().index(row, 0)
        self.selectionModel().setCurrentIndex(index, _FLAG.ClearAndSelect)
        self.scrollTo(index)

    def currentChanged(
        self,
        current: QModelIndex | QPersistentModelIndex,
        previous: QModelIndex | QPersistentModelIndex,
    ) -> None:
        self._end = -1
        super().currentChanged(current, previous)

    def dataChanged(
        self,
        top_left: QModelIndex | QPersistentModelIndex,
        bottom_right: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        # Qt's own lays out every row anew; here no row ever changes its size.
        top, bottom = self.visualRect(top_left), self.visualRect(bottom_right)
        self.viewport().update(top.united(bottom))

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        # Qt's own looks at every row that is selected.
        return QRegion(self.viewport().rect())

    def selectAll(self) -> None:
        # As one range; Qt's own takes a tenth of a second for 100,000 rows.
        self._select_rows(0, self.model().rowCount() - 1)

    def event(self, event: QEvent) -> bool:
        overrides = event.type() == QEvent.Type.ShortcutOverride
        if overrides and isinstance(event, QKeyEvent) and self._rows_on(event):
            event.accept()  # here these keys select, whatever they do elsewhere
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        held = event.modifiers() & (_CONTROL | _SHIFT)
        if event.button() != Qt.MouseButton.LeftButton or not held or not index.isValid():
            super().mousePressEvent(event)
            return
        self.setFocus()
        if held & _SHIFT:
            self._select_up_to(index.row())
        else:
            self.selectionModel().select(index, _FLAG.Toggle)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # Otherwise a click with Ctrl that moves a little would open the image after all.
        if not (event.modifiers() & (_CONTROL | _SHIFT) and event.buttons()):
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not event.modifiers() & (_CONTROL | _SHIFT):
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = self._rows_on(event)
        if steps:
            row = self._end if self._end >= 0 else max(self.currentIndex().row(), 0)
            self._select_up_to(min(max(row + steps, 0), self.model().rowCount() - 1))
        elif event.key() == Qt.Key.Key_Escape and self.selected_count > 1:
            self.open_row(self.currentIndex().row())
        elif event.text().isalpha() and not event.modifiers() & _CONTROL:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _rows_on(self, event: QKeyEvent) -> int:
        """By how many rows a key with Shift moves the end of the selection, 0 for other keys."""
        if event.modifiers() != _SHIFT or not self.model().rowCount():
            return 0
        page = max(1, self.viewport().height() // max(1, self.sizeHintForRow(0)))
        rows = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -_EVERYTHING,
            Qt.Key.Key_End: _EVERYTHING,
        }
        return rows.get(Qt.Key(event.key()), 0)

    def _select_up_to(self, row: int) -> None:
        """Select from the open image to a row."""
        start = max(self.currentIndex().row(), 0)
        self._select_rows(*sorted((start, row)))
        self._end = row
        self.scrollTo(self.model().index(row, 0))

    def _select_rows(self, top: int, bottom: int) -> None:
        model = self.model()
        rows = QItemSelection(model.index(top, 0), model.index(bottom, 0))
        self.selectionModel().select(rows, _FLAG.ClearAndSelect)
