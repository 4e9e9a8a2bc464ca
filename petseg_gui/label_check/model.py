"""The review queue as a list: a picture of the difference, the name, and why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from petseg_gui.label_check.desk import Entry
from petseg_gui.label_check.pictures import DifferencePictures

SIDE = 96
_LINES = 5


class QueueDelegate(QStyledItemDelegate):
    """Rows of one height, for the picture and some lines: so that a long queue is laid out fast."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(SIDE, max(SIDE, _LINES * option.fontMetrics.lineSpacing()) + 4)


class QueueModel(QAbstractListModel):
    """The most suspicious mask first."""

    def __init__(self, pictures: DifferencePictures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._pictures = pictures
        pictures.ready.connect(self._picture_ready)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Take a new queue; where one entry went, the others keep their rows' state."""
        before, now = [e.image for e in self._entries], [e.image for e in entries]
        pairs = enumerate(zip(before, now, strict=False))
        row = next((row for row, (old, new) in pairs if old != new), len(now))
        if before[:row] + before[row + 1 :] == now and before != now:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._entries[row]
            self.endRemoveRows()
        elif before != now:
            self.beginResetModel()
            self._entries = list(entries)
            self.endResetModel()
            return
        self._entries = list(entries)
        if entries:
            self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))

    def entry(self, row: int) -> Entry | None:
        """The mask in a row."""
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        entry = self.entry(index.row())
        if entry is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            changed = "\nChanged since the check." if entry.changed else ""
            return f"{entry.image}\n{entry.finding.why}{changed}"
        if role == Qt.ItemDataRole.DecorationRole:
            made = self._pictures.get(entry.image, SIDE)
            return _centred(made) if isinstance(made, QPixmap) else _square()
        if role == Qt.ItemDataRole.ForegroundRole and entry.changed:
            return _grey()
        return None

    def _picture_ready(self, name: str) -> None:
        for row, entry in enumerate(self._entries):
            if entry.image == name:
                self.dataChanged.emit(
                    self.index(row), self.index(row), [Qt.ItemDataRole.DecorationRole]
                )


def _square() -> QPixmap:
    square = QPixmap(SIDE, SIDE)
    square.fill(Qt.GlobalColor.transparent)
    return square


def _centred(picture: QPixmap) -> QPixmap:
    """In a square, so that the words beside all pictures begin at the same place."""
    square = _square()
    painter = QPainter(square)
    painter.drawPixmap((SIDE - picture.width()) // 2, (SIDE - picture.height()) // 2, picture)
    painter.end()
    return square


def _grey() -> QColor:
    return QGuiApplication.palette().color(QPalette.ColorRole.PlaceholderText)
