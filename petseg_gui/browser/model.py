"""The list of images as Qt sees it: nothing is done per row until a row is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from core.project.reviews import Status
from petseg_gui.browser.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex


class Role(IntEnum):
    """What the delegate asks for beside the name."""

    STATUS = Qt.ItemDataRole.UserRole + 1
    THUMBNAIL = Qt.ItemDataRole.UserRole + 2


class ImageListModel(QAbstractListModel):
    """The images whose names hold the searched text."""

    def __init__(
        self,
        status_of: Callable[[str], Status],
        thumbnails: Thumbnails,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._status_of = status_of
        self._thumbnails = thumbnails
        self._all: Sequence[str] = ()
        self._lowered: list[str] = []
        self._names: Sequence[str] = ()
        self._rows: dict[str, int] = {}
        thumbnails.ready.connect(self.refresh)

    @property
    def names(self) -> Sequence[str]:
        """The names shown, in order."""
        return self._names

    @property
    def total(self) -> int:
        """How many images there are, searched for or not."""
        return len(self._all)

    def set_names(self, names: Sequence[str]) -> None:
        """Show these images, all of them."""
        self._all = names
        self._lowered = [name.casefold() for name in names]
        self._show(names)

    def search(self, text: str) -> None:
        """Show the images whose names hold ``text``, in capitals or not."""
        wanted = text.strip().casefold()
        self._show(
            [n for n, low in zip(self._all, self._lowered, strict=True) if wanted in low]
            if wanted
            else self._all
        )

    def row_of(self, name: str) -> int:
        """The image's row, -1 where it is not shown."""
        return self._rows.get(name, -1)

    def status(self, name: str) -> Status:
        """The image's status."""
        return self._status_of(name)

    def refresh(self, name: str) -> None:
        """The image's status or thumbnail has changed."""
        row = self.row_of(name)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._names)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        name = self._names[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Role.STATUS:
            return self._status_of(name)
        if role == Role.THUMBNAIL:
            return self._thumbnails.get(name)
        if role == Qt.ItemDataRole.ToolTipRole:
            made = self._thumbnails.get(name)
            return f"{name}\nCannot be shown: {made}" if isinstance(made, str) else name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{name}, {self._status_of(name)}"
        return None

    def _show(self, names: Sequence[str]) -> None:
        self.beginResetModel()
        self._names = names
        self._rows = {name: row for row, name in enumerate(names)}
        self.endResetModel()
