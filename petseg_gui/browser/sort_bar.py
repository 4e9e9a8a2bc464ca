"""By what the list is sorted, and which way."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from core.evaluation.triage import ORDERS


class SortBar(QWidget):
    """``chosen`` tells the key and whether the highest comes first; ``again``: do it anew."""

    chosen = Signal(str, bool)
    again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.order = QComboBox(self)
        for order in ORDERS:
            self.order.addItem(f"By {order.title[0].lower()}{order.title[1:]}", order.key)
        self.order.setAccessibleName("Sort the images")
        self.order.setToolTip("What the list is sorted by. What is not known yet comes last.")
        self.order.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.direction = _button(self)
        self.direction.setCheckable(True)
        self.anew = _button(self)
        self.anew.setText("Update")
        self.anew.setToolTip("Images have changed since: search and sort again (F5)")
        self.anew.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.order, 1)
        layout.addWidget(self.anew)
        layout.addWidget(self.direction)
        self.order.activated.connect(self._take)
        self.direction.toggled.connect(lambda _: self._tell())
        self.anew.clicked.connect(self.again)
        self._draw()

    def reset(self) -> None:
        """By name, without telling."""
        with QSignalBlocker(self.direction):
            self.order.setCurrentIndex(0)
            self.direction.setChecked(False)
        self._draw()

    def _take(self, row: int) -> None:
        with QSignalBlocker(self.direction):
            self.direction.setChecked(ORDERS[row].descending)
        self._tell()

    def _tell(self) -> None:
        self._draw()
        self.chosen.emit(self.order.currentData(), self.direction.isChecked())

    def _draw(self) -> None:
        descending = self.direction.isChecked()
        self.direction.setArrowType(Qt.ArrowType.DownArrow if descending else Qt.ArrowType.UpArrow)
        words = "Descending" if descending else "Ascending"
        self.direction.setToolTip(f"{words}; a click turns the order round")
        self.direction.setAccessibleName(f"Order: {words.lower()}")


def _button(parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
