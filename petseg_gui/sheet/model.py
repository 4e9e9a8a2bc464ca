"""The images of the contact sheet as Qt sees them: nothing is done for one until it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from core.project.reviews import Status
from petseg_gui.browser.telling import as_tip
from petseg_gui.sheet.pictures import Pictures

Index = QModelIndex | QPersistentModelIndex


class Role(IntEnum):
    """What the delegate asks for beside the name."""

    STATUS = Qt.ItemDataRole.UserRole + 1
    PICTURE = Qt.ItemDataRole.UserRole + 2


class SheetModel(QAbstractListModel):
    """A row an image, in the order in which they are given."""

    def __init__(
        self,
        status_of: Callable[[str], Status],
        pictures: Pictures,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._status_of = status_of
        self._pictures = pictures
        self._rows: dict[str, int] = {}
        self.names: Sequence[str] = ()
        pictures.ready.connect(self.refresh)

    def show_names(self, names: Sequence[str]) -> None:
        """Show these images."""
        self.beginResetModel()
        self.names = names
        self._rows = {name: row for row, name in enumerate(names)}
        self.endResetModel()

    def row_of(self, name: str) -> int:
        """The image's row, -1 where it is not shown."""
        return self._rows.get(name, -1)

    def status(self, name: str) -> Status:
        """The image's status."""
        return self._status_of(name)

    def refresh(self, name: str) -> None:
        """The image's status or picture has changed."""
        row = self.row_of(name)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.names)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        name = self.names[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Role.STATUS:
            return self._status_of(name)
        if role == Role.PICTURE:
            return self._pictures.get(name)
        if role == Qt.ItemDataRole.ToolTipRole:
            made = self._pictures.get(name)
            problem = made.problem if made is not None else ""
            return as_tip(filter(None, (name, self._status_of(name).capitalize(), problem)))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{name}, {self._status_of(name)}"
        return None
