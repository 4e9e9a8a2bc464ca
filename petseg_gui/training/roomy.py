"""Table rows with some air."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

_AIR = QSize(16, 8)


class RoomyDelegate(QStyledItemDelegate):
    """Items a little larger than their text."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return super().sizeHint(option, index) + _AIR


def roomy_table(name: str, model: QAbstractItemModel, parent: QWidget) -> QTreeView:
    """A table to read, named for screen readers; a click on a column's title sorts by it."""
    table = QTreeView(parent)
    table.setAccessibleName(name)
    table.setModel(model)
    table.setItemDelegate(RoomyDelegate(table))
    table.setRootIsDecorated(False)
    table.setUniformRowHeights(True)
    table.setAllColumnsShowFocus(True)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSortingEnabled(True)
    return table
