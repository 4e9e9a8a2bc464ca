"""The dialog that starts a training: what with, from where, how long, on which masks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.errors import BadInput
from core.inference.bundled import bundled_model
from core.inference.catalogue import ModelEntry
from core.training.config import Start
from core.training.plan import Plan
from core.training.presets import PRESETS, make_config

_SIZE_STEP = 32


class TrainingDialog(QDialog):
    """Stays open beside the window; ``start_wanted`` brings a TrainConfig and a Plan.

    make_plan(include_edited, preset's name) hands a Plan to its third argument, sooner or later.
    """

    start_wanted = Signal(object, object)

    def __init__(
        self,
        make_plan: Callable[[bool, str, Callable[[Plan], None]], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Start training")
        self.setMinimumWidth(460)
        self._make_plan = make_plan
        self._plan: Plan | None = None
        self._models: list[ModelEntry] = []
        self._busy = ""
        self._problem = ""
        self.preset_box = QComboBox(self)
        for preset in PRESETS.values():
            self.preset_box.addItem(preset.title, preset.name)
        self.preset_text = _hint(self)
        self.start_box = QComboBox(self)
        self.epochs_box = QSpinBox(self)
        self.epochs_box.setRange(1, 10_000)
        self.size_box = QSpinBox(self)
        self.size_box.setRange(_SIZE_STEP, 1024)
        self.size_box.setSingleStep(_SIZE_STEP)
        self.size_box.setSuffix(" px")
        self.edited_box = QCheckBox(self)
        self.sentence = QLabel(self)
        self.sentence.setWordWrap(True)
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.buttons = QDialogButtonBox(self)
        self.start_button = self.buttons.addButton(
            "Start training", QDialogButtonBox.ButtonRole.AcceptRole
        )
        cancel = self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setAutoDefault(False)  # Return starts, also while the masks are being counted
        self.start_button.setDefault(True)
        self._lay_out()
        self.preset_box.currentIndexChanged.connect(self._preset_changed)
        self.start_box.activated.connect(self._start_chosen)
        self.edited_box.toggled.connect(self.plan_again)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self._preset_changed()

    @property
    def preset(self) -> str:
        return str(self.preset_box.currentData())

    def set_models(self, models: list[ModelEntry]) -> None:
        """Offer these models as starting points."""
        self._models = models
        self._offer_starts()

    def set_edited(self, count: int) -> None:
        """Say how many edited masks there are that could be used too."""
        noun = "mask" if count == 1 else "masks"
        self.edited_box.setText(f"Also use {count} edited {noun}")
        self.edited_box.setVisible(count > 0)
        if not count:
            self.edited_box.setChecked(False)

    def set_busy(self, busy: bool) -> None:
        """Say that a training is under way already."""
        self._busy = "A training is under way: stop it or wait for its end." if busy else ""
        self._show_plan()

    def plan_again(self) -> None:
        """Masks or wishes have changed."""
        self._plan = None
        self._show_plan()
        self._make_plan(self.edited_box.isChecked(), self.preset, self._take_plan)

    def _take_plan(self, plan: Plan) -> None:
        self._plan = plan
        self._show_plan()

    def _show_plan(self) -> None:
        plan = self._plan
        problem = self._busy or self._problem or (plan.problem if plan is not None else "")
        self.sentence.setText("Counting the masks…" if plan is None else f"{plan.sentence}.")
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.start_button.setEnabled(plan is not None and not problem)

    def _preset_changed(self) -> None:
        preset = PRESETS[self.preset]
        config = make_config(preset.name)
        self.preset_text.setText(preset.text)
        self.epochs_box.setValue(config.epochs)
        self.size_box.setValue(config.size)
        self._offer_starts()
        self.start_box.setCurrentIndex(max(0, self.start_box.findData(config.start)))
        self.plan_again()

    def _start_chosen(self) -> None:
        """Another starting point may come with a size of its own."""
        try:
            config = make_config(self.preset, start=self.start_box.currentData())
        except BadInput as error:
            self._problem = str(error)
        else:
            self._problem = ""
            self.size_box.setValue(config.size)
        self._show_plan()

    def _offer_starts(self) -> None:
        before = self.start_box.currentData()
        self.start_box.clear()
        self.start_box.addItem("PetSeg's default model", str(Start.BUNDLED))
        if make_config(self.preset).encoder:
            self.start_box.addItem("ImageNet weights", str(Start.IMAGENET))
        self.start_box.addItem("From scratch", str(Start.SCRATCH))
        for entry in self._models:
            if entry.path != bundled_model():
                self.start_box.addItem(f"Model: {entry.title}", str(entry.path))
        self.start_box.setCurrentIndex(max(0, self.start_box.findData(before)))

    def _accept(self) -> None:
        try:
            config = make_config(
                self.preset,
                start=self.start_box.currentData(),
                epochs=self.epochs_box.value(),
                size=self.size_box.value(),
            )
        except BadInput as error:
            self._problem = str(error)
            self._show_plan()
            return
        if self._plan is not None:
            self.start_wanted.emit(config, self._plan)
            self.accept()

    def _lay_out(self) -> None:
        for widget, name in (
            (self.preset_box, "Preset"),
            (self.start_box, "Starting point"),
            (self.epochs_box, "Epochs"),
            (self.size_box, "Image size"),
            (self.edited_box, "Also use edited masks"),
        ):
            widget.setAccessibleName(name)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.addRow("Preset", self.preset_box)
        form.addRow("", self.preset_text)
        form.addRow("Starting point", self.start_box)
        form.addRow("Epochs", self.epochs_box)
        form.addRow("Image size", self.size_box)
        form.addRow("Masks", self.sentence)
        form.addRow("", self.edited_box)
        form.addRow("", self.problem)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addWidget(self.buttons)


def _hint(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
