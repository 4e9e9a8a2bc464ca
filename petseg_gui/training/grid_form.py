"""Several trainings at once: lists of values for the options that are worth trying."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFormLayout, QLabel, QLineEdit, QWidget

from core.training.config import TrainConfig
from core.training.grid import GRID_OPTIONS, Cell, make_grid, parse_values

_EXAMPLES = {
    "learning_rate": "such as 1e-3, 3e-4",
    "batch": "such as 8, 16",
    "size": "such as 128, 160",
    "epochs": "such as 5, 10",
}


class GridForm(QWidget):
    """Each combination becomes a training; an empty line leaves the value as it is above."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: dict[str, QLineEdit] = {}
        self.form = form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(6)
        for option in GRID_OPTIONS:
            line = QLineEdit(self)
            title = option.replace("_", " ").capitalize()
            line.setAccessibleName(f"{title}: several values")
            line.setPlaceholderText(_EXAMPLES[option])
            line.textEdited.connect(self.changed)
            self.lines[option] = line
            form.addRow(title, line)
        self.summary = QLabel(self)
        self.summary.setWordWrap(True)
        self.summary.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        form.addRow("", self.summary)

    def cells(self, config: TrainConfig) -> list[Cell]:
        """The trainings that are asked for; none where every line is empty. Raises BadInput."""
        values = {
            option: parse_values(option, line.text())
            for option, line in self.lines.items()
            if line.text().strip()
        }
        return make_grid(config, values) if values else []

    def show_summary(self, text: str) -> None:
        """How many trainings it makes and how long they take, or what is wrong."""
        self.summary.setText(text)
        self.summary.setVisible(bool(text))
