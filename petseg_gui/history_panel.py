"""The history panel: the open image's edits; going to one takes back or repeats all between."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QListView, QVBoxLayout, QWidget

from petseg_gui.document import Document

_Index = QModelIndex | QPersistentModelIndex


class HistoryPanel(QWidget):
    """Row n is the mask after n edits; what was undone is faint."""

    went = Signal(int)
    """A person wants the mask as it was after so many edits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document: Document | None = None
        self._model = _HistoryModel(self)
        self.list = QListView(self)
        self.list.setAccessibleName("Edits of this image")
        self.list.setUniformItemSizes(True)
        self.list.setModel(self._model)
        self.list.selectionModel().currentChanged.connect(self._row_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.list)

    def set_document(self, document: Document | None) -> None:
        """Show another image's edits."""
        self._document = document
        self.refresh()

    def refresh(self) -> None:
        """The edits have changed."""
        if self.isVisible():
            self._model.show_document(self._document)
            index = self._model.index(self._model.present)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _row_chosen(self, index: QModelIndex) -> None:
        if index.isValid() and index.row() != self._model.present:
            self.went.emit(index.row())


class _HistoryModel(QAbstractListModel):
    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._titles: list[str] = []
        self.present = 0
        """The row of the mask as it is now."""

    def show_document(self, document: Document | None) -> None:
        self.beginResetModel()
        self._titles, self.present = [], 0
        if document is not None:
            history = document.history
            self._titles = ["Oldest step kept" if history.forgot else "As opened"]
            self._titles += history.done_titles + history.undone_titles
            self.present = len(history.done_titles)
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._titles)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        if not 0 <= row < len(self._titles):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._titles[row]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            title, present = self._titles[row], self.present
            return f"{title}, undone" if row > present else title
        if role == Qt.ItemDataRole.ForegroundRole and row > self.present:
            return self._owner.palette().brush(QPalette.ColorRole.PlaceholderText)
        return None
