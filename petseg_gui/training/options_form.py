"""Every option of a training as a field, made from TrainConfig's own description of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.training.config import TrainConfig, reason_of

PLAIN_UNET = ("width", "depth", "norm", "dropout", "upsampling", "attention")
"""The options of a network of PetSeg's own."""

_GROUPS = {
    "Network": ("encoder", "decoder", *PLAIN_UNET, "weights", "start_share"),
    "Picture": ("first_size", "augment", "paste", "balance", "border", "score_border"),
    "Loss": ("loss", "class_weights", "lovasz_epochs"),
    "Steps": (
        "optimizer",
        "learning_rate",
        "encoder_rate",
        "weight_decay",
        "schedule",
        "batch",
        "min_steps",
        "patience",
        "join",
    ),
    "Machine": ("device", "precision", "threads", "memory", "seed"),
}
_LABELS = {
    "size": "Image size",
    "first_size": "First image size",
    "paste": "Pasted objects",
    "balance": "Balance groups",
    "lovasz_epochs": "Lovász epochs",
    "encoder_rate": "Encoder's rate",
    "min_steps": "Steps an epoch",
    "join": "New masks join",
    "weights": "ImageNet weights",
    "replay": "Drawn animals",
}
_WORDS = {
    "": "None: a plain U-Net",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3 small",
    "mobilenet_v3_large": "MobileNetV3 large",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "efficientnet_b0": "EfficientNet-B0",
    "vgg11_bn": "VGG-11",
    "batch": "Batch norm",
    "group": "Group norm",
    "foreground": "As foreground",
    "background": "As background",
    "ignore": "Not at all",
    "class": "As a class of its own",
    "bce": "Binary cross-entropy",
    "bce_dice": "Binary cross-entropy and Dice",
    "ce": "Cross-entropy",
    "ce_dice": "Cross-entropy and Dice",
    "adamw": "AdamW",
    "sgd": "SGD",
    "onecycle": "One cycle",
    "auto": "Automatic",
    "cpu": "CPU",
    "cuda": "NVIDIA GPU",
    "mps": "Apple GPU",
}
_ZERO = {
    "patience": "Never stop early",
    "first_size": "All as large",
    "lovasz_epochs": "None",
    "threads": "All cores but one",
    "replay": "None",
}
_UNITS = {"size": " px", "first_size": " px", "memory": " MB"}
_SIZE_STEP = 32
_WRONG = QColor(224, 88, 76)


def title_of(option: str) -> str:
    """What an option is called."""
    return _LABELS.get(option) or option.replace("_", " ").capitalize()


def words_of(choice: str) -> str:
    """What a choice is called."""
    return _WORDS.get(choice) or choice.capitalize()


class OptionField(QWidget):
    """One option: its control, and below it why the value cannot be used."""

    changed = Signal()

    def __init__(self, name: str, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.title = title_of(name)
        self.control = self._control(info)
        self.control.setAccessibleName(self.title)
        self.label = QLabel(self.title, parent)
        self.label.setBuddy(self.control)
        self.reason = QLabel(self)
        self.reason.setWordWrap(True)
        _colour(self.reason, QPalette.ColorRole.WindowText)
        self.reason.hide()
        self._text = info.description or ""
        self._usual: Any = None
        self.set_off("")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.control)
        layout.addWidget(self.reason)

    @property
    def value(self) -> Any:
        """As it stands there: a number in a text field is a text still."""
        if isinstance(self.control, QCheckBox):
            return self.control.isChecked()
        if isinstance(self.control, QComboBox):
            return self.control.currentData()
        if isinstance(self.control, QSpinBox):
            return self.control.value()
        text = self.control.text().strip()
        return self._usual if text == _shown(self._usual) else text

    @property
    def is_changed(self) -> bool:
        return bool(self.value != self._usual)

    def set_value(self, value: Any) -> None:
        """Show a value without a word to anybody."""
        with QSignalBlocker(self.control):
            if isinstance(self.control, QCheckBox):
                self.control.setChecked(value)
            elif isinstance(self.control, QComboBox):
                self.control.setCurrentIndex(self.control.findData(str(value)))
            elif isinstance(self.control, QSpinBox):
                self.control.setValue(value)
            else:
                self.control.setText(_shown(value))

    def set_usual(self, value: Any, keep_change: bool) -> None:
        """The preset's value, which is taken unless a person's own is kept."""
        keeps = keep_change and self.is_changed
        self._usual = str(value) if isinstance(value, StrEnum) else value
        if not keeps:
            self.set_value(self._usual)

    def mark(self) -> None:
        """Show whether the value is the preset's: one that is not stands in bold."""
        font = self.label.font()
        font.setBold(self.is_changed)
        self.label.setFont(font)
        told = "Changed from the preset. " if self.is_changed else ""
        self.control.setAccessibleDescription(told + self._text)

    def set_problem(self, reason: str) -> None:
        """Why the value cannot be used; "" where it can."""
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        if isinstance(self.control, QLineEdit):
            if reason:
                _colour(self.control, QPalette.ColorRole.Text)
            else:
                self.control.setPalette(QPalette())

    def set_shown(self, shown: bool) -> None:
        """Whether the option is offered at all."""
        self.setVisible(shown)
        self.label.setVisible(shown)

    def set_off(self, why: str) -> None:
        """Why the option does not apply; "" where it does."""
        for widget in (self.control, self.label):
            widget.setEnabled(not why)
            widget.setToolTip(f"<p>{self._text}</p>" + (f"<p>{why}</p>" if why else ""))
            widget.setWhatsThis(self._text)

    def _control(self, info: FieldInfo) -> QCheckBox | QComboBox | QSpinBox | QLineEdit:
        kind = info.annotation
        choices = _choices(kind)
        if choices:
            box = QComboBox(self)
            for choice in choices:
                box.addItem(words_of(choice), choice)
            box.currentIndexChanged.connect(self.changed)
            _calm(box)
            return box
        if kind is bool:
            check = QCheckBox("Yes", self)
            check.toggled.connect(self.changed)
            return check
        if kind is int:
            return self._number(info)
        line = QLineEdit(self)
        line.textEdited.connect(self.changed)
        return line

    def _number(self, info: FieldInfo) -> QSpinBox:
        box = QSpinBox(self)
        low, high = _limit(info, "ge"), _limit(info, "le")
        beyond = _limit(info, "lt")
        box.setRange(low or 0, high if high is not None else (beyond or 2**31) - 1)
        box.setSuffix(_UNITS.get(self.name, ""))
        box.setSpecialValueText(_ZERO.get(self.name, ""))
        if self.name in ("size", "first_size"):
            box.setSingleStep(_SIZE_STEP)
        box.valueChanged.connect(self.changed)
        _calm(box)
        return box


class OptionsForm(QWidget):
    """All options but the preset and the starting point, which the dialog chooses.

    ``basics`` are left for the dialog to place. The other fields are made when the form is shown
    first: until then they are as the preset has them, and dozens of widgets take their time.
    """

    changed = Signal()
    made = Signal()
    """All fields are there now."""

    def __init__(self, basics: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base = TrainConfig()
        self._off: Mapping[str, str] = {}
        self._problems: dict[str, str] = {}
        self._fields: dict[str, OptionField] = {}
        for name in basics:
            self._make(name)
        self.reset_button = QPushButton("Reset to preset", self)
        self.reset_button.setAutoDefault(False)
        self.reset_button.clicked.connect(self._reset)
        self.form = form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(6)

    @property
    def fields(self) -> Mapping[str, OptionField]:
        """All fields, in the order in which they are shown; makes those that are missing."""
        self._make_rest()
        return self._fields

    def setVisible(self, visible: bool) -> None:
        if visible:
            self._make_rest()  # before: so that the layout knows how large it is
        super().setVisible(visible)

    def basic(self, name: str) -> OptionField:
        """The field of one of the ``basics``."""
        return self._fields[name]

    def value(self, name: str) -> Any:
        """An option as it stands there."""
        field = self._fields.get(name)
        return getattr(self._base, name) if field is None else field.value

    @property
    def controls(self) -> list[QWidget]:
        """What the form itself shows now, from top to bottom."""
        shown = [f.control for f in self._fields.values() if f.parentWidget() is self]
        return [*shown, self.reset_button]

    def set_base(self, config: TrainConfig, keep_changes: bool) -> None:
        """The preset's values; those that a person changed stay only where they are kept."""
        self._base = config
        for name, field in self._fields.items():
            field.set_usual(getattr(config, name), keep_changes)
            field.mark()

    def set_off(self, why: Mapping[str, str]) -> None:
        """Which options do not apply, and why."""
        self._off = why
        for name, field in self._fields.items():
            field.set_off(why.get(name, ""))

    def set_problem(self, name: str, reason: str) -> str:
        """Mark an option whose value cannot be used; returns what is to be told of it."""
        self._problems[name] = reason
        if name in self._fields:
            self._fields[name].set_problem(reason)
        return f"{title_of(name)}: {reason}"

    def read(self) -> tuple[TrainConfig | None, str]:
        """The config as it stands there, or None and the first problem; marks each at its field."""
        values = self._base.model_dump() | {n: f.value for n, f in self._fields.items()}
        self._problems = {}
        config = None
        try:
            config = TrainConfig.model_validate(values)
        except ValidationError as error:
            self._problems = {str(e["loc"][0]): reason_of(e) for e in error.errors()}
        for name, field in self._fields.items():
            field.set_problem(self._problems.get(name, ""))
        told = [f"{title_of(name)}: {reason}" for name, reason in self._problems.items()]
        return config, told[0] if told else ""

    def _make_rest(self) -> None:
        if self.form.rowCount() > 0:
            return
        for title, names in _GROUPS.items():
            self.form.addRow(_heading(title, self))
            for name in names:
                field = self._make(name)
                self.form.addRow(field.label, field)
        self.form.addRow("", self.reset_button)
        left = TrainConfig.model_fields.keys() - self._fields.keys() - {"preset", "start"}
        if left:
            raise ValueError(f"options without a group: {sorted(left)}")
        self.made.emit()

    def _make(self, name: str) -> OptionField:
        field = self._fields[name] = OptionField(name, TrainConfig.model_fields[name], self)
        field.set_usual(getattr(self._base, name), keep_change=False)
        field.set_off(self._off.get(name, ""))
        field.set_problem(self._problems.get(name, ""))
        field.mark()
        field.changed.connect(field.mark)
        field.changed.connect(self.changed)
        return field

    def _reset(self) -> None:
        self.set_base(self._base, keep_changes=False)
        self.changed.emit()


class _WheelGuard(QObject):
    """A wheel that scrolls the form changes no value that it passes over."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.Wheel:
            return False
        if isinstance(watched, QWidget) and watched.hasFocus():
            return False
        event.ignore()
        return True


def _calm(control: QWidget) -> None:
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    control.installEventFilter(_WheelGuard(control))


def _choices(kind: object) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [str(member) for member in kind]
    return []


def _limit(info: FieldInfo, kind: str) -> int | None:
    found = [getattr(m, kind) for m in info.metadata if getattr(m, kind, None) is not None]
    return int(found[0]) if found else None


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _heading(title: str, parent: QWidget) -> QLabel:
    label = QLabel(title, parent)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    label.setContentsMargins(0, 6, 0, 0)
    return label


def _colour(widget: QWidget, role: QPalette.ColorRole) -> None:
    palette = QPalette()
    palette.setColor(role, _WRONG)
    widget.setPalette(palette)
