"""The grid of the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QListView, QWidget

from petseg_gui.sheet.delegate import SheetDelegate
from petseg_gui.sheet.model import SheetModel

_BATCH = 2000
_NOTCH = 120  # of a mouse wheel


class SheetView(QListView):
    """Arrows move in it; its letters are its window's commands."""

    open_wanted = Signal(str)
    peeked = Signal(bool)
    """The key that hides the masks is held (True), or was let go."""
    size_stepped = Signal(int)
    """The wheel was turned by so many notches while Ctrl was held."""

    def __init__(self, model: SheetModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Contact sheet")
        self.delegate = SheetDelegate(self)
        self._names = model
        self._turned = 0
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(True)
        # Tens of thousands of cells are laid out a few at a time.
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(_BATCH)
        self.setModel(model)
        self.setItemDelegate(self.delegate)
        self.doubleClicked.connect(lambda index: self.open_wanted.emit(str(index.data())))
        self.set_size(self.delegate.size)

    @property
    def selected(self) -> list[str]:
        """The names of what is selected, in order."""
        rows = sorted(row for part in ranges(self.selectionModel().selection()) for row in part)
        return [self._names.names[row] for row in rows]

    @property
    def selected_count(self) -> int:
        """How many are selected."""
        return sum(map(len, ranges(self.selectionModel().selection())))

    def set_size(self, size: int) -> None:
        """Show pictures so large, in device-independent pixels a side; what was seen stays."""
        current = self.currentIndex()
        self.delegate.size = size
        cell = self.delegate.cell(self.fontMetrics())
        self.setGridSize(cell)
        self.verticalScrollBar().setSingleStep(cell.height() // 3)
        if current.isValid():
            self.scrollTo(current, QListView.ScrollHint.PositionAtCenter)

    def show_masks(self, shown: bool) -> None:
        """Show the masks over the photos, or the photos alone."""
        self.delegate.masks_shown = shown
        self.viewport().update()

    def dataChanged(
        self,
        top_left: QModelIndex | QPersistentModelIndex,
        bottom_right: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        # Qt's own lays out every cell anew; here none ever changes its size.
        self.viewport().update(self.visualRect(top_left).united(self.visualRect(bottom_right)))

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        if max(len(r) for r in ranges(selected) + ranges(deselected) + [range(0)]) < _BATCH:
            super().selectionChanged(selected, deselected)
        else:
            self.viewport().update()  # Qt's own looks for the place of every cell

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
            return
        self._turned += event.angleDelta().y()
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        if notches:
            self.size_stepped.emit(notches)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self.peeked.emit(True)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.open_wanted.emit(str(self.currentIndex().data()))
        elif event.text().isalpha():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self.peeked.emit(False)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.peeked.emit(False)  # the key may be let go elsewhere


def ranges(selection: QItemSelection) -> list[range]:
    """The rows that are selected."""
    # Not indexes(), which makes an object for each of thousands.
    parts = [selection.at(number) for number in range(selection.count())]
    return [range(part.top(), part.bottom() + 1) for part in parts]
