"""The class panel: which class is painted, which are locked."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from core.labels import VOID, LabelScheme
from petseg_gui.classes.model import ClassModel, Column

_MANY = 12  # from so many classes on there is a search box
_ROWS_SHOWN = 10
_SIDE_COLUMN = 30


class ClassPanel(QWidget):
    """Shows what it is told; says what a person wants.

    A click, the arrow keys or a class's own key want a class; ``choose`` makes it the current one.
    """

    class_wanted = Signal(int)
    """A person chose a class (or VOID), which is not the current one yet."""
    class_set = Signal(int)
    """Another class (or VOID) is the current one: tools paint it."""
    locked_changed = Signal(object)
    """Other classes are locked: a frozenset of class ids and VOID."""
    left = Signal()
    """A class was chosen by a search: the keys may go back to the canvas."""

    def __init__(self, edit: QAction, parent: QWidget | None = None) -> None:
        """edit: opens the label scheme editor."""
        super().__init__(parent)
        self._current = 1
        self._locked: frozenset[int] = frozenset()
        self._model = ClassModel(self)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search classes")
        self.search.setAccessibleName("Search classes by name")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._take_first)
        self.list = _ClassList(self)
        self.list.setModel(self._model)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(_SIDE_COLUMN)
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        for column in (Column.KEY, Column.LOCK):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.list.setColumnWidth(column, _SIDE_COLUMN)
        self.list.selectionModel().currentRowChanged.connect(self._row_chosen)
        self.list.lock_pressed.connect(self._toggle_lock_of)
        button = QPushButton(edit.text(), self)
        button.setToolTip(edit.toolTip())
        button.clicked.connect(edit.trigger)
        edit.enabledChanged.connect(button.setEnabled)
        button.setEnabled(edit.isEnabled())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        for widget in (self.search, self.list, button):
            layout.addWidget(widget)
        self.set_scheme(None, {})

    @property
    def current(self) -> int:
        """The class (or VOID) that tools paint."""
        return self._current

    @property
    def locked(self) -> frozenset[int]:
        """The class ids (and VOID) whose pixels strokes leave alone."""
        return self._locked

    def set_scheme(self, scheme: LabelScheme | None, keys: dict[int, str]) -> None:
        """Offer other classes; the current one and the locks stay where they still exist.

        keys: the key that chooses a class, by its id.
        """
        ids = set() if scheme is None else {c.id for c in scheme.classes} | {VOID}
        self.search.clear()
        self.search.setVisible(len(ids) > _MANY)
        self._model.set_scheme(scheme, keys)
        self.list.setMinimumHeight(self.list.sizeHint().height())
        self._set_locked(self._locked & ids)
        self.show_current()
        if ids and self._current not in ids:
            self.choose(1)

    def show_colours(self, scheme: LabelScheme) -> None:
        """Show the same classes in other colours."""
        self._model.show_colours(scheme)

    def choose(self, class_id: int) -> None:
        """Make a class (or VOID) the current one."""
        if self._model.row_of(class_id) >= 0:
            self._current = class_id
            self.show_current()
            self.class_set.emit(class_id)

    def show_current(self) -> None:
        """Show which class is the current one, whichever was wanted."""
        index = self._model.index(self._model.row_of(self._current), Column.NAME)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def unlock_all(self) -> None:
        self._set_locked(frozenset())

    def toggle_lock(self, class_id: int) -> None:
        """Lock a class (or VOID), or unlock it again."""
        self._set_locked(self._locked ^ {class_id})

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._model.draw_icons(self.palette())

    def _set_locked(self, locked: frozenset[int]) -> None:
        if locked != self._locked:
            self._locked = locked
            self._model.set_locked(locked)
            self.locked_changed.emit(locked)

    def _toggle_lock_of(self, row: int) -> None:
        class_id = self._model.class_at(row)
        if class_id is not None:
            self.toggle_lock(class_id)

    def _row_chosen(self, index: QModelIndex) -> None:
        class_id = self._model.class_at(index.row())
        if class_id is not None and class_id != self._current:
            self.class_wanted.emit(class_id)

    def _filter(self, text: str) -> None:
        for row in range(self._model.rowCount()):
            name = str(self._model.index(row, Column.NAME).data())
            hidden = text.casefold() not in name.casefold()
            self.list.setRowHidden(row, QModelIndex(), hidden)

    def _take_first(self) -> None:
        rows = range(self._model.rowCount())
        row = next((r for r in rows if not self.list.isRowHidden(r, QModelIndex())), None)
        class_id = None if row is None else self._model.class_at(row)
        if class_id is not None:
            self.search.clear()
            self.class_wanted.emit(class_id)
            self.left.emit()


class _ClassList(QTreeView):
    """A click on a lock, or Space, locks the row without choosing it."""

    lock_pressed = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Classes")
        # No more than its rows, where other panels want the room.
        self.setSizeAdjustPolicy(QAbstractItemView.SizeAdjustPolicy.AdjustToContents)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.column() == Column.LOCK:
            self.lock_pressed.emit(index.row())
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)  # a lock opened and shut again

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Dragging over the classes chooses none."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            self.lock_pressed.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        rows = min(self.model().rowCount(), _ROWS_SHOWN)
        return QSize(180, self.sizeHintForRow(0) * rows + 2 * self.frameWidth())
