"""The list of images as Qt sees it: nothing is done per row until a row is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSignalBlocker,
    QStringListModel,
    Qt,
)

from core.evaluation.triage import Arrangement, Known, by_name
from core.project.split import Subset
from petseg_gui.browser.telling import as_tip, tell_all, tell_value
from petseg_gui.browser.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex

_SHOWN = ("name", "status", "split")  # what a row says anyway


class Role(IntEnum):
    """What the delegate asks for beside the name."""

    STATUS = Qt.ItemDataRole.UserRole + 1
    THUMBNAIL = Qt.ItemDataRole.UserRole + 2
    SUBSET = Qt.ItemDataRole.UserRole + 3
    """The subset an image is kept for, "" where it is no other than that which trains."""
    BAR = Qt.ItemDataRole.UserRole + 4
    """The length of its bar, 0 to 1, None without one."""
    VALUE = Qt.ItemDataRole.UserRole + 5
    """What the list is sorted by, in words; "" where the row says it anyway."""


class ImageListModel(QStringListModel):
    """The images that were found, in order.

    Qt asks for the number of rows once for each of them: it counts empty strings of its own, which
    is many times faster than asking Python.
    """

    def __init__(
        self,
        known: Callable[[], Known],
        thumbnails: Thumbnails,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._known = known
        self._thumbnails = thumbnails
        self._arrangement = Arrangement()
        self._listing = False
        thumbnails.ready.connect(self.refresh)

    @property
    def names(self) -> Sequence[str]:
        """The names shown, in order."""
        return self._arrangement.names

    def show(self, arrangement: Arrangement) -> None:
        """Show these images."""
        self._listing = False
        rows, wanted = self.rowCount(), len(arrangement.names)
        self.beginResetModel()
        self._arrangement = arrangement
        with QSignalBlocker(self):  # faster than a list anew
            self.insertRows(0, wanted - rows)  # below 0 neither does anything
            self.removeRows(wanted, rows - wanted)
        self.endResetModel()

    def show_listing(self, names: Sequence[str]) -> None:
        """Show the names of a folder that is being opened; nothing is known of them yet."""
        self.show(by_name(names))
        self._listing = True

    def rescale(self, longest: float) -> None:
        """Draw the bars as shares of another value."""
        self._arrangement = replace(self._arrangement, longest=longest)
        if self.names:
            self.dataChanged.emit(self.index(0), self.index(len(self.names) - 1))

    def row_of(self, name: str) -> int:
        """The image's row, -1 where it is not shown."""
        return self._arrangement.rows.get(name, -1)

    def refresh(self, *names: str) -> None:
        """These images' status, facts or thumbnails have changed."""
        rows = [row for name in names if (row := self.row_of(name)) >= 0]
        if rows:
            # As one stretch, whatever lies between: a signal for each would take long.
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))

    def flags(self, index: Index) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        name, known = self.names[index.row()], self._known()
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if self._listing:
            return name if role == Qt.ItemDataRole.AccessibleTextRole else None
        if role == Role.STATUS:
            return known.status(name)
        if role == Role.THUMBNAIL:
            return self._thumbnails.get(name)
        if role == Role.SUBSET:
            return self._subset(name)
        if role == Role.BAR:
            value = known.number(name, self._arrangement.bar)
            return None if value is None else min(value / (self._arrangement.longest or 1.0), 1.0)
        if role == Role.VALUE:
            key = self._arrangement.key
            return "" if key in _SHOWN else tell_value(known, name, key)
        if role == Qt.ItemDataRole.ToolTipRole:
            made = self._thumbnails.get(name)
            if isinstance(made, str):
                return as_tip((name, f"Cannot be shown: {made}"))
            return tell_all(known, name)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (name, known.status(name), *self._spoken(name))))
        return None

    def _subset(self, name: str) -> str:
        subset = self._known().split.get(name)
        return "" if subset in (None, Subset.TRAIN) else str(subset)

    def _spoken(self, name: str) -> tuple[str, str]:
        """What the badge and the bar show."""
        bar = self._arrangement.bar
        value = tell_value(self._known(), name, bar)
        return self._subset(name), f"{bar} {value}" if value else ""
