"""Which masks trainings used, and which of them only one did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QModelIndex, QStringListModel, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks
from petseg_gui.training.roomy import RoomyDelegate

if TYPE_CHECKING:
    from core.training.runs import RunInfo, UsedMask

Groups: TypeAlias = "Mapping[str, Sequence[UsedMask]]"


class RunsMasks(QWidget):
    """A choice of groups and the images of the group chosen; ``image_wanted`` names one."""

    image_wanted = Signal(str)

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._task: Task | None = None
        self._folder = ""
        self._shown: Sequence[object] = ()
        self._groups: Groups = {}
        self.groups = QListWidget(self)
        self.groups.setAccessibleName("Which masks are listed")
        self.groups.setItemDelegate(RoomyDelegate(self))
        self.groups.currentRowChanged.connect(self._show_group)
        self.list = QListView(self)
        self.list.setAccessibleName("Masks of the selected trainings")
        self.list.setUniformItemSizes(True)
        self.list.setLayoutMode(QListView.LayoutMode.Batched)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._names = QStringListModel(self)
        self.list.setModel(self._names)
        self.list.activated.connect(self._activated)
        hint = QLabel("Enter or a double click opens the image.", self)
        hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        right = QVBoxLayout()
        right.addWidget(self.list, 1)
        right.addWidget(hint)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.groups, 2)
        layout.addLayout(right, 3)

    def show_runs(self, infos: Sequence[RunInfo], folder: Path) -> None:
        """Compare these runs' masks; folder: the one that is open, whose images can be shown."""
        infos = [info for info in infos if info.config is not None]
        shown = [(info.folder, info.name, len(info.progress.joined)) for info in infos]
        if shown == self._shown:
            return
        self._shown, self._folder = shown, str(folder)
        if self._task is not None:
            self._task.cancel()
        self._task = self._tasks.run(Lane.LOAD, lambda job: _groups(job, infos), self._take)

    def _take(self, groups: Groups) -> None:
        self._groups = groups
        self.groups.clear()
        self.groups.addItems([f"{title}: {len(masks):,}" for title, masks in groups.items()])
        filled = (row for row, masks in enumerate(groups.values()) if masks)
        self.groups.setCurrentRow(next(filled, 0))

    def _show_group(self) -> None:
        self._names.setStringList(
            [
                m.image if m.folder == self._folder else f"{m.image} in {m.folder}"
                for m in self._masks
            ]
        )

    def _activated(self, index: QModelIndex) -> None:
        mask = self._masks[index.row()]
        if mask.folder == self._folder:
            self.image_wanted.emit(mask.image)

    @property
    def _masks(self) -> Sequence[UsedMask]:
        row = self.groups.currentRow()
        return list(self._groups.values())[row] if row >= 0 else ()


def _groups(job: Job, infos: Sequence[RunInfo]) -> Groups:
    """Title -> its masks, for one run, two runs to be compared, or more."""
    with HEAVY:
        from core.training.runs import masks_of

    used = [masks_of(info) for info in infos]
    if len(used) == 1:
        return {"Trained on": used[0].train, "Checked on": used[0].val}
    # Dicts are sets that keep their order.
    trained = [dict.fromkeys(u.train) for u in used]
    if len(used) == 2:
        first, second = trained
        names = [info.name for info in infos]
        if names[0] == names[1]:
            names = [info.folder.name for info in infos]
        return {
            f"Trained on only in {names[0]}": [m for m in first if m not in second],
            f"Trained on only in {names[1]}": [m for m in second if m not in first],
            "Trained on in both": [m for m in first if m in second],
            "Checked on in both": _common([dict.fromkeys(u.val) for u in used]),
        }
    shared = _common(trained)
    known = set(shared)
    every = dict.fromkeys(m for masks in trained for m in masks)
    return {
        "Trained on in all": shared,
        "Trained on in some": [m for m in every if m not in known],
        "Checked on in all": _common([dict.fromkeys(u.val) for u in used]),
    }


def _common(sets: Sequence[Mapping[UsedMask, None]]) -> list[UsedMask]:
    return [m for m in sets[0] if all(m in other for other in sets[1:])] if sets else []
