"""The corrections as a table: what the plots show, for sorting and for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

if TYPE_CHECKING:
    from core.evaluation.corrections import Correction

_COLUMNS = ("Image", "Approved", "Dice", "Seconds", "Strokes", "Clicks", "Model")
_LEFT = (0, 1, 6)
SORT_ROLE = Qt.ItemDataRole.UserRole


class CorrectionTable(QAbstractTableModel):
    """A row each, the oldest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._corrections: Sequence[Correction] = ()

    def show_corrections(self, corrections: Sequence[Correction]) -> None:
        """Take other ones."""
        self.beginResetModel()
        self._corrections = corrections
        self.endResetModel()

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
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return None

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        correction, column = self._corrections[index.row()], index.column()
        if role == SORT_ROLE:
            return _values(correction)[column]
        if role == Qt.ItemDataRole.DisplayRole:
            return _words(correction)[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and column not in _LEFT:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


def _values(c: Correction) -> tuple[str | float, ...]:
    dice = -1.0 if c.dice is None else c.dice
    time = c.time.timestamp() if c.time is not None else 0.0
    return c.image, time, dice, c.seconds, float(c.strokes), float(c.clicks), c.model


def _words(c: Correction) -> tuple[str, ...]:
    time = f"{c.time.astimezone():%Y-%m-%d %H:%M}" if c.time is not None else ""
    dice = "" if c.dice is None else f"{c.dice:.3f}"
    return c.image, time, dice, f"{c.seconds:.0f}", str(c.strokes), str(c.clicks), c.model
