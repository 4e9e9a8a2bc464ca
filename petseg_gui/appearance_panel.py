"""The panel that sets how photo and mask look."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.canvas.appearance import WIDEST_OUTLINE, Appearance, Colours, Mode

_MODES = {Mode.FILL: "Filled", Mode.OUTLINE: "Outline only", Mode.CUTOUT: "Cut-out"}
_COLOURS = {Colours.SCHEME: "The project's own", Colours.SAFE: "Colour-blind safe"}
_SLIDER_WIDTH = 150
_MARGIN = 14


class AppearancePanel(QFrame):
    """Shows an appearance, says what a person makes of it. Opens as a pop-up; Esc closes it."""

    appearance_set = Signal(object)
    """An Appearance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Appearance")
        self._appearance = Appearance()
        self.mode = _choice("How the mask is shown", list(_MODES.values()), self)
        self.colours = _choice("Colours of the mask", list(_COLOURS.values()), self)
        self.opacity = ValueSlider("Opacity of the mask", 0, self)
        self.outline_width = ValueSlider("Width of the outline", 1, self, WIDEST_OUTLINE, " px")
        self.brightness = ValueSlider("Brightness of the photo", -100, self)
        self.contrast = ValueSlider("Contrast of the photo", -100, self)
        self.grid = QCheckBox("Pixel grid from 800 %", self)
        self.reset = QPushButton("Reset", self)
        self.reset.setToolTip("Show photo and mask as at first")
        form = QFormLayout()
        form.setHorizontalSpacing(_MARGIN)
        for text, control in (
            ("&Mask", self.mode),
            ("&Opacity", self.opacity),
            ("Outline &width", self.outline_width),
            ("&Colours", self.colours),
            ("&Brightness", self.brightness),
            ("Co&ntrast", self.contrast),
        ):
            label = QLabel(text, self)
            label.setBuddy(control.slider if isinstance(control, ValueSlider) else control)
            form.addRow(label, control)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addLayout(form)
        layout.addWidget(self.grid)
        layout.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignRight)
        self.mode.activated.connect(lambda row: self._set(mode=list(_MODES)[row]))
        self.colours.activated.connect(lambda row: self._set(colours=list(_COLOURS)[row]))
        self.opacity.moved.connect(lambda value: self._set(opacity=value / 100))
        self.outline_width.moved.connect(lambda value: self._set(outline_width=value))
        self.brightness.moved.connect(lambda value: self._set(brightness=value / 100))
        self.contrast.moved.connect(lambda value: self._set(contrast=value / 100))
        self.grid.toggled.connect(lambda on: self._set(grid=on))
        self.reset.clicked.connect(lambda: self.appearance_set.emit(Appearance()))
        self.show_appearance(self._appearance)

    def show_appearance(self, appearance: Appearance) -> None:
        """Show what is set, without saying that it was."""
        self._appearance = appearance
        self.mode.setCurrentIndex(list(_MODES).index(appearance.mode))
        self.colours.setCurrentIndex(list(_COLOURS).index(appearance.colours))
        self.opacity.show_value(round(appearance.opacity * 100))
        self.outline_width.show_value(appearance.outline_width)
        self.brightness.show_value(round(appearance.brightness * 100))
        self.contrast.show_value(round(appearance.contrast * 100))
        with QSignalBlocker(self.grid):
            self.grid.setChecked(appearance.grid)
        self.opacity.setEnabled(appearance.mode is not Mode.OUTLINE)
        self.outline_width.setEnabled(appearance.mode is Mode.OUTLINE)
        self.colours.setEnabled(appearance.mode is not Mode.CUTOUT)

    def open_below(self, widget: QWidget) -> None:
        """Show it under a widget, its right edge below the widget's."""
        self.adjustSize()
        corner = widget.mapToGlobal(QPoint(widget.width() - self.width(), widget.height() + 2))
        self.move(corner)
        self.show()
        self.mode.setFocus(Qt.FocusReason.PopupFocusReason)

    def _set(self, **changes: object) -> None:
        self.appearance_set.emit(replace(self._appearance, **changes))  # type: ignore[arg-type]


class ValueSlider(QWidget):
    """A slider with its value beside it."""

    moved = Signal(int)

    def __init__(
        self, name: str, lowest: int, parent: QWidget, highest: int = 100, unit: str = " %"
    ) -> None:
        super().__init__(parent)
        self._unit = unit
        self._signed = lowest < 0
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName(name)
        self.slider.setToolTip(name)
        self.slider.setRange(lowest, highest)
        self.slider.setPageStep(10 if highest > WIDEST_OUTLINE else 1)
        self.slider.setFixedWidth(_SLIDER_WIDTH)
        self.value = QLabel(self)
        self.value.setMinimumWidth(self.fontMetrics().horizontalAdvance("+100 %"))
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider)
        layout.addWidget(self.value)
        self.slider.valueChanged.connect(self._moved)

    def show_value(self, value: int) -> None:
        """Show a value without saying that it was set."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(value)
        self.value.setText(f"{value:+d}{self._unit}" if self._signed and value else self._plain())

    def _plain(self) -> str:
        return f"{self.slider.value()}{self._unit}"

    def _moved(self, value: int) -> None:
        self.show_value(value)
        self.moved.emit(value)


def _choice(name: str, texts: list[str], parent: QWidget) -> QComboBox:
    box = QComboBox(parent)
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.addItems(texts)
    return box
