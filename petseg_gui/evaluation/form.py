"""What is to be evaluated: which model, on which images, under which border rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.labels import BorderRule
from core.project.project import Project
from petseg_gui.browser.telling import as_tip
from petseg_gui.evaluation.words import SUBSETS
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.words import count


class EvaluateForm(QWidget):
    """Says when a person wants to start, or to end what is under way."""

    started = Signal()
    cancelled = Signal()

    def __init__(self, models: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._counts: Mapping[str, int] | None = None
        self._project: Project | None = None
        self._running = False
        self._problem = ""
        self._words = ""
        self.model_box = QComboBox(self)
        self.model_box.setAccessibleName("Model")
        self.model_box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.subset_box = QComboBox(self)
        self.subset_box.setAccessibleName("Images")
        for subset, words in SUBSETS.items():
            self.subset_box.addItem(words, subset)
        self.border_box = QComboBox(self)
        self.border_box.setAccessibleName("Border rule")
        for rule in BorderRule:
            self.border_box.addItem(rule.words.capitalize(), rule.value)
        self.border_box.setToolTip("What the masks' border counts as; it moves every figure")
        self.flip_box = QCheckBox("Look twice", self)
        self.flip_box.setToolTip("At the photo and its mirror image: better, half as fast")
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton("Evaluate", self)
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._press)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(10)
        self.told = QLabel(self)
        self.told.setWordWrap(True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.addRow("&Model", self.model_box)
        form.addRow("&Images", self.subset_box)
        form.addRow("&Border rule", self.border_box)
        form.addRow(self.flip_box)
        self._form = form
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(self.button)
        layout.addWidget(self.bar)
        layout.addWidget(self.told)
        self.subset_box.currentIndexChanged.connect(self._refresh)
        models.changed.connect(self._show_models)
        self._show_models()
        self.show_progress(None)

    @property
    def model(self) -> Path:
        return Path(self.model_box.currentData())

    @property
    def subset(self) -> str:
        return str(self.subset_box.currentData())

    @property
    def border(self) -> str:
        return str(self.border_box.currentData())

    @property
    def flip(self) -> bool:
        return self.flip_box.isChecked()

    def set_project(self, project: Project | None) -> None:
        """Take over what the folder's masks are like."""
        self._project, self._counts = project, None
        self.show_progress(None)
        if project is not None:
            settings = project.settings
            rules = settings.scheme.border_id is not None
            self._form.setRowVisible(self.border_box, rules)
            self.border_box.setCurrentIndex(self.border_box.findData(settings.border_rule.value))
        self._show_models()
        self._refresh()

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """How many approved masks each subset has."""
        self._counts = counts
        for row, (subset, words) in enumerate(SUBSETS.items()):
            self.subset_box.setItemText(row, f"{words} ({counts[subset]:,})")
        if not counts[self.subset]:
            filled = [row for row, subset in enumerate(SUBSETS) if counts[subset]]
            if filled and self.subset_box.currentIndex() == 0:
                self.subset_box.setCurrentIndex(filled[0])
        self._refresh()

    def show_progress(
        self, words: str | None, done: int = 0, total: int = 0, problem: str = ""
    ) -> None:
        """How far it is; None: nothing is under way. problem: why it failed."""
        self._running = words is not None
        self.bar.setVisible(self._running)
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.setAccessibleName(words or "")
        self._words = words or ""
        self.button.setText("Cancel" if self._running else "Evaluate")
        self._problem = problem
        self._refresh()

    def _press(self) -> None:
        (self.cancelled if self._running else self.started).emit()

    def _show_models(self) -> None:
        before = self.model_box.currentData()
        self.model_box.clear()
        wanted = before if before in [e.path for e in self._models.entries] else self._models.path
        for row, entry in enumerate(self._models.entries):
            self.model_box.addItem(entry.title, entry.path)
            self.model_box.setItemData(
                row,
                as_tip([f"Classes: {', '.join(entry.description.scheme.names)}"]),
                Qt.ItemDataRole.ToolTipRole,
            )
            if entry.path == wanted:
                self.model_box.setCurrentIndex(row)
        self._refresh()

    def _refresh(self) -> None:
        problem = self._why_not()
        told = problem or self._problem
        self.problem.setText(told)
        self.problem.setVisible(bool(told))
        # The first time photos are compared with each other: the child can do that as well.
        counting = self._project is not None and self._counts is None
        words = self._words or ("Counting the approved masks…" if counting else "")
        self.told.setText(words)
        self.told.setVisible(bool(words))
        able = not problem and self.model_box.count() > 0
        self.button.setEnabled(self._running or able)
        for control in (self.model_box, self.subset_box, self.border_box, self.flip_box):
            control.setEnabled(not self._running)

    def _why_not(self) -> str:
        counts = self._counts
        if self._project is None:
            return "Open a folder first."
        if counts is None or counts[self.subset]:
            return ""
        if not counts["all"]:
            return (
                "No mask is approved yet: there is nothing to compare the model with. Approve some "
                "masks first (A)."
            )
        there = [s for s in SUBSETS if counts[s]]
        others = ", ".join(f"{SUBSETS[s].lower()} ({count(counts[s], 'mask')})" for s in there)
        return f"No approved mask is among these images. There are some among: {others}."
