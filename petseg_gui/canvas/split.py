"""Two layers under one line: one on its left, the other on its right."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from core.labels import LabelScheme
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.canvas.view import View


class Layer(Protocol):
    """What is painted over the photo."""

    @property
    def spread(self) -> int:
        """How far, in device pixels, a pixel's change may show around it."""

    def set_appearance(self, scheme: LabelScheme, appearance: Appearance) -> None:
        """Look otherwise from now on."""

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """Paint what lies in ``exposed`` (device pixels)."""


class NoLayer:
    """The photo alone."""

    spread = 0

    def set_appearance(self, scheme: LabelScheme, appearance: Appearance) -> None:
        """It has none."""

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """Nothing covers the photo."""


class SplitLayer:
    """at: where the line stands, in device pixels from the view's left edge."""

    def __init__(self, left: Layer, right: Layer, at: float) -> None:
        self._left, self._right = left, right
        self.at = at

    @property
    def spread(self) -> int:
        return max(self._left.spread, self._right.spread)

    def set_appearance(self, scheme: LabelScheme, appearance: Appearance) -> None:
        for layer in (self._left, self._right):
            layer.set_appearance(scheme, appearance)

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        line = QRectF(exposed)
        line.setLeft(self.at)
        before = QRectF(exposed)
        before.setRight(self.at)
        for layer, part in ((self._left, before), (self._right, line)):
            shown = part.intersected(exposed)
            if part.width() > 0 and not shown.isEmpty():
                painter.save()
                painter.setClipRect(shown, Qt.ClipOperation.IntersectClip)
                layer.paint(painter, view, shown)
                painter.restore()
