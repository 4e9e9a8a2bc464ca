"""The tables of an evaluation: its figures, by class, by group, what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from core.evaluation.result import Evaluation, Summary
from core.evaluation.terms import FIGURES
from petseg_gui.classes.swatch import swatch
from petseg_gui.evaluation.words import figure_of, interval, number
from petseg_gui.training.roomy import RoomyDelegate


class Table(QTableWidget):
    """Cells that are read, not changed."""

    def __init__(self, name: str, headings: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(0, len(headings), parent)
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(headings))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setItemDelegate(RoomyDelegate(self))
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setFrameShape(QTableWidget.Shape.NoFrame)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        first = self.horizontalHeaderItem(0)
        if first is not None:
            first.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def add_row(self, cells: Sequence[str], tip: str = "", icon: QIcon | None = None) -> None:
        """Add a row; all but its first cell are numbers."""
        row = self.rowCount()
        self.insertRow(row)
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            if column:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            elif icon is not None:
                item.setIcon(icon)
            item.setToolTip(tip)
            self.setItem(row, column, item)
        self.resizeRowToContents(row)


class FiguresTable(Table):
    """All figures, with their intervals."""

    def __init__(self, parent: QWidget | None = None) -> None:
        headings = ("", "Mean over images", "95 % interval", "All pixels together", "95 % interval")
        super().__init__("Figures", headings, parent)

    def show_summary(self, summary: Summary) -> None:
        """Show an evaluation's figures, or a part's."""
        self.setRowCount(0)
        for figure in FIGURES:
            self.add_row((figure.name, *figure_of(summary, figure)), figure.meaning)
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + 2)


class ClassesTable(Table):
    """A row a class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        headings = (
            "Class",
            "Images",
            "IoU, all pixels",
            "IoU, mean",
            "Dice",
            "Precision",
            "Recall",
            "Boundary IoU",
            "HD95",
            "Surface distance",
        )
        super().__init__("By class", headings, parent)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show its classes."""
        self.setRowCount(0)
        for label in evaluation.per_class:
            cells = (
                label.name.capitalize(),
                f"{label.images:,}",
                *(
                    number(value)
                    for value in (
                        label.iou,
                        label.image_iou,
                        label.dice,
                        label.precision,
                        label.recall,
                        label.boundary_iou,
                    )
                ),
                number(label.hd95, "px"),
                number(label.surface_distance, "px"),
            )
            self.add_row(cells, icon=QIcon(swatch(label.colour, self.devicePixelRatioF())))


class GroupsTable(Table):
    """A row a group."""

    def __init__(self, parent: QWidget | None = None) -> None:
        headings = ("Group", "Images", "IoU", "95 % interval", "Dice", "Boundary IoU", "All object")
        super().__init__("By group", headings, parent)

    def show_groups(self, groups: dict[str, Summary]) -> None:
        """Show these groups, the one that does worst first."""
        self.setRowCount(0)
        for name, part in sorted(groups.items(), key=lambda found: found[1].per_image.iou):
            cells = (
                name or "(no folder)",
                f"{part.images:,}",
                number(part.per_image.iou),
                interval(part.intervals.per_image.get("iou")),
                number(part.per_image.dice),
                number(part.per_image.boundary_iou),
                number(part.floor.iou),
            )
            self.add_row(cells)
