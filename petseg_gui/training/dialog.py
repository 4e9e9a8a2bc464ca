"""The dialog that starts a training: what with, from where, how long, on which masks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import cast

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtGui import QHideEvent, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.errors import BadInput
from core.inference.bundled import bundled_model
from core.inference.catalogue import ModelEntry
from core.modelfile import ModelFileError
from core.training.config import Start, TrainConfig, outputs_for, trained_scheme
from core.training.estimate import estimated_seconds
from core.training.grid import Cell
from core.training.presets import PRESETS, make_config
from petseg_gui.fold import Fold
from petseg_gui.tasks import Task
from petseg_gui.training.augmented import AugmentedPictures
from petseg_gui.training.folder_line import FolderLine
from petseg_gui.training.grid_form import GridForm
from petseg_gui.training.options_form import PLAIN_UNET, OptionsForm, words_of
from petseg_gui.training.prospect import Prospect, Question, Wish, sentence
from petseg_gui.training.rehearsal import Rehearsal, Scene
from petseg_gui.words import count, duration

_FRAME = 60  # pixels that the screen has around a window: its frame, some air
_BASICS = ("epochs", "size", "replay")
_DEVICES = {"cpu": "this CPU", "cuda": "this GPU", "mps": "this GPU"}


class TrainingDialog(QDialog):
    """Stays open beside the window; ``start_wanted`` brings a Wish.

    ask(question, take) hands a Prospect to ``take``, now or by the Task that it returns.
    """

    start_wanted = Signal(object)

    def __init__(
        self,
        ask: Callable[[Question, Callable[[Prospect], None]], Task | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Start training")
        self._ask = ask
        self._prospect: Prospect | None = None
        self._counting = True
        self._count: Task | None = None
        self._start_problem = ""
        self._models: list[ModelEntry] = []
        self._config: TrainConfig | None = None
        self._cells: list[Cell] = []
        self._busy = False
        self.rehearsal = Rehearsal(self)
        self.sentence = _words(self)
        font = self.sentence.font()
        font.setPointSizeF(font.pointSizeF() * 1.1)
        self.sentence.setFont(font)
        self._page = QWidget(self)
        self.preset_box = QComboBox(self._page)
        for preset in PRESETS.values():
            self.preset_box.addItem(preset.title, preset.name)
        self.preset_text = _words(self._page, QPalette.ColorRole.PlaceholderText)
        self.start_box = QComboBox(self._page)
        self.options = OptionsForm(_BASICS, self._page)
        self.edited_box = QCheckBox(self._page)
        self.also_line = FolderLine("Choose a further folder to learn from", self._page)
        self.pictures = AugmentedPictures(self._page)
        self.advanced = Fold("Advanced", self.options, self._page)
        self.grid = GridForm(self._page)
        self.several = Fold("Try several", self.grid, self._page)
        self.problem = _words(self)
        self.buttons = QDialogButtonBox(self)
        self.start_button = self.buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self._cancel = self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self._cancel.setAutoDefault(False)  # Return starts, also while the masks are being counted
        self.start_button.setDefault(True)
        self._form = self._lay_out()
        self._arrange()
        self.preset_box.currentIndexChanged.connect(self._preset_changed)
        self.start_box.activated.connect(self._start_chosen)
        self.edited_box.toggled.connect(self.plan_again)
        self.also_line.changed.connect(self.plan_again)
        self.options.changed.connect(self._refresh)
        self.options.made.connect(self._arrange)
        self.grid.changed.connect(self._refresh)
        self.pictures.again.connect(self.rehearsal.again)
        self.rehearsal.pictured.connect(self.pictures.show_pictures)
        self.rehearsal.changed.connect(self._show_words)
        for fold in (self.advanced, self.several):
            fold.toggled.connect(partial(self._show_fold, fold))
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self._preset_changed()

    @property
    def preset(self) -> str:
        return str(self.preset_box.currentData())

    @property
    def epochs_box(self) -> QSpinBox:
        return self._spin_box("epochs")

    @property
    def size_box(self) -> QSpinBox:
        return self._spin_box("size")

    def set_models(self, models: list[ModelEntry]) -> None:
        """Offer these models as starting points."""
        self._models = models
        self._offer_starts()
        self._refresh()

    def set_edited(self, number: int) -> None:
        """Say how many edited masks there are that could be used too."""
        self.edited_box.setText(f"Also use {count(number, 'edited mask')}")
        self.edited_box.setVisible(number > 0)
        if not number:
            self.edited_box.setChecked(False)

    def set_busy(self, busy: bool) -> None:
        """Whether a training is under way: then a new one waits."""
        if busy != self._busy:
            self._busy = busy
            self._refresh()

    def plan_again(self) -> None:
        """Masks or wishes have changed."""
        self._counting = True
        self._give_up_counting()
        self._refresh()
        question = Question(self.preset, self.edited_box.isChecked(), self.also_line.folder)
        self._count = self._ask(question, self._take)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self._fit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self._give_up_counting()
            self.rehearsal.stop()

    def _give_up_counting(self) -> None:
        if self._count is not None:
            self._count.cancel()

    def _take(self, prospect: Prospect) -> None:
        self._prospect, self._counting = prospect, False
        self.also_line.show_note(prospect.further_problem)
        replay = self.options.basic("replay")
        replay.set_shown(prospect.animals_fit)
        if not prospect.animals_fit:
            replay.set_value(0)
        self._refresh()

    def _preset_changed(self) -> None:
        self.preset_text.setText(PRESETS[self.preset].text)
        self._offer_starts()
        wanted = PRESETS[self.preset].values.get("start", Start.SCRATCH)
        self.start_box.setCurrentIndex(max(0, self.start_box.findData(str(wanted))))
        self._take_base(keep_changes=False)
        self.plan_again()

    def _start_chosen(self) -> None:
        self._take_base(keep_changes=True)
        self._refresh()

    def _take_base(self, keep_changes: bool) -> None:
        """The preset's values; a starting point may come with a size and a rate of its own."""
        try:
            base = make_config(self.preset, start=self.start_box.currentData())
        except BadInput as error:
            self._start_problem = str(error)
            return
        self._start_problem = ""
        self.options.set_base(base, keep_changes)

    def _offer_starts(self) -> None:
        before = self.start_box.currentData()
        self.start_box.clear()
        self.start_box.addItem("PetSeg default", str(Start.BUNDLED))
        if PRESETS[self.preset].values.get("encoder"):
            self.start_box.addItem("ImageNet weights", str(Start.IMAGENET))
        self.start_box.addItem("From scratch", str(Start.SCRATCH))
        for entry in self._models:
            if entry.path != bundled_model() and entry.description.trainable:
                self.start_box.addItem(f"Model: {entry.title}", str(entry.path))
        self.start_box.setCurrentIndex(max(0, self.start_box.findData(before)))

    def _refresh(self) -> None:
        """Everything that follows from what is set."""
        start = str(self.start_box.currentData())
        self.options.set_off(_what_does_not_apply(start, self.options.value("encoder")))
        config, problem = self.options.read()
        if config is not None:
            config = config.model_copy(update={"preset": self.preset, "start": start})
            problem = self._class_problem(config)
        self._cells, grid_problem = [], ""
        if config is not None:
            try:
                self._cells = self.grid.cells(config)
            except BadInput as error:
                grid_problem = str(error)
        self._config = config
        plan = self._prospect.plan if self._prospect is not None else None
        lacking = plan.problem if plan is not None and not self._counting else ""
        told = lacking or self._start_problem or problem or grid_problem
        self.problem.setText(told)
        self._show_problem(bool(told))
        self.grid.show_summary(grid_problem)
        self.start_button.setEnabled(not self._counting and config is not None and not told)
        self.start_button.setText(_start_text(len(self._cells), self._busy))
        self.pictures.setVisible(plan is None or not plan.problem)
        self.rehearsal.show(self._scene(), measure=not self._busy)
        self._show_words()

    def _show_problem(self, shown: bool) -> None:
        """Its line takes room from the page: the field that is typed in stays in sight."""
        if shown is self.problem.isHidden():
            self.problem.setVisible(shown)
            self._layout.activate()
            typed = self.focusWidget()
            if typed is not None and self._page.isAncestorOf(typed):
                self._scroll.ensureWidgetVisible(typed)

    def _class_problem(self, config: TrainConfig) -> str:
        """Why this training does not suit the folder's classes, told at the loss."""
        scheme = self._prospect.scheme if self._prospect is not None else None
        if scheme is None:
            return ""
        try:
            outputs_for(config, trained_scheme(config, scheme))
        except ModelFileError as error:
            return str(error)
        except BadInput:
            fitting = config.loss.replace("bce", "ce")
            return self.options.set_problem(
                "loss",
                f"This loss is for two classes, and here are more: choose {words_of(fitting)}.",
            )
        return ""

    def _scene(self) -> Scene | None:
        prospect, config = self._prospect, self._config
        if prospect is None or config is None or prospect.source is None or prospect.plan.problem:
            return None
        if not self.isVisible():
            return None
        return Scene(config, prospect.source, prospect.plan.train, prospect.plan.val)

    def _show_words(self) -> None:
        """The sentence that says what will happen, and the one about several trainings."""
        prospect, config = self._prospect, self._config
        if prospect is None or self._counting:
            self.sentence.setText("Counting the masks…")
            return
        if prospect.source is None:  # nothing was counted: below stands why
            self.sentence.setText("No training can start here.")
            return
        time = self._time_words([config]) if config is not None else ""
        also = self.also_line.folder
        self.sentence.setText(sentence(self._start_words(), prospect, also, config, time))
        if self._cells:
            time = self._time_words([cell.config for cell in self._cells])
            told = count(len(self._cells), "training") + (f", {time}" if time else "")
            self.grid.show_summary(told)

    def _start_words(self) -> str:
        start = str(self.start_box.currentData())
        if start == Start.BUNDLED:
            return "PetSeg default"
        if start == Start.SCRATCH:
            return "scratch"
        words = self.start_box.currentText()
        return words if start == Start.IMAGENET else f"“{words.removeprefix('Model: ')}”"

    def _time_words(self, configs: list[TrainConfig]) -> str:
        """How long these trainings take, as far as it is known."""
        scene, prospect = self._scene(), self._prospect
        if scene is None or prospect is None:
            return ""
        timing = self.rehearsal.timing(scene)
        if timing is None:
            return "measuring the time" if self.rehearsal.measuring else ""
        val = len(prospect.plan.val)
        seconds = sum(
            estimated_seconds(timing, c, len(scene.train) + prospect.further + c.replay, val)
            for c in configs
        )
        where = "when the processor is free" if self._busy else f"on {_DEVICES[timing.device]}"
        return f"about {duration(seconds)} {where}"

    def _accept(self) -> None:
        if self._config is not None and self._prospect is not None:
            cells = self._cells or [Cell("", self._config)]
            also = self.also_line.folder if self._prospect.further else None
            self.start_wanted.emit(Wish(tuple(cells), self._prospect.plan, also))
            self.accept()

    def _spin_box(self, option: str) -> QSpinBox:
        return cast(QSpinBox, self.options.basic(option).control)

    def _fit(self) -> None:
        """As high as what is shown, if the screen is; else it scrolls."""
        hidden = self._scroll.sizeHint().height() - self._page.sizeHint().height()
        wanted = self.sizeHint().height() - hidden
        free = self.screen().availableGeometry()
        height = min(wanted, free.height() - _FRAME)
        self.resize(max(self.width(), self.minimumWidth()), height)
        # Where it was put it was less high: the button that starts must not be below the screen.
        lowest = free.bottom() - height - _FRAME // 2
        if self.y() > lowest:
            self.move(self.x(), lowest)

    def _show_fold(self, fold: Fold, opened: bool) -> None:
        self._fit()
        if opened:
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
            self._scroll.verticalScrollBar().setValue(fold.y())

    def _arrange(self) -> None:
        """Labels of one width, and Tab from top to bottom, through the options' fields too."""
        _align(self._form, self.options.form, self.grid.form)
        order = (
            self.preset_box,
            self.start_box,
            self.epochs_box,
            self.size_box,
            self.edited_box,
            self.also_line.clear_button,
            self.also_line.choose_button,
            self.options.basic("replay").control,
            self.pictures.again_button,
            self.advanced.heading,
            *self.options.controls,
            self.several.heading,
            *self.grid.lines.values(),
            self.start_button,
            self._cancel,
        )
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _lay_out(self) -> QFormLayout:
        self.setMinimumWidth(540)
        for widget, name in (
            (self.preset_box, "Preset"),
            (self.start_box, "Starting point"),
            (self.edited_box, "Also use edited masks"),
        ):
            widget.setAccessibleName(name)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Preset", self.preset_box)
        form.addRow("", self.preset_text)
        form.addRow("Starting point", self.start_box)
        for name in ("epochs", "size"):
            field = self.options.basic(name)
            form.addRow(field.label, field)
        form.addRow("", self.edited_box)
        form.addRow("Further folder", self.also_line)
        replay = self.options.basic("replay")
        form.addRow(replay.label, replay)
        page = QVBoxLayout(self._page)
        page.setContentsMargins(0, 0, 8, 0)
        page.setSpacing(12)
        page.addLayout(form)
        page.addWidget(self.pictures)
        page.addWidget(self.advanced)
        page.addWidget(self.several)
        page.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._page)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 12, 16)
        layout.setSpacing(12)
        layout.addWidget(self.sentence)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        return form


def _what_does_not_apply(start: str, encoder: str) -> dict[str, str]:
    """Option -> why it changes nothing."""
    from_model = start not in (Start.IMAGENET, Start.SCRATCH)
    off = {}
    if from_model:
        why = "The model that it starts from brings its own network."
        off = dict.fromkeys(("encoder", "decoder", *PLAIN_UNET), why)
    elif encoder:
        off = dict.fromkeys(PLAIN_UNET, "Only for a plain U-Net, without an encoder.")
    else:
        off = dict.fromkeys(("encoder_rate", "decoder"), "Only for a network with an encoder.")
    if start != Start.IMAGENET:
        off["weights"] = "Only for a start from ImageNet weights."
    if not from_model:
        off["start_share"] = "Only for a start from a model."
    return off


def _start_text(trainings: int, busy: bool) -> str:
    if trainings > 1:
        return f"Add {trainings} to queue" if busy else f"Start {trainings} trainings"
    return "Add to queue" if busy else "Start training"


def _align(*forms: QFormLayout) -> None:
    """Make the labels of several forms equally wide."""
    places = [(form, row) for form in forms for row in range(form.rowCount())]
    items = [form.itemAt(row, QFormLayout.ItemRole.LabelRole) for form, row in places]
    labels = [label for item in items if item is not None and (label := item.widget())]
    width = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(width)


def _words(parent: QWidget, role: QPalette.ColorRole = QPalette.ColorRole.WindowText) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setForegroundRole(role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
