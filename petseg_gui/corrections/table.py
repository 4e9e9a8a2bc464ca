"""The corrections as a table: what the plots show, for sorting and for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

if TYPE_CHECKING:
    from core.evaluation.corrections import Correction

_COLUMNS = ("Image", "Approved", "Dice", "Seconds", "Strokes", "Clicks", "Model")
_APPROVED = 1
_LEFT = (0, 1, 6)


class CorrectionTable(QAbstractTableModel):
    """A row each, the newest first unless it is sorted otherwise."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._corrections: Sequence[Correction] = ()
        self._sorted = (_APPROVED, Qt.SortOrder.DescendingOrder)

    def show_corrections(self, corrections: Sequence[Correction]) -> None:
        """Take other ones, in the order that was asked for last."""
        column, order = self._sorted
        self.beginResetModel()
        self._corrections = sorted(
            corrections,
            key=lambda c: _values(c)[column],
            reverse=order == Qt.SortOrder.DescendingOrder,
        )
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted = (column, order)
        self.show_corrections(self._corrections)

    def image(self, row: int) -> str:
        """The image of a row."""
        return self._corrections[row].image

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._corrections)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        correction, column = self._corrections[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _words(correction)[column]
        return _alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column in _LEFT else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def _values(c: Correction) -> tuple[str | float, ...]:
    dice = -1.0 if c.dice is None else c.dice
    time = c.time.timestamp() if c.time is not None else 0.0
    return c.image, time, dice, c.seconds, float(c.strokes), float(c.clicks), c.model


def _words(c: Correction) -> tuple[str, ...]:
    time = f"{c.time.astimezone():%Y-%m-%d %H:%M}" if c.time is not None else ""
    dice = "" if c.dice is None else f"{c.dice:.3f}"
    return c.image, time, dice, f"{c.seconds:.0f}", str(c.strokes), str(c.clicks), c.model
