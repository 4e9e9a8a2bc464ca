"""Val IoU and val loss of several runs over each other. Imports pyqtgraph: load it late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

# Okabe and Ito's colours, darkened for light ground and lightened for dark; distinct for the
# colour-blind. From the seventh run on they come again, dashed.
_LIGHT = ("#0072b2", "#d55e00", "#00805d", "#b8528a", "#7a6200", "#2b8fc9")
_DARK = ("#56b4e9", "#ff8f4d", "#2fc79a", "#e9a3c9", "#f0e442", "#b9c4ff")
_SYMBOLS = ("o", "s", "t", "d", "t1", "+")
MOST = 8
"""More runs than this are hard to tell apart, and not drawn."""

_MOST_SPOTS = 60  # epochs; more would cover the line
_MOST_POINTS = 2000  # more than there are pixels
_SAMPLE = QSize(28, 14)
_KEY_WIDTH = 200


@dataclass(frozen=True)
class Curve:
    """A run's curve: its epochs with their val IoU and val loss."""

    name: str
    epochs: tuple[int, ...]
    iou: tuple[float, ...]
    loss: tuple[float, ...]


class OverlayCurves(QWidget):
    """Two plots beside each other, and a key to them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Curves of val IoU and val loss")
        self._curves: tuple[Curve, ...] = ()
        self._left_out = 0
        self.iou = _plot("Val IoU", self)
        self.loss = _plot("Val loss", self)
        self.iou.setYRange(0, 1, padding=0.05)
        self._key = QGridLayout()
        self._key.setColumnStretch(1, 1)
        self._key.setHorizontalSpacing(8)
        key = QVBoxLayout()
        key.addLayout(self._key)
        key.addStretch(1)
        self.empty = QLabel("No epoch is done yet.", self)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.iou, 1)
        layout.addWidget(self.loss, 1)
        layout.addLayout(key)
        self._draw()

    def show_curves(self, curves: Sequence[Curve], left_out: int = 0) -> None:
        """Draw these runs, at most ``MOST``; left_out: how many more are selected."""
        if (tuple(curves), left_out) != (self._curves, self._left_out):
            self._curves, self._left_out = tuple(curves), left_out
            self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_key"):
            self._draw()

    def _draw(self) -> None:
        palette = self.palette()
        base = palette.color(QPalette.ColorRole.Base)
        text = palette.color(QPalette.ColorRole.Text)
        for plot in (self.iou, self.loss):
            plot.setBackground(base)
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(QColor(128, 128, 128))
                plot.getAxis(side).setTextPen(text)
            plot.getPlotItem().titleLabel.setText(plot.windowTitle(), color=text.name(), size="9pt")
            plot.clear()
            plot.setVisible(bool(self._curves))
        self.empty.setVisible(not self._curves)
        self._clear_key()
        pens = [_pen(number, base.lightness() < 128) for number in range(len(self._curves))]
        _draw_lines(self.iou, [(c.epochs, c.iou) for c in self._curves], pens)
        _draw_lines(self.loss, [(c.epochs, c.loss) for c in self._curves], pens)
        last = max((epoch for curve in self._curves for epoch in curve.epochs), default=1)
        for plot in (self.iou, self.loss):  # no half epochs
            plot.getAxis("bottom").setTickSpacing(max(1, round(last / 6)), max(1, round(last / 30)))
        for number, curve in enumerate(self._curves):
            pen = pens[number]
            self._key.addWidget(_Sample(pen, self), number, 0)
            self._key.addWidget(_name(curve.name, self), number, 1)
        if self._left_out:
            more = QLabel(f"{self._left_out} more not drawn", self)
            self._key.addWidget(more, len(self._curves), 1)
        self.setAccessibleDescription("; ".join(map(_told, self._curves)))

    def _clear_key(self) -> None:
        while item := self._key.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()


class _Sample(QWidget):
    """A piece of a curve, for the key."""

    def __init__(self, pen: QPen, parent: QWidget) -> None:
        super().__init__(parent)
        self._pen = pen
        self.setFixedSize(_SAMPLE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._pen)
        middle = self.height() // 2
        painter.drawLine(0, middle, self.width(), middle)


def _plot(title: str, parent: QWidget) -> pg.PlotWidget:
    plot = pg.PlotWidget(parent, title=title, antialias=True)
    plot.setWindowTitle(title)
    plot.setAccessibleName(title)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.showGrid(x=False, y=True, alpha=0.15)
    plot.getAxis("left").setWidth(40)
    plot.setLabel("bottom", "epoch")
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return plot


def _draw_lines(
    plot: pg.PlotWidget,
    lines: Sequence[tuple[Sequence[int], Sequence[float]]],
    pens: Sequence[QPen],
) -> None:
    # Plain items, and one for all the spots: a PlotDataItem for each takes many times as long.
    spots: list[dict[str, object]] = []
    for number, (epochs, values) in enumerate(lines):
        step = -(-len(epochs) // _MOST_POINTS)
        line = pg.PlotCurveItem(
            np.asarray(epochs[::step], float), np.asarray(values[::step], float), pen=pens[number]
        )
        plot.addItem(line)
        if len(epochs) <= _MOST_SPOTS:
            symbol, colour = _SYMBOLS[number % len(_SYMBOLS)], pens[number].color()
            spots += [
                {"pos": point, "symbol": symbol, "brush": colour, "pen": colour}
                for point in zip(epochs, values, strict=True)
            ]
    plot.addItem(pg.ScatterPlotItem(spots=spots, size=7))


def _pen(number: int, dark: bool) -> QPen:
    colours = _DARK if dark else _LIGHT
    style = Qt.PenStyle.SolidLine if number < len(colours) else Qt.PenStyle.DashLine
    return QPen(pg.mkPen(colours[number % len(colours)], width=2, style=style))


def _name(name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(label.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, _KEY_WIDTH))
    label.setToolTip(name)
    return label


def _told(curve: Curve) -> str:
    if not curve.epochs:
        return f"{curve.name}: no epoch yet"
    return f"{curve.name}: val IoU {curve.iou[-1]:.3f} after epoch {curve.epochs[-1]}"
