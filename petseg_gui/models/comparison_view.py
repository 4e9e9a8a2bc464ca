"""How two models differ: a verdict in words, the figures, the images where they differ most."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.evaluation.terms import FIGURES
from petseg_gui.models.comparing import Compared
from petseg_gui.training.roomy import RoomyDelegate
from petseg_gui.words import count

_MOST_IMAGES = 100
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ComparisonView(QWidget):
    """Shows what was Compared; ``image_wanted`` brings an image's name."""

    image_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.verdict = QLabel(self)
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self.verdict.setWordWrap(True)
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = self.verdict.font()
        font.setPointSizeF(font.pointSizeF() * 1.15)
        self.verdict.setFont(font)
        self.basis = QLabel(self)
        self.basis.setTextFormat(Qt.TextFormat.PlainText)
        self.basis.setWordWrap(True)
        self.basis.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.figures = _table("Figures of both models", self)
        self.images = _table("Images where they differ most", self)
        self.images.setToolTip("Enter or a double click opens the image")
        self.images.itemActivated.connect(
            lambda item: self.image_wanted.emit(item.data(0, Qt.ItemDataRole.UserRole))
        )
        heading = QLabel("Where they differ most", self)
        heading.setBuddy(self.images)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 0, 6, 0)
        layout.setSpacing(8)
        layout.addWidget(self.verdict)
        layout.addWidget(self.basis)
        layout.addWidget(self.figures, 2)
        layout.addWidget(heading)
        layout.addWidget(self.images, 3)

    def show_comparison(self, compared: Compared) -> None:
        """Show it in place of what was shown before."""
        comparison = compared.comparison
        self.verdict.setText(comparison.words)
        left_out = len(comparison.left_out)
        border = f", {compared.border}" if compared.border else ""
        self.basis.setText(
            f"A: {compared.a}. B: {compared.b}. {count(comparison.images, 'validation image')}"
            f"{border}. A difference whose interval holds 0 may be chance."
            + (f" {count(left_out, 'image')} could not be scored by both." if left_out else "")
        )
        _fill_header(self.figures, ["Figure", "A", "B", "B − A", "95 % interval"])
        for figure in FIGURES:
            difference = comparison.per_image.get(figure.key)
            if difference is None:
                continue
            digits, unit = (1, f" {figure.unit}") if figure.unit else (3, "")
            interval = difference.interval
            texts = [
                f"{figure.name} per image",
                f"{difference.a:.{digits}f}{unit}",
                f"{difference.b:.{digits}f}{unit}",
                f"{difference.difference:+.{digits}f}",
                f"[{interval[0]:+.{digits}f}, {interval[1]:+.{digits}f}]" if interval else "–",
            ]
            _add(self.figures, texts).setToolTip(0, figure.meaning)
        _fill_header(self.images, ["Image", "IoU of A", "IoU of B", "B − A"])
        changes = sorted(comparison.changes, key=lambda c: -abs(c.b - c.a))
        for number, change in enumerate(changes[:_MOST_IMAGES]):
            item = _add(
                self.images,
                [change.image, f"{change.a:.3f}", f"{change.b:.3f}", f"{change.b - change.a:+.3f}"],
            )
            item.setData(0, Qt.ItemDataRole.UserRole, change.image)
            if number == 0:
                self.images.setCurrentItem(item)


def _table(name: str, parent: QWidget) -> QTreeWidget:
    table = QTreeWidget(parent)
    table.setAccessibleName(name)
    table.setRootIsDecorated(False)
    table.setUniformRowHeights(True)
    table.setAllColumnsShowFocus(True)
    table.setItemDelegate(RoomyDelegate(table))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.header().setStretchLastSection(False)
    return table


def _fill_header(table: QTreeWidget, titles: list[str]) -> None:
    """Empty the table and give it these columns; the first takes what the others leave."""
    table.clear()
    table.setHeaderLabels(titles)
    header = table.header()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in range(1, len(titles)):
        table.headerItem().setTextAlignment(column, _RIGHT)


def _add(table: QTreeWidget, texts: list[str]) -> QTreeWidgetItem:
    item = QTreeWidgetItem(table, texts)
    for column in range(1, len(texts)):
        item.setTextAlignment(column, _RIGHT)
    return item
