"""Dice, seconds and strokes of each correction with rolling means. Imports pyqtgraph: late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.evaluation.corrections import WINDOW, Correction, rolling_mean
from petseg_gui.training.curves import Chart

# On light, on dark.
_DOTS = ("#1c6a9c", "#6cbcf0")
_MEAN = ("#b34a00", "#f0a94a")
_GREY = QColor(128, 128, 128)
_CLICK = 8  # pixels: who moves further while a button is down means no click


@dataclass(frozen=True)
class _Measure:
    """What one of the charts shows; value: None where a correction has none."""

    title: str
    value: Callable[[Correction], float | None]


_MEASURES = (
    _Measure("Dice", lambda c: c.dice),
    _Measure("Seconds", lambda c: c.seconds),
    _Measure("Strokes", lambda c: float(c.strokes)),
)


class CorrectionChart(Chart):
    """A chart whose points can be opened with a click or Enter."""

    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pressed: QPointF | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        if pressed is not None and (event.position() - pressed).manhattanLength() <= _CLICK:
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class CorrectionPlots(QWidget):
    """One chart below the other, all with the approvals in order along the bottom."""

    marked = Signal(object)
    """The place of the correction that is pointed at (int); None: none."""
    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._corrections: Sequence[Correction] = ()
        self._marked: int | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.charts: list[CorrectionChart] = []
        self._dots: list[pg.PlotDataItem] = []
        self._means: list[pg.PlotDataItem] = []
        self._markers: list[pg.InfiniteLine] = []
        self._changes: list[tuple[CorrectionChart, pg.InfiniteLine]] = []
        for number, measure in enumerate(_MEASURES):
            chart = CorrectionChart(self)
            chart.setAccessibleName(f"{measure.title} of each approved mask, in order")
            chart.setLabel("left", measure.title)
            chart.getAxis("left").setWidth(58)
            chart.getAxis("left").enableAutoSIPrefix(False)
            if number:
                chart.setXLink(self.charts[0])
            self._dots.append(
                chart.plot(pen=None, symbol="o", symbolSize=6, dynamicRangeLimit=None)
            )
            self._means.append(chart.plot(dynamicRangeLimit=None))
            marker = pg.InfiniteLine(angle=90)
            chart.addItem(marker, ignoreBounds=True)
            self._markers.append(marker)
            chart.pointed.connect(self._point_at)
            chart.stepped.connect(self._step)
            chart.opened.connect(self._open)
            layout.addWidget(chart, 2 if number == 0 else 1)
            self.charts.append(chart)
        self.charts[0].setYRange(0, 1, padding=0.03)
        self.charts[-1].setLabel("bottom", "Approved masks, the newest on the right")
        self._colour()

    def show_corrections(self, corrections: Sequence[Correction]) -> None:
        """Draw these, in order."""
        self._corrections = corrections
        self._marked = None
        drawn = zip(_MEASURES, self.charts, self._dots, self._means, strict=True)
        for measure, chart, dots, means in drawn:
            known = [
                (place, value)
                for place, c in enumerate(corrections, 1)
                if (value := measure.value(c)) is not None
            ]
            x, y = [float(p) for p, _ in known], [v for _, v in known]
            dots.setData(x, y)
            means.setData(x, rolling_mean(y, WINDOW) if y else [])
            if chart is not self.charts[0]:
                chart.setYRange(0, max(y, default=0.0) or 1.0, padding=0.06)
        last = max(len(corrections), 2)
        self.charts[0].setXRange(0.5, last + 0.5, padding=0.02)
        self._mark_changes()
        self._show_marked()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_changes"):
            self._colour()

    def _mark_changes(self) -> None:
        """A line where each model but the first began."""
        for chart, line in self._changes:
            chart.removeItem(line)
        self._changes = []
        begins: dict[str, int] = {}
        for place, correction in enumerate(self._corrections, 1):
            if correction.dice is not None:
                begins.setdefault(correction.model, place)
        for place in list(begins.values())[1:]:
            for chart in self.charts:
                line = pg.InfiniteLine(place - 0.5, angle=90)
                line.setToolTip("Another model begins here")
                chart.addItem(line, ignoreBounds=True)
                self._changes.append((chart, line))
        self._colour()

    def _point_at(self, x: float | None) -> None:
        if x is None or not self._corrections:
            self._mark(None)
        else:
            self._mark(min(max(round(x) - 1, 0), len(self._corrections) - 1))

    def _step(self, by: int) -> None:
        last = len(self._corrections) - 1
        if last >= 0:
            here = last if self._marked is None else self._marked
            self._mark(min(max(here + by, 0), last) if by else last)

    def _mark(self, place: int | None) -> None:
        if place != self._marked:
            self._marked = place
            self._show_marked()
            self.marked.emit(place)

    def _show_marked(self) -> None:
        for marker in self._markers:
            marker.setVisible(self._marked is not None)
            if self._marked is not None:
                marker.setValue(self._marked + 1)

    def _open(self) -> None:
        if self._marked is not None:
            self.opened.emit(self._marked)

    def _colour(self) -> None:
        palette = self.palette()
        base, text = (palette.color(r) for r in (QPalette.ColorRole.Base, QPalette.ColorRole.Text))
        dark = base.lightness() < 128
        for chart in self.charts:
            chart.setBackground(base)
            for side in ("left", "bottom"):
                chart.getAxis(side).setPen(_GREY)
                chart.getAxis(side).setTextPen(text)
        for dots, means in zip(self._dots, self._means, strict=True):
            colour = pg.mkColor(_DOTS[dark])
            colour.setAlpha(150)
            dots.setSymbolBrush(colour)
            dots.setSymbolPen(None)
            means.setPen(pg.mkPen(_MEAN[dark], width=2))
        for marker in self._markers:
            marker.setPen(pg.mkPen(_GREY, width=1))
        for _, line in self._changes:
            line.setPen(pg.mkPen(text, width=1, style=Qt.PenStyle.DotLine))


def described(place: int, correction: Correction) -> str:
    """A correction in a line."""
    dice = "not predicted before" if correction.dice is None else f"Dice {correction.dice:.3f}"
    strokes = "1 stroke" if correction.strokes == 1 else f"{correction.strokes} strokes"
    return (
        f"{place}. {correction.image}: {dice}, {np.round(correction.seconds):.0f} s, {strokes}, "
        f"model {correction.model or 'unknown'}"
    )
