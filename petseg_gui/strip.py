"""The strip above the canvas: what can be set for the tool in hand, opacity, zoom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from core.editing.brush import MAX_SIZE
from core.labels import LabelScheme
from petseg_gui.actions import COMPARE
from petseg_gui.classes.swatch import class_name, class_swatch
from petseg_gui.tools.tool import Operation, Options, Tool

if TYPE_CHECKING:
    from petseg_gui.tools.cleaning import CleaningTool

_SLIDER_STEPS = 200
_MAX_TOLERANCE = 255
_CLASS_WIDTH = 140
_OPERATIONS = {
    Operation.ADD: ("Add", "Add to the class (X; right button or Alt removes)"),
    Operation.REMOVE: ("Remove", "Take from the class (X)"),
    Operation.SELECT: ("Select", "Choose where the clean-ups of the Mask menu act"),
}


class ToolStrip(QWidget):
    """Controls for the canvas and its tool; shows what it is told, says what a person sets."""

    options_set = Signal(object)
    """The tools' Options as a person set them."""
    cleaning_set = Signal(int, bool)
    """A clean-up's number, and whether it acts on every class."""
    taken = Signal()
    dropped = Signal()
    confirmed = Signal()
    """Something was typed and confirmed: the keys may go back to the tools."""
    opacity_set = Signal(float)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = Options()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.setSpacing(8)
        # Another tool's controls never push the docks about.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.class_button = QToolButton(self)
        self.class_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.class_button.setAutoRaise(True)
        self.class_button.setToolTip("The class that is painted; a click shows all classes")
        self.class_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.class_button.setMaximumWidth(_CLASS_WIDTH)
        layout.addWidget(self.class_button)
        self.brush_size = NumberControl("Size", "Brush size", "[ and ]", (1, MAX_SIZE), " px", self)
        self.brush_size.set.connect(lambda size: self._set(size=size))
        self.tolerance = NumberControl(
            "Tolerance", "Tolerance", "[ and ]", (0, _MAX_TOLERANCE), "", self
        )
        self.tolerance.set.connect(lambda tolerance: self._set(tolerance=tolerance))
        self.contiguous = QCheckBox("Connected only", self)
        self.contiguous.setToolTip("Only what is connected with the point")
        self.contiguous.toggled.connect(lambda on: self._set(contiguous=on))
        self.operation = _OperationControl(self)
        self.operation.set.connect(lambda operation: self._set(operation=operation))
        self.cleaning = _CleaningControl(self)
        self.cleaning.set.connect(self.cleaning_set)
        self.cleaning.take.clicked.connect(self.taken)
        self.cleaning.drop.clicked.connect(self.dropped)
        self._controls: dict[str, QWidget] = {
            "operation": self.operation,
            "size": self.brush_size,
            "tolerance": self.tolerance,
            "contiguous": self.contiguous,
        }
        for control in self._controls.values():
            layout.addWidget(control)
        layout.addWidget(self.cleaning)
        for number in (self.brush_size, self.tolerance, self.cleaning.amount):
            number.confirmed.connect(self.confirmed)
        layout.addStretch(1)
        opacity_label = _label("Opacity", self)
        layout.addWidget(opacity_label)
        self.opacity_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity_slider.setAccessibleName("Opacity of the mask")
        self.opacity_slider.setToolTip("Opacity of the mask (hold H to hide it)")
        self.opacity_slider.setRange(0, 100)
        self.opacity_slider.setMinimumWidth(48)
        self.opacity_slider.setMaximumWidth(90)
        self.opacity_slider.valueChanged.connect(lambda v: self.opacity_set.emit(v / 100))
        layout.addWidget(self.opacity_slider)
        self.appearance_button = _button(actions["appearance"], self)
        layout.addWidget(self.appearance_button)
        self.compare_button = _compare_button(actions, self)
        layout.addWidget(self.compare_button)
        line = _line(self)
        layout.addWidget(line)
        self.zoom_label = QLabel(self)
        self.zoom_label.setAccessibleName("Zoom")
        self.zoom_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("1000 %"))
        self.zoom_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        zooms = [_button(actions[command], self) for command in ("fit", "actual")]
        for button in zooms:
            layout.addWidget(button)
        layout.addWidget(self.zoom_label)
        self._of_the_view = [
            opacity_label,
            self.opacity_slider,
            self.appearance_button,
            self.compare_button,
            line,
            *zooms,
            self.zoom_label,
        ]

    def set_tool(self, tool: Tool, cleaning: CleaningTool | None) -> None:
        """Show what can be set for this tool; cleaning: the same tool where it is a clean-up."""
        for name, control in self._controls.items():
            control.setVisible(name in tool.uses)
        self.cleaning.setVisible(cleaning is not None)
        for control in self._of_the_view:
            control.setVisible(cleaning is None)  # both would not fit into a small window
        if cleaning is not None:
            self.cleaning.show_recipe(cleaning)

    def set_class(self, scheme: LabelScheme | None, class_id: int) -> None:
        """Show which class (or VOID) is painted."""
        self.class_button.setVisible(scheme is not None)
        if scheme is not None:
            name = class_name(scheme, class_id)
            picture = class_swatch(scheme, class_id, self.devicePixelRatioF())
            self.class_button.setIcon(QIcon(picture))
            self.class_button.setText(name.split(" (")[0])
            self.class_button.setAccessibleName(f"Class: {name}")

    def set_options(self, options: Options) -> None:
        """Show what is set."""
        self._options = options
        self.brush_size.show_value(options.size)
        self.tolerance.show_value(options.tolerance)
        self.operation.show_value(options.operation)
        with QSignalBlocker(self.contiguous):
            self.contiguous.setChecked(options.contiguous)

    def set_count(self, count: int | None) -> None:
        """Say how many pixels the clean-up would change; None while nobody knows."""
        self.cleaning.show_count(count)

    def set_opacity(self, opacity: float) -> None:
        """Show the mask's opacity, 0 to 1."""
        self.opacity_slider.setValue(round(opacity * 100))

    def set_zoom(self, zoom: float) -> None:
        """Show the zoom; 1 is 100 %."""
        self.zoom_label.setText(f"{zoom * 100:.0f} %")

    def set_editable(self, editable: bool) -> None:
        """Whether there is anything to paint on."""
        for control in self._controls.values():
            control.setEnabled(editable)

    def _set(self, **changes: object) -> None:
        self.options_set.emit(replace(self._options, **changes))  # type: ignore[arg-type]


class NumberControl(QWidget):
    """A number with a slider; equal ways of the slider are equal factors, so small is fine."""

    set = Signal(int)
    confirmed = Signal()

    def __init__(
        self,
        label: str,
        name: str,
        keys: str,
        range_: tuple[int, int],
        unit: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._range = range_
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self.label = _label(label, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName(name)
        self.slider.setToolTip(f"{name} ({keys})" if keys else name)
        self.slider.setRange(0, _SLIDER_STEPS)
        self.slider.setMinimumWidth(16)
        self.slider.setMaximumWidth(120)
        self.slider.valueChanged.connect(lambda v: self.set.emit(self._from_slider(v)))
        self.box = QSpinBox(self)
        self.box.setAccessibleName(f"{name}, number")
        self.box.setRange(*range_)
        self.box.setSuffix(unit)
        self.box.setKeyboardTracking(False)
        self.box.valueChanged.connect(self.set)
        self.box.lineEdit().returnPressed.connect(self.confirmed)
        for widget in (self.label, self.slider, self.box):
            layout.addWidget(widget)

    def set_range(self, range_: tuple[int, int]) -> None:
        """Allow other numbers."""
        self._range = range_
        with QSignalBlocker(self.box):
            self.box.setRange(*range_)

    def show_value(self, value: int) -> None:
        """Show a number without saying that it was set."""
        with QSignalBlocker(self.box):
            self.box.setValue(value)
        # Small numbers have many places on the slider: it stays where its keys have moved it.
        if self._from_slider(self.slider.value()) != value:
            with QSignalBlocker(self.slider):
                self.slider.setValue(self._to_slider(value))

    def _from_slider(self, position: int) -> int:
        low, high = self._range
        return low - 1 + round(math.exp(math.log(high - low + 1) * position / _SLIDER_STEPS))

    def _to_slider(self, value: int) -> int:
        low, high = self._range
        span = math.log(high - low + 1) or 1.0
        return round(math.log(max(value - low + 1, 1)) / span * _SLIDER_STEPS)


class _OperationControl(QWidget):
    """Add, remove or select."""

    set = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._group = QButtonGroup(self)
        self.buttons: dict[Operation, QToolButton] = {}
        for operation, (text, tip) in _OPERATIONS.items():
            button = QToolButton(self)
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _, o=operation: self.set.emit(o))
            self._group.addButton(button)
            self.buttons[operation] = button
            layout.addWidget(button)

    def show_value(self, operation: Operation) -> None:
        for shown, button in self.buttons.items():
            button.setChecked(shown is operation)
            font = button.font()
            font.setBold(shown is operation)  # a dark theme's pressed button is hard to tell
            button.setFont(font)


class _CleaningControl(QWidget):
    """A clean-up that is being looked at: its number, what it would change, take it or not."""

    set = Signal(int, bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        self.title = QLabel(self)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.amount = NumberControl("", "Amount", "", (0, 1), "", self)
        self.every_class = QCheckBox("All classes", self)
        self.count = QLabel(self)
        self.count.setAccessibleName("How many pixels would change")
        self.take = QToolButton(self)
        self.take.setText("Take")
        self.take.setToolTip("Change the mask so (Enter)")
        self.drop = QToolButton(self)
        self.drop.setText("Cancel")
        self.drop.setToolTip("Leave the mask as it is (Esc)")
        for widget in (
            self.title,
            self.amount,
            self.every_class,
            self.count,
            self.take,
            self.drop,
        ):
            layout.addWidget(widget)
        self.amount.set.connect(self.set_amount)
        self.every_class.toggled.connect(lambda _: self.set_amount(self.amount.box.value()))

    def show_recipe(self, tool: CleaningTool) -> None:
        recipe = tool.recipe
        self.title.setText(recipe.title)
        self.amount.setVisible(bool(recipe.parameter))
        if recipe.parameter:
            self.amount.label.setText(recipe.parameter)
            self.amount.set_range(recipe.range)
            self.amount.show_value(tool.amount)
        self.every_class.setVisible(recipe.whole)
        with QSignalBlocker(self.every_class):
            self.every_class.setChecked(tool.every_class)
        self.show_count(None)

    def show_count(self, count: int | None) -> None:
        self.count.setText("…" if count is None else f"{count:,} px would change")

    def set_amount(self, amount: int) -> None:
        """As if a person had set the number."""
        self.amount.show_value(amount)
        self.set.emit(amount, self.every_class.isChecked())


def _button(action: QAction, parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setDefaultAction(action)
    button.setAutoRaise(True)
    button.setIconSize(QSize(20, 20))
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _compare_button(actions: Mapping[str, QAction], parent: QWidget) -> QToolButton:
    """Mask and prediction side by side; its arrow shows all ways to compare them."""
    button = _button(actions["compare_side"], parent)
    button.setAccessibleName("Compare mask and prediction")
    menu = QMenu(button)
    for command in COMPARE:
        if command == "-":
            menu.addSeparator()
        else:
            menu.addAction(actions[command])
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
    return button


def _label(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setContentsMargins(6, 0, 0, 0)
    return label


def _line(parent: QWidget) -> QFrame:
    line = QFrame(parent)
    line.setFrameShape(QFrame.Shape.VLine)
    line.setForegroundRole(line.foregroundRole().Mid)
    return line
