"""An evaluation on the screen: what matters in large letters, the rest on pages."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from core.evaluation.result import Evaluation
from core.evaluation.terms import FIGURES, NOTES, SEEN
from core.project.project import Project
from petseg_gui.evaluation.desk import Shown
from petseg_gui.evaluation.plots import CalibrationPlot, ImagesPlot, ThresholdPlot
from petseg_gui.evaluation.tables import ClassesTable, FiguresTable, GroupsTable
from petseg_gui.evaluation.words import SUBSETS, figure_of, number, when
from petseg_gui.evaluation.worst import WorstImages
from petseg_gui.fold import Fold
from petseg_gui.tasks import Tasks
from petseg_gui.words import count

_BIG = 1.9  # times the usual letters
_FLATTERED = ("train", "all")


class Results(QWidget):
    """Shows an evaluation; says which image or threshold a person wants."""

    image_wanted = Signal(str)
    threshold_wanted = Signal(float)

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown: Shown | None = None
        self.heading = _words(self)
        self.heading.setAccessibleName("What was evaluated")
        self.iou = _Big("IoU", "Mean over images", self)
        self.whole = _Big("IoU", "All pixels together", self)
        self.boundary = _Big("Boundary IoU", "Mean over images", self)
        self.floor = _Big("IoU", "If all were called object", self)
        self.note = _words(self)
        self.figures = FiguresTable(self)
        self.classes = ClassesTable(self)
        self.groups = GroupsTable(self)
        self.grouping_box = QComboBox(self)
        self.grouping_box.setAccessibleName("Grouped by")
        self.grouping_box.activated.connect(self._show_groups)
        self.images = ImagesPlot(self)
        self.images.image_wanted.connect(self.image_wanted)
        self.worst = WorstImages(tasks, self)
        self.worst.image_wanted.connect(self.image_wanted)
        self.calibration = CalibrationPlot(self)
        self.threshold = ThresholdPlot(self)
        self.threshold.wanted.connect(self.threshold_wanted)
        self.left_out = QPlainTextEdit(self)
        self.left_out.setReadOnly(True)
        self.left_out.setAccessibleName("What was left out")
        self.left_out.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self._groups = self._groups_page()
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self._figures_page(), "Figures"),
            (self.images, "Each image"),
            (self.worst, "Worst images"),
            (self.classes, "Classes"),
            (self._groups, "Groups"),
            (self.calibration, "Calibration"),
            (self.threshold, "Threshold"),
            (self.left_out, "Left out"),
        ):
            self.tabs.addTab(page, title)
        big = QHBoxLayout()
        big.setSpacing(36)
        for figure in (self.iou, self.whole, self.boundary, self.floor):
            big.addWidget(figure)
        big.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.heading)
        layout.addLayout(big)
        layout.addWidget(self.note)
        layout.addWidget(self.tabs, 1)

    def show_evaluation(self, shown: Shown, project: Project) -> None:
        """Show it on all pages; the page that is open stays so where it can."""
        self.shown = shown
        evaluation = shown.evaluation
        self.heading.setText(_heading(evaluation, project.settings.scheme.border_id is not None))
        iou, boundary = (f for f in FIGURES if f.key in ("iou", "boundary_iou"))
        mean, mean_ends, whole, whole_ends = figure_of(evaluation, iou)
        self.iou.show_value(mean, mean_ends, iou.meaning)
        self.whole.show_value(whole, whole_ends, iou.meaning)
        self.boundary.show_value(*figure_of(evaluation, boundary)[:2], boundary.meaning)
        self.floor.show_value(number(evaluation.floor.iou), "", NOTES["All object"])
        note = _note(evaluation)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.figures.show_summary(evaluation)
        self.classes.show_evaluation(evaluation)
        self.grouping_box.clear()
        for name in evaluation.groupings:
            self.grouping_box.addItem(name.capitalize(), name)
        self.grouping_box.setCurrentIndex(self.grouping_box.findData(evaluation.grouping))
        self._show_groups()
        self.images.show_evaluation(evaluation)
        self.worst.show_worst(shown, project)
        if evaluation.calibration is not None:
            self.calibration.show_calibration(evaluation.calibration)
        best = evaluation.best_threshold
        if best is not None:
            used = evaluation.threshold if evaluation.threshold is not None else 0.5
            self.threshold.show_curve(evaluation.thresholds, used, best.threshold)
        left_out = [f"{s.image}: {s.reason}" for s in evaluation.skipped]
        left_out += [f"{name}: belongs to no image" for name in evaluation.extras]
        self.left_out.setPlainText("\n".join(left_out))
        for page, there in (
            (self.calibration, evaluation.calibration is not None),
            (self.threshold, best is not None),
            (self._groups, bool(evaluation.groupings)),
            (self.left_out, bool(left_out)),
        ):
            self.tabs.setTabVisible(self.tabs.indexOf(page), there)
        self.tabs.setTabText(self.tabs.indexOf(self.left_out), f"Left out ({len(left_out)})")

    def _show_groups(self) -> None:
        if self.shown is not None:
            groupings = self.shown.evaluation.groupings
            self.groups.show_groups(groupings.get(str(self.grouping_box.currentData()), {}))

    def _figures_page(self) -> QWidget:
        meanings = QWidget(self)
        lines = QVBoxLayout(meanings)
        lines.setContentsMargins(8, 0, 8, 8)
        explained = [(figure.name, figure.meaning) for figure in FIGURES]
        for name, meaning in (*explained, *NOTES.items()):
            label = _words(meanings)
            label.setText(f"{name}: {meaning}")
            lines.addWidget(label)
        self.meanings = Fold("What do these mean?", meanings, self)
        self.meanings.heading.setChecked(True)
        content = QWidget(self)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(self.figures)
        layout.addWidget(self.meanings)
        layout.addStretch(1)
        page = QScrollArea(self)
        page.setWidget(content)
        page.setWidgetResizable(True)
        page.setFrameShape(QScrollArea.Shape.NoFrame)
        return page

    def _groups_page(self) -> QWidget:
        page = QWidget(self)
        top = QHBoxLayout()
        label = QLabel("&By", page)
        label.setBuddy(self.grouping_box)
        top.addWidget(label)
        top.addWidget(self.grouping_box)
        top.addStretch(1)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.groups, 1)
        return page


class _Big(QWidget):
    """One figure in large letters, with what it is above and its interval below."""

    def __init__(self, name: str, what: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = f"{name}, {what.lower()}"
        title = QLabel(name, self)
        self.value = QLabel(self)
        font = self.value.font()
        font.setPointSizeF(font.pointSizeF() * _BIG)
        self.value.setFont(font)
        self.ends = QLabel(self)
        below = QLabel(what, self)
        for faint in (self.ends, below):
            faint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        for label in (title, self.value, self.ends, below):
            layout.addWidget(label)

    def show_value(self, value: str, ends: str, meaning: str) -> None:
        self.value.setText(value)
        self.ends.setText(ends or " ")
        self.setToolTip(meaning)
        told = f", 95 % interval {ends}" if ends else ""
        self.setAccessibleName(f"{self._name}: {value}{told}")


def _words(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _heading(evaluation: Evaluation, bordered: bool) -> str:
    """bordered: whether the folder's masks have a border."""
    parts = [
        evaluation.source.title,
        f"{SUBSETS.get(evaluation.subset, evaluation.subset).lower()}: {evaluation.images:,}",
    ]
    if bordered:
        parts.append(evaluation.border.words)
    if evaluation.threshold is not None:
        parts.append(f"threshold {evaluation.threshold:.2f}")
    if evaluation.source.flip:
        parts.append("looked twice")
    parts.append(when(evaluation.made))
    return "  ·  ".join(parts)


def _note(evaluation: Evaluation) -> str:
    """What a person should bear in mind, "" where there is nothing."""
    told = []
    if evaluation.seen:
        told.append(SEEN)
    elif evaluation.subset in _FLATTERED:
        told.append(
            "The model may have been trained on some of these images: on new photos it does worse."
        )
    if evaluation.images < 10:
        told.append(f"Only {count(evaluation.images, 'image')}: too few to trust the figures.")
    if evaluation.one_empty:
        told.append(
            f"In {count(evaluation.one_empty, 'image')} only one of mask and prediction holds an "
            "object: their IoU is 0."
        )
    return " ".join(told)
