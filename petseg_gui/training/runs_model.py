"""A folder's trainings as rows, one column a figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont

from petseg_gui.words import duration, size

if TYPE_CHECKING:
    from core.training.compare import Row
    from core.training.runs import RunInfo

_Index = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole


class Column(IntEnum):
    NAME = 0
    STATE = 1
    PRESET = 2
    MASKS = 3
    EPOCHS = 4
    IOU = 5
    TIME = 6
    SIZE = 7
    DATE = 8


_TITLES = {
    Column.NAME: ("Name", "What the training is called; F2 renames it"),
    Column.STATE: ("State", "How far it is"),
    Column.PRESET: ("Preset", "The recipe that its settings began as"),
    Column.MASKS: ("Masks", "Masks it trains on + masks it is checked on"),
    Column.EPOCHS: ("Epochs", "Rounds through the masks: done of wanted"),
    Column.IOU: ("Val IoU", "The best epoch's IoU on the masks it is checked on"),
    Column.TIME: ("Time", "How long it has worked, without pauses"),
    Column.SIZE: ("Model", "Size of its model's files"),
    Column.DATE: ("Begun", "When it was made"),
}
WIDEST = {
    Column.STATE: "Interrupted, in use",
    Column.PRESET: "mobilenet-small",
    Column.MASKS: "10000 + 2000",
    Column.EPOCHS: "100 of 100",
    Column.IOU: "Val IoU",
    Column.TIME: "100 min",
    Column.SIZE: "100 MB",
    Column.DATE: "28 Nov 2026 20:00",
}
"""A text that is as wide as what a column mostly holds; the name takes what is left."""
_FIGURES = (Column.MASKS, Column.EPOCHS, Column.IOU, Column.TIME, Column.SIZE)


class RunsModel(QAbstractTableModel):
    """One row a run. Rows that stay keep their place, so a selection outlives what is new."""

    renamed = Signal(object, str)
    """A RunInfo and the name that a person typed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._infos: list[RunInfo] = []
        self._rows: list[Row] = []
        self._places: dict[Path, int] = {}
        self._chosen = Path()

    def show_runs(self, infos: Sequence[RunInfo], rows: Sequence[Row], chosen: Path) -> None:
        """Show these runs with their figures. chosen: the file of the model that segments."""
        before = (self._chosen, self._places, self._rows[:], [i.problem for i in self._infos])
        self._chosen = chosen
        kept = {info.folder for info in infos}
        for number in range(len(self._infos) - 1, -1, -1):
            if self._infos[number].folder not in kept:
                self.beginRemoveRows(QModelIndex(), number, number)
                del self._infos[number], self._rows[number]
                self.endRemoveRows()
        known = {info.folder: number for number, info in enumerate(self._infos)}
        both = list(zip(infos, rows, strict=True))
        new = [(info, row) for info, row in both if info.folder not in known]
        for info, row in both:
            if info.folder in known:
                self._infos[known[info.folder]] = info
                self._rows[known[info.folder]] = row
        queue = sorted((i for i in infos if i.queued), key=lambda i: (i.queued, i.folder.name))
        self._places = {info.folder: place for place, info in enumerate(queue, 1)}
        now = (self._chosen, self._places, self._rows, [i.problem for i in self._infos])
        if self._infos and now != before:
            last = self.index(len(self._infos) - 1, len(Column) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
        if new:
            first = len(self._infos)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._infos += [info for info, _ in new]
            self._rows += [row for _, row in new]
            self.endInsertRows()

    def info(self, number: int) -> RunInfo:
        return self._infos[number]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._infos)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        title, tip = _TITLES[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return {Qt.ItemDataRole.DisplayRole: title, Qt.ItemDataRole.ToolTipRole: tip}.get(
            Qt.ItemDataRole(role)
        )

    def flags(self, index: _Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and index.column() == Column.NAME:
            info = self._infos[index.row()]
            if info.config is not None and not info.live:
                flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        info, row = self._infos[index.row()], self._rows[index.row()]
        column = Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(info, row, column)
        if role == Qt.ItemDataRole.EditRole:
            return info.name
        if role == _SORT:
            return self._sort_key(info, row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        in_use = column == Column.NAME and info.model == self._chosen
        if role == Qt.ItemDataRole.FontRole and in_use:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return info.problem or (info.name if column == Column.NAME else None)
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        if role == Qt.ItemDataRole.EditRole and name and name != self._infos[index.row()].name:
            self.renamed.emit(self._infos[index.row()], name)
        return False  # the new name comes when it is written

    def _text(self, info: RunInfo, row: Row, column: Column) -> str:
        if column == Column.NAME:
            return row.name
        if column == Column.STATE:
            return self._state(info)
        if info.config is None:
            return _date(info.created) if column == Column.DATE else ""
        return {
            Column.PRESET: row.preset,
            Column.MASKS: f"{row.train} + {row.val}",
            Column.EPOCHS: f"{row.epochs} of {row.epochs_wanted}",
            Column.IOU: "" if row.best_iou is None else f"{row.best_iou:.3f}",
            Column.TIME: duration(60 * row.minutes) if row.minutes else "",
            Column.SIZE: size(row.model_bytes) if row.model_bytes else "",
            Column.DATE: _date(info.created),
        }[column]

    def _state(self, info: RunInfo) -> str:
        place = self._places.get(info.folder)
        if place is not None:
            return f"Waits, number {place}"
        state = info.state.value.capitalize()
        return f"{state}, in use" if info.model == self._chosen else state

    def _sort_key(self, info: RunInfo, row: Row, column: Column) -> Any:
        keys: dict[Column, Any] = {
            Column.STATE: f"{info.state} {self._places.get(info.folder, 0):06}",
            Column.MASKS: row.train + row.val,
            Column.EPOCHS: row.epochs,
            Column.IOU: -1.0 if row.best_iou is None else row.best_iou,
            Column.TIME: row.minutes,
            Column.SIZE: row.model_bytes,
            Column.DATE: info.created,
        }
        return keys[column] if column in keys else self._text(info, row, column).casefold()


class SortedRuns(QSortFilterProxyModel):
    """The runs in the order that a person chose, the newest first until then."""

    def __init__(self, model: RunsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = model
        self.setSourceModel(model)
        self.setSortRole(_SORT)
        self.sort(Column.DATE, Qt.SortOrder.DescendingOrder)

    def info(self, index: _Index) -> RunInfo:
        """The run of a row."""
        return self._runs.info(self.mapToSource(index).row())


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _FIGURES else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%d %b %Y %H:%M}" if seconds else ""
