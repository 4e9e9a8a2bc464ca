"""The strip above the canvas: brush, eraser, size, class, opacity, zoom."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from core.editing.brush import MAX_SIZE
from core.labels import LabelScheme

_SLIDER_STEPS = 200


class ToolStrip(QWidget):
    """Controls for the canvas and its tool; shows what it is told, says what a person sets."""

    size_set = Signal(int)
    size_typed = Signal()
    """A size was typed and confirmed: the keys may go back to the tools."""
    class_set = Signal(int)
    opacity_set = Signal(float)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.setSpacing(8)
        for command in ("brush", "eraser"):
            layout.addWidget(_button(actions[command], self))
        layout.addWidget(_label("Size", self))
        self.size_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.size_slider.setAccessibleName("Brush size")
        self.size_slider.setToolTip("Brush size ([ and ])")
        self.size_slider.setRange(0, _SLIDER_STEPS)
        self.size_slider.setFixedWidth(130)
        self.size_slider.valueChanged.connect(self._slide)
        layout.addWidget(self.size_slider)
        self.size_box = QSpinBox(self)
        self.size_box.setAccessibleName("Brush size in pixels")
        self.size_box.setRange(1, MAX_SIZE)
        self.size_box.setSuffix(" px")
        self.size_box.setKeyboardTracking(False)
        self.size_box.valueChanged.connect(self.size_set)
        self.size_box.lineEdit().returnPressed.connect(self.size_typed)
        layout.addWidget(self.size_box)
        self.class_label = _label("Class", self)
        self.class_box = QComboBox(self)
        self.class_box.setAccessibleName("Class that the brush paints")
        self.class_box.activated.connect(
            lambda row: self.class_set.emit(self.class_box.itemData(row))
        )
        layout.addWidget(self.class_label)
        layout.addWidget(self.class_box)
        layout.addWidget(_line(self))
        layout.addWidget(_label("Opacity", self))
        self.opacity_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity_slider.setAccessibleName("Opacity of the mask")
        self.opacity_slider.setToolTip("Opacity of the mask (hold H to hide it)")
        self.opacity_slider.setRange(0, 100)
        self.opacity_slider.setFixedWidth(110)
        self.opacity_slider.valueChanged.connect(lambda v: self.opacity_set.emit(v / 100))
        layout.addWidget(self.opacity_slider)
        layout.addStretch(1)
        self.zoom_label = QLabel(self)
        self.zoom_label.setAccessibleName("Zoom")
        self.zoom_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("1000 %"))
        self.zoom_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for command in ("zoom_out", "zoom_in", "fit", "actual"):
            layout.addWidget(_button(actions[command], self))
        layout.addWidget(self.zoom_label)
        self.set_scheme(None)

    def set_size(self, size: int) -> None:
        """Show the brush's size, in image pixels."""
        for control, value in ((self.size_box, size), (self.size_slider, _to_slider(size))):
            control.blockSignals(True)
            control.setValue(value)
            control.blockSignals(False)

    def set_opacity(self, opacity: float) -> None:
        """Show the mask's opacity, 0 to 1."""
        self.opacity_slider.setValue(round(opacity * 100))

    def set_zoom(self, zoom: float) -> None:
        """Show the zoom; 1 is 100 %."""
        self.zoom_label.setText(f"{zoom * 100:.0f} %")

    def set_scheme(self, scheme: LabelScheme | None) -> None:
        """Offer the classes to paint; with two there is nothing to choose."""
        many = scheme is not None and len(scheme.classes) > 2
        self.class_label.setVisible(many)
        self.class_box.setVisible(many)
        self.class_box.clear()
        if scheme is not None:
            for label in scheme.classes[1:]:
                swatch = QPixmap(14, 14)
                swatch.fill(QColor(*label.colour))
                self.class_box.addItem(QIcon(swatch), label.name.capitalize(), label.id)

    def set_editable(self, editable: bool) -> None:
        """Whether there is anything to paint on."""
        for control in (self.size_slider, self.size_box, self.class_box):
            control.setEnabled(editable)

    def _slide(self, value: int) -> None:
        self.size_set.emit(_from_slider(value))


# Equal ways of the slider are equal factors: fine steps where a brush is small.
def _from_slider(value: int) -> int:
    return max(1, round(math.exp(math.log(MAX_SIZE) * value / _SLIDER_STEPS)))


def _to_slider(size: int) -> int:
    return round(math.log(max(size, 1)) / math.log(MAX_SIZE) * _SLIDER_STEPS)


def _button(action: QAction, parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setDefaultAction(action)
    button.setAutoRaise(True)
    button.setIconSize(QSize(20, 20))
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
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
