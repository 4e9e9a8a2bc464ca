"""Where images are looked at: the canvas, alone or with further views beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.canvas.image_view import ImageView

_GAP = 2


class Stage(QWidget):
    """Holds the canvas and lends it room; others bring what is shown beside and above it."""

    left = Signal()
    """Esc was pressed, and nothing in the views had a use for it."""

    def __init__(self, canvas: ImageView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._image = QSize(4, 3)
        self._cells: dict[ImageView, Cell] = {}
        self._shown: list[Cell] = []
        self._columns = 0
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        area = QWidget(self)
        self._grid = QGridLayout(area)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._layout.addWidget(area, 1)
        self._area = area
        self._show([self.cell(canvas)])

    def set_bar(self, bar: QWidget) -> None:
        """Put this above the views."""
        self._layout.insertWidget(0, bar)

    def cell(self, view: ImageView) -> Cell:
        """The frame around a view, made for it where there is none yet."""
        if view not in self._cells:
            self._cells[view] = Cell(view, self._area)
        return self._cells[view]

    def show_views(self, views: Sequence[ImageView], image: QSize) -> None:
        """Show these, each with its title where there are several; image: the size of theirs.

        A canvas that is not among them lies under the first, of its size: its zoom is theirs.
        """
        self._image = image
        for view in (self._canvas, *views):
            self.cell(view).show_header(len(views) > 1)
        self._show([self.cell(view) for view in views])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if best_columns(len(self._shown), self._image, self._area.size()) != self._columns:
            self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _show(self, cells: list[Cell]) -> None:
        under = self.cell(self._canvas)
        for cell in self._shown:
            if cell not in cells and cell is not under:
                cell.hide()
        self._shown = cells
        self._arrange()
        under.setEnabled(under in cells)
        under.lower()
        for cell in cells:
            cell.show()

    def _arrange(self) -> None:
        for cell in self._cells.values():
            self._grid.removeWidget(cell)
        for i in range(max(self._grid.columnCount(), self._grid.rowCount())):
            self._grid.setColumnStretch(i, 0)
            self._grid.setRowStretch(i, 0)
        self._columns = best_columns(len(self._shown), self._image, self._area.size())
        self._grid.setSpacing(_GAP if len(self._shown) > 1 else 0)
        self._grid.addWidget(self.cell(self._canvas), 0, 0)
        for number, cell in enumerate(self._shown):
            row, column = divmod(number, self._columns)
            self._grid.addWidget(cell, row, column)
            self._grid.setRowStretch(row, 1)
            self._grid.setColumnStretch(column, 1)


class Cell(QWidget):
    """A view under its title. However long that is, views beside each other are equally wide."""

    def __init__(self, view: ImageView, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.title = _Title(self)
        self._header = QWidget(self)
        self._row = QHBoxLayout(self._header)
        self._row.setContentsMargins(8, 3, 8, 3)
        self._row.setSpacing(8)
        self._row.addWidget(self.title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._header)
        layout.addWidget(view, 1)
        self._header.hide()

    def add(self, widget: QWidget) -> None:
        """Put something beside the title."""
        self._row.addWidget(widget)

    def show_header(self, shown: bool) -> None:
        self._header.setVisible(shown)


class _Title(QLabel):
    """Gives way to what is beside it: its end is left out."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent) -> None:
        words = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width()
        )
        QPainter(self).drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, words)


def best_columns(number: int, image: QSize, area: QSize) -> int:
    """In how many columns so many views show an image the largest."""

    def scale(columns: int) -> float:
        rows = -(-number // columns)
        return min(
            area.width() / columns / max(image.width(), 1),
            area.height() / rows / max(image.height(), 1),
        )

    return max(range(1, max(number, 1) + 1), key=lambda columns: (scale(columns), -columns))
