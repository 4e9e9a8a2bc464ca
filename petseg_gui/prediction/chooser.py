"""The combo box that chooses a model."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from petseg_gui.browser.telling import as_tip
from petseg_gui.prediction.models import ModelChoice

if TYPE_CHECKING:
    from core.inference.catalogue import ModelEntry

_TIP_WIDTH = 70  # characters


class ModelChooser(QComboBox):
    """Shows a ModelChoice; its last entry leads to all models."""

    manager_wanted = Signal()

    def __init__(self, models: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self.setAccessibleName("Model")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(16)
        models.changed.connect(self._show)
        self.activated.connect(self._activated)
        self._show()

    def _activated(self, row: int) -> None:
        path = self.itemData(row)
        if path is not None:
            self._models.choose(path)
        else:
            self._show()  # the model stays the one that it is
            self.manager_wanted.emit()

    def _show(self) -> None:
        self.clear()
        for row, entry in enumerate(self._models.entries):
            self.addItem(entry.title, entry.path)
            self.setItemData(row, _details(entry), Qt.ItemDataRole.ToolTipRole)
            if entry.path == self._models.path:
                self.setCurrentIndex(row)
        # A long name is cut off.
        self.setToolTip(as_tip(("The model that segments", self.currentText())))
        self.setEnabled(bool(self._models.entries))
        if not self._models.entries:
            return
        self.insertSeparator(self.count())
        self.addItem("Models…")
        self.setItemData(self.count() - 1, "All models: what each is", Qt.ItemDataRole.ToolTipRole)


def _details(entry: ModelEntry) -> str:
    """What a person wants to know of a model before choosing it, as a tool tip."""
    description = entry.description
    lines = [
        *wrap(entry.summary, _TIP_WIDTH),
        f"Classes: {', '.join(description.scheme.names)}",
        f"Size: {description.size} px, {description.parameters / 1e6:.1f} million parameters",
    ]
    if description.created:
        lines.append(f"Made: {description.created[:16].replace('T', ' ')}")
    lines += [f"{name}: {value:.3f}" for name, value in description.metrics.items()]
    return as_tip(lines)
