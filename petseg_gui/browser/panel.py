"""The browser: search, list of images, and how many are approved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QPalette
from PySide6.QtWidgets import QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from core.project.reviews import Status
from petseg_gui import icons
from petseg_gui.browser.delegate import ImageDelegate
from petseg_gui.browser.model import ImageListModel

_BATCH = 2000


class BrowserPanel(QWidget):
    """``chosen`` names the image that a person selected."""

    chosen = Signal(str)

    def __init__(self, model: ImageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._approved = 0
        self.setMinimumWidth(200)
        self.search_box = QLineEdit(self)
        self.search_box.setPlaceholderText("Search by name")
        self.search_box.setAccessibleName("Search by name")
        self.search_box.setClearButtonEnabled(True)
        self.search_box.textChanged.connect(self._search)
        self.search_box.returnPressed.connect(self._choose_first)
        self._lens = QAction(self)
        self.search_box.addAction(self._lens, QLineEdit.ActionPosition.LeadingPosition)
        self._draw_lens()
        self.list = _ListView(self)
        self.list.setModel(model)
        self.list.setItemDelegate(ImageDelegate(self.list))
        self.list.selectionModel().currentChanged.connect(self._current_changed)
        self.count = QLabel(self)
        self.count.setAccessibleName("How many images are approved")
        self.count.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.count.setContentsMargins(12, 4, 12, 6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(6)
        top = QVBoxLayout()
        top.setContentsMargins(8, 0, 8, 0)
        top.addWidget(self.search_box)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.count)

    def set_names(self, names: Sequence[str]) -> None:
        """Show another folder's images."""
        self.search_box.clear()
        self._model.set_names(names)
        self._show_count()

    def set_approved(self, approved: int) -> None:
        """Say how many images are approved."""
        self._approved = approved
        self._show_count()

    def select(self, name: str) -> None:
        """Mark an image as the one that is open, without choosing it anew."""
        row = self._model.row_of(name)
        selection = self.list.selectionModel()
        if row < 0:
            selection.clear()
        elif self.list.currentIndex().row() != row:
            index = self._model.index(row)
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.list.scrollTo(index)

    def neighbour(self, name: str, step: int) -> str:
        """The image ``step`` rows further in the list, "" at its ends."""
        names = self._model.names
        row = self._model.row_of(name)
        wanted = row + step if row >= 0 else (0 if names else -1)
        return names[wanted] if 0 <= wanted < len(names) else ""

    def next_of(self, name: str, statuses: Collection[Status]) -> str:
        """The next image in the list that has one of these statuses, from its top after its end.

        "" where there is none but ``name`` itself.
        """
        names = self._model.names
        start = self._model.row_of(name) + 1
        order = chain(range(start, len(names)), range(start - 1))
        return next((names[r] for r in order if self._model.status(names[r]) in statuses), "")

    def refresh(self, name: str) -> None:
        """An image's status has changed."""
        self._model.refresh(name)

    def focus_search(self) -> None:
        """Put the cursor into the search box."""
        self.search_box.setFocus()
        self.search_box.selectAll()

    def _choose_first(self) -> None:
        """Return in the search box opens the first image that was found."""
        if self._model.names:
            self.select(self._model.names[0])
            self.chosen.emit(self._model.names[0])
            self.list.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_lens()

    def _draw_lens(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText)
        self._lens.setIcon(QIcon(icons.pixmap("search", colour, 16, self.devicePixelRatioF())))

    def _search(self, text: str) -> None:
        current = self.list.currentIndex().data()
        self._model.search(text)
        self._show_count()
        if current is not None:
            self.select(str(current))

    def _current_changed(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(str(index.data()))

    def _show_count(self) -> None:
        if not self._model.total:
            self.count.setText("")
            return
        text = f"{self._approved} of {self._model.total} approved"
        if len(self._model.names) != self._model.total:
            text = f"{len(self._model.names)} found  ·  {text}"
        self.count.setText(text)


class _ListView(QListView):
    """A list whose letter keys are left to the window: they are its shortcuts."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Images")
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        # Tens of thousands of rows are laid out a few at a time.
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(_BATCH)

    def dataChanged(
        self,
        top_left: QModelIndex | QPersistentModelIndex,
        bottom_right: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        # Qt's own lays out every row anew; here no row ever changes its size.
        top, bottom = self.visualRect(top_left), self.visualRect(bottom_right)
        self.viewport().update(top.united(bottom))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text().isalpha():
            event.ignore()
        else:
            super().keyPressEvent(event)
