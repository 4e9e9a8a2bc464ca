"""The classes of a label scheme and void as rows: swatch and name, key, lock."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPalette

from core.labels import VOID, LabelScheme
from petseg_gui import icons
from petseg_gui.classes.swatch import class_name, class_swatch

_LOCK_SIDE = 16
_Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    NAME = 0
    KEY = 1
    LOCK = 2


class ClassModel(QAbstractTableModel):
    """One row a class, void last."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scheme: LabelScheme | None = None
        self._keys: dict[int, str] = {}
        self._ids: list[int] = []
        self._swatches: dict[int, QIcon] = {}  # of the rows that were shown
        self._locked: frozenset[int] = frozenset()
        self._palette = QGuiApplication.palette()
        self._lock_icons: dict[bool, QIcon] = {}  # drawn when they are first shown

    def set_scheme(self, scheme: LabelScheme | None, keys: dict[int, str]) -> None:
        """Show other classes. keys: the key that chooses a class, by its id."""
        self.beginResetModel()
        self._scheme, self._keys = scheme, keys
        self._ids = [] if scheme is None else [c.id for c in scheme.classes] + [VOID]
        self._swatches.clear()
        self.endResetModel()

    def show_colours(self, scheme: LabelScheme) -> None:
        """Show the same classes in other colours."""
        if scheme != self._scheme:
            self._scheme = scheme
            self._swatches.clear()
            self._redraw(Column.NAME)

    def set_locked(self, locked: frozenset[int]) -> None:
        self._locked = locked
        self._redraw(Column.LOCK)

    def draw_icons(self, palette: QPalette) -> None:
        """Draw the locks in other colours."""
        self._palette = palette
        self._lock_icons.clear()
        self._redraw(Column.LOCK)

    def class_at(self, row: int) -> int | None:
        """The class id (or VOID) of a row; None outside."""
        return self._ids[row] if 0 <= row < len(self._ids) else None

    def row_of(self, class_id: int) -> int:
        """The row of a class id (or VOID); -1 where it is no class."""
        return self._ids.index(class_id) if class_id in self._ids else -1

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        class_id = self.class_at(index.row())
        if class_id is None or self._scheme is None:
            return None
        name, key = class_name(self._scheme, class_id), self._keys.get(class_id, "")
        locked = class_id in self._locked
        state = f"{name} is locked: strokes leave it alone" if locked else f"{name} is not locked"
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return {Column.NAME: name, Column.KEY: key.upper()}.get(Column(column))
        if role == Qt.ItemDataRole.DecorationRole and column == Column.NAME:
            return self._swatch(self._scheme, class_id)
        if role == Qt.ItemDataRole.DecorationRole and column == Column.LOCK:
            return self._lock_icon(locked)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == Column.KEY:
            return Qt.AlignmentFlag.AlignCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            if column == Column.LOCK:
                return f"{state} (click to change)"
            return f"{name} ({key.upper()})" if key else name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if column == Column.LOCK:
                return state
            return name if column == Column.NAME else f"key {key}" if key else "no key"
        return None

    def _swatch(self, scheme: LabelScheme, class_id: int) -> QIcon:
        if class_id not in self._swatches:
            picture = class_swatch(scheme, class_id, _ratio())
            icon = QIcon(picture)
            # Qt would tint it where the row is selected, and it stands for a colour.
            icon.addPixmap(picture, QIcon.Mode.Selected)
            self._swatches[class_id] = icon
        return self._swatches[class_id]

    def _lock_icon(self, locked: bool) -> QIcon:
        """An open lock is faint."""
        if locked not in self._lock_icons:
            name, roles = "locked" if locked else "unlocked", QPalette.ColorRole
            colour = self._palette.color(roles.Text if locked else roles.PlaceholderText)
            selected = self._palette.color(roles.HighlightedText)
            icon = QIcon(icons.pixmap(name, colour, _LOCK_SIDE, _ratio()))
            icon.addPixmap(icons.pixmap(name, selected, _LOCK_SIDE, _ratio()), QIcon.Mode.Selected)
            self._lock_icons[locked] = icon
        return self._lock_icons[locked]

    def _redraw(self, column: Column) -> None:
        if self._ids:
            self.dataChanged.emit(self.index(0, column), self.index(len(self._ids) - 1, column))


def _ratio() -> float:
    return max((s.devicePixelRatio() for s in QGuiApplication.screens()), default=1.0)
