"""The training panel: how far it is, its curves, and the buttons that end it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from petseg_gui.tasks import Lane, Tasks
from petseg_gui.training.watcher import RunWatcher
from petseg_gui.words import duration

if TYPE_CHECKING:
    from core.training.progress import RunState
    from petseg_gui.training.curves import Curves


class TrainingPanel(QWidget):
    """Shows what a RunWatcher knows."""

    def __init__(
        self,
        tasks: Tasks,
        watcher: RunWatcher,
        actions: Mapping[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._watcher = watcher
        self._loading = False
        self.setMinimumWidth(260)
        self.curves: Curves | None = None
        self.headline = QLabel(self)
        font = self.headline.font()
        font.setBold(True)
        self.headline.setFont(font)
        self.headline.setWordWrap(True)
        self.details = QLabel(self)
        self.details.setWordWrap(True)
        self.details.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName("Progress of the training")
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(10)
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        self._curves_place = QVBoxLayout()
        self.stop_button = _button(actions["stop_training"], "Stop", self)
        self.discard_button = _button(actions["discard_training"], "Discard", self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        for widget in (self.headline, self.bar, self.details, self.problem):
            layout.addWidget(widget)
        layout.addLayout(self._curves_place, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.stop_button)
        buttons.addWidget(self.discard_button)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        watcher.progressed.connect(self._show)

    def _show(self) -> None:
        state = self._watcher.state
        if state is None:
            return
        self._load_curves()
        self.headline.setText(_headline(state))
        self.details.setText(_details(state))
        self.bar.setRange(0, state.step.steps if state.step is not None else 0)
        self.bar.setValue(state.step.step if state.step is not None else 0)
        self.bar.setVisible(not state.over)
        self.problem.setText(state.problem or "\n".join(state.notices))
        self.problem.setVisible(bool(self.problem.text()))
        self.stop_button.setVisible(not state.over)
        self.discard_button.setVisible(not state.over)
        if self.curves is not None:
            total = state.started.epochs if state.started is not None else 0
            self.curves.show_run(state.epochs, state.steps, total)

    def _load_curves(self) -> None:
        if self._loading:
            return
        self._loading = True
        # pyqtgraph takes a third of a second to import.
        self._tasks.run(
            Lane.LOAD, lambda job: import_module("petseg_gui.training.curves"), self._add_curves
        )

    def _add_curves(self, module: object) -> None:
        from petseg_gui.training.curves import Curves

        self.curves = Curves(self)
        self._curves_place.addWidget(self.curves)
        self._show()


def _headline(state: RunState) -> str:
    if state.failed is not None or state.death is not None:
        return "Training failed"
    if state.finished is not None:
        if state.finished.reason == "discarded":
            return "Training discarded"
        word = "finished" if state.finished.reason == "done" else "stopped"
        score = state.finished.val
        told = f": val IoU {score.iou:.3f}" if score is not None and state.finished.model else ""
        return f"Training {word}{told}"
    if state.started is None:
        return "Starting…"
    epoch = state.step.epoch if state.step is not None else 1
    return f"Epoch {epoch} of {state.started.epochs}"


def _details(state: RunState) -> str:
    words = []
    if state.started is not None:
        started = state.started
        words.append(f"{started.train_images} train, {started.val_images} val images")
        words.append(f"on {started.device}")
    if state.step is not None and not state.over:
        words.append(f"{state.step.images_per_second:.1f} images/s".replace(" ", "\u00a0"))
        words.append(f"{duration(state.step.seconds_left)} left")
    if state.epochs and not state.over:
        last = state.epochs[-1]
        words.append(f"val IoU {last.val.scores.iou:.3f}")
    return "  ·  ".join(words) or state.run.name


def _button(action: QAction, text: str, parent: QWidget) -> QPushButton:
    button = QPushButton(action.icon(), text, parent)
    button.setToolTip(action.toolTip())
    button.setAccessibleName(action.text())
    button.clicked.connect(action.trigger)
    action.changed.connect(lambda: button.setIcon(action.icon()))  # light or dark
    return button
