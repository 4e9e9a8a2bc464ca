"""Corrections over time: is the model getting better, and when is it enough?"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from core.project.project import Project
from petseg_gui.corrections.table import CorrectionTable
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks
from petseg_gui.training.roomy import roomy_table
from petseg_gui.training.saving import ask_and_save, picture
from petseg_gui.words import count

if TYPE_CHECKING:
    from core.evaluation.corrections import Correction
    from petseg_gui.corrections.plots import CorrectionPlots

_SIZE = QSize(980, 700)
_HINT = "Point at a mask, or move with left and right; a click or Enter opens it."
_NOTHING = "You approved no mask yet. Those that came with the folder do not count."


class CorrectionsWindow(QDialog):
    """Stays open beside the main window, and follows what is approved."""

    image_wanted = Signal(str)
    told = Signal(str)

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Corrections over time")
        self.resize(_SIZE)
        self._tasks = tasks
        self._project: Project | None = None
        self._reading: Task | None = None
        self.corrections: Sequence[Correction] = ()
        self.plots: CorrectionPlots | None = None
        self.advice = QLabel(self)
        self.advice.setWordWrap(True)
        font = self.advice.font()
        font.setPointSizeF(font.pointSizeF() * 1.15)
        self.advice.setFont(font)
        self.summary = QLabel(self)
        self.summary.setWordWrap(True)
        for label in (self.advice, self.summary):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.readout = QLabel(_HINT, self)
        self.readout.setTextFormat(Qt.TextFormat.PlainText)
        self.model = CorrectionTable(self)
        self.table = self._make_table()
        self._plots_page = QWidget(self)
        page = QVBoxLayout(self._plots_page)
        page.setContentsMargins(0, 8, 0, 0)
        page.addWidget(self.readout)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._plots_page, "Plots")
        self.tabs.addTab(self.table, "Table")
        self.picture_button = QPushButton("Save picture…", self)
        self.picture_button.clicked.connect(self._save_picture)
        self.table_button = QPushButton("Save table…", self)
        self.table_button.clicked.connect(self._save_table)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.picture_button, self.table_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.setSpacing(8)
        layout.addWidget(self.advice)
        layout.addWidget(self.summary)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(buttons)
        self._tasks.run(Lane.LOAD, _import_plots, self._add_plots)

    def set_project(self, project: Project | None) -> None:
        """Show another folder's corrections."""
        self._project = project
        self.look()

    def look(self) -> None:
        """Read the record, in the background."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        project = self._project
        if project is None:
            self._show((), "", "")
            return

        def work(job: Job) -> tuple[Sequence[Correction], str, str]:
            with HEAVY:
                from core.evaluation import corrections
            found = corrections.read_corrections(project.store / "reviews.jsonl")
            settings = project.settings
            bordered = settings.scheme.border_id is not None
            rule = settings.border_rule.words if bordered else ""
            return found, corrections.advice(found), _summary(found, rule)

        self._reading = self._tasks.run(
            Lane.INDEX,
            work,
            lambda found: self._show(*found),
            lambda reason: self._show((), reason, ""),
        )

    def _show(self, corrections: Sequence[Correction], advice: str, summary: str) -> None:
        self._reading = None
        self.corrections = corrections
        self.advice.setText(advice)
        self.summary.setText(summary)
        self.model.show_corrections(corrections)
        if self.plots is not None:
            self.plots.show_corrections(corrections)
        self._point(None)
        for button in (self.picture_button, self.table_button):
            button.setEnabled(bool(corrections))

    def _add_plots(self, module: object) -> None:
        from petseg_gui.corrections.plots import CorrectionPlots

        self.plots = CorrectionPlots(self._plots_page)
        self.plots.marked.connect(self._point)
        self.plots.opened.connect(
            lambda place: self.image_wanted.emit(self.corrections[place].image)
        )
        layout = self._plots_page.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(0, self.plots, 1)
        self.plots.show_corrections(self.corrections)
        self.plots.charts[0].setFocus()

    def _point(self, place: int | None) -> None:
        if place is None:
            self.readout.setText(_HINT if self.corrections else _NOTHING)
            return
        from petseg_gui.corrections.plots import described

        words = described(place + 1, self.corrections[place])
        self.readout.setText(words)
        if self.plots is not None:
            for chart in self.plots.charts:
                chart.setAccessibleDescription(words)

    def _make_table(self) -> QTreeView:
        table = roomy_table("Corrections", self.model, self)
        table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        for column, width in enumerate((250, 150, 76, 76, 76, 76)):
            table.header().resizeSection(column, width)

        def open_(index: QModelIndex) -> None:
            self.image_wanted.emit(self.model.image(index.row()))

        table.activated.connect(open_)
        return table

    def _save_picture(self) -> None:
        if self.plots is not None:
            image = self.plots.grab().toImage()
            ask_and_save(
                self,
                "Save the plots as a picture",
                "corrections.png",
                lambda: picture(image),
                self._tasks,
                self.told.emit,
            )

    def _save_table(self) -> None:
        from core.evaluation.corrections import to_csv

        corrections = self.corrections
        ask_and_save(
            self,
            "Save the corrections as a table",
            "corrections.csv",
            lambda: to_csv(corrections),
            self._tasks,
            self.told.emit,
        )


def _import_plots(job: Job) -> object:
    # pyqtgraph takes a third of a second to import.
    with HEAVY:
        return import_module("petseg_gui.corrections.plots")


def _summary(corrections: Sequence[Correction], rule: str) -> str:
    """rule: what the masks' border counts as, "" without one."""
    from core.evaluation.corrections import dice_trend

    compared = [c for c in corrections if c.dice is not None]
    told = (
        f"{count(len(corrections), 'mask')} approved by you, {len(compared):,} predicted before. "
        f"Dice: of the prediction against the approved mask{rule and ', '}{rule}."
    )
    trend = dice_trend(corrections)
    if trend is not None:
        told += (
            f" Over ten approvals it changes by {trend.slope:+.3f} "
            f"(95 % interval {trend.low:+.3f} to {trend.high:+.3f})."
        )
    return told
