"""The options in which trainings differ, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from petseg_gui.training.roomy import RoomyDelegate

if TYPE_CHECKING:
    from core.training.runs import RunInfo

_MOST = 8  # columns; more are compared by nobody


class RunsSettings(QTreeWidget):
    """One run: all its options. Several: those in which they differ."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Settings of the selected trainings")
        self.setItemDelegate(RoomyDelegate(self))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._shown: Sequence[object] = ()

    def show_runs(self, infos: Sequence[RunInfo]) -> None:
        """Compare these runs; damaged ones, and those beyond the eighth, are left out."""
        from core.training.compare import differences, in_words
        from petseg_gui.training.options_form import title_of

        named = [(info.name, info.config.train) for info in infos if info.config is not None]
        del named[_MOST:]
        if named == self._shown:
            return
        self._shown = named
        self.clear()
        self.setHeaderLabels(["Option", *(name for name, _ in named)])
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        configs = [config for _, config in named]
        rows: list[tuple[str, tuple[str, ...]]]
        if len(configs) == 1:
            options = configs[0].model_dump().items()
            rows = [(option, (in_words(option, value),)) for option, value in options]
        else:
            rows = [(d.option, d.values) for d in differences(configs)]
        for option, values in rows:
            item = QTreeWidgetItem(self, [title_of(option), *values])
            described = type(configs[0]).model_fields[option].description or ""
            item.setToolTip(0, described)
            item.setData(0, Qt.ItemDataRole.AccessibleDescriptionRole, described)
        if len(configs) > 1 and not rows:
            QTreeWidgetItem(self, ["Their settings are the same."]).setFirstColumnSpanned(True)
