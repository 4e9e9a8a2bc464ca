"""Loss, IoU and Dice over the epochs, for train and val. Imports pyqtgraph: load it late."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QTabBar, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from core.evaluation.metrics import Scores
    from core.training.events import Epoch
    from core.training.progress import RunState

# On light, on dark. The dashes tell val from train without colour.
_TRAIN = ("#1c6a9c", "#6cbcf0")
_VAL = ("#b34a00", "#f0a94a")
_GREY = QColor(128, 128, 128)
_DOTTED = 60  # up to so many epochs each is a dot too
_MOST = 400  # points a line: as many as the panel has pixels across
_LEAST_LOSS = 1e-6  # a logarithm needs more than 0


class Measure(StrEnum):
    """What a curve shows; the value is what the tab says."""

    IOU = "IoU"
    DICE = "Dice"
    LOSS = "Loss"


_ATTRIBUTES = {Measure.IOU: "scores.iou", Measure.DICE: "scores.dice", Measure.LOSS: "loss"}


class Series:
    """Points that are only ever added to, until the list that they come from was cut short.

    x, y: names of attributes of the list's items, with dots.
    """

    def __init__(self, x: str, y: str) -> None:
        self._x, self._y = array("d"), array("d")
        self._get_x, self._get_y = attrgetter(x), attrgetter(y)
        self._last: object = None

    def points(self, items: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """What is drawn: x and y, float64; of very many points the means of neighbours.

        Only what is new in the list is looked at: so a long run costs no more than a short one.
        """
        known = len(self._x)
        if known and (known > len(items) or items[known - 1] is not self._last):
            known = 0
            self._x, self._y = array("d"), array("d")
        new = items[known:]
        self._x.extend(map(self._get_x, new))
        self._y.extend(map(self._get_y, new))
        self._last = items[-1] if items else None
        x, y = np.array(self._x), np.array(self._y)
        if len(x) <= _MOST:
            return x, y
        edges = np.linspace(0, len(x), _MOST + 1).astype(int)
        sizes = np.diff(edges)
        return np.add.reduceat(x, edges[:-1]) / sizes, np.add.reduceat(y, edges[:-1]) / sizes


class Chart(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """A plot along whose epochs one moves with the mouse or with left and right."""

    pointed = Signal(object)
    """The x under the pointer (float); None where it has left."""
    stepped = Signal(int)
    """So many epochs further; 0: back to the newest."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, antialias=True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.showGrid(x=False, y=True, alpha=0.15)
        self.getAxis("left").setWidth(40)
        self.setMinimumHeight(120)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self.pointed.emit(self.getPlotItem().vb.mapSceneToView(QPointF(event.position())).x())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_End: 0, Qt.Key.Key_Escape: 0}
        key = Qt.Key(event.key())
        if key in steps and not event.modifiers():
            self.stepped.emit(steps[key])
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._frame(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._frame(False)

    def _frame(self, shown: bool) -> None:
        colour = self.palette().color(QPalette.ColorRole.Highlight) if shown else None
        self.getPlotItem().vb.setBorder(colour)


class Curves(QWidget):
    """One measure at a time, chosen by a tab, with its values at the epoch that is pointed at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: RunState | None = None
        self._marked: int | None = None  # index of an epoch; None: the newest
        self._series = {
            (measure, subset): Series("epoch", f"{subset}.{_ATTRIBUTES[measure]}")
            for measure in Measure
            for subset in ("train", "val")
        }
        self._steps = Series("step", "loss")
        self.tabs = QTabBar(self)
        for measure in Measure:
            self.tabs.addTab(measure)
        self.tabs.setAccessibleName("What the curves show")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.log_box = QCheckBox("Log", self)
        self.log_box.setAccessibleName("Logarithmic scale")
        self.log_box.setToolTip("Show the loss on a logarithmic scale")
        self.chart = Chart(self)
        legend = self.chart.addLegend(offset=(-8, -8), labelTextSize="9pt")
        legend.setColumnCount(2)
        self.lines = {subset: self.chart.plot(name=subset) for subset in ("train", "val")}
        self.before = pg.InfiniteLine(angle=0)
        self.before.setToolTip("The model that this training starts from")
        self.marker = pg.InfiniteLine(angle=90)
        for line in (self.before, self.marker):
            self.chart.addItem(line, ignoreBounds=True)
        self.readout = QLabel(self)
        self.readout.setWordWrap(True)
        self._top = QHBoxLayout()
        self._top.addWidget(self.tabs)
        self._top.addStretch(1)
        self._top.addWidget(self.log_box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._top)
        layout.addWidget(self.chart, 1)
        layout.addWidget(self.readout)
        self.tabs.currentChanged.connect(self._measure_changed)
        self.log_box.toggled.connect(self._measure_changed)
        self.chart.pointed.connect(self._point_at)
        self.chart.stepped.connect(self._step)
        self._colour()
        self._measure_changed()

    def add_corner(self, widget: QWidget) -> None:
        """Put a widget beside the tabs."""
        self._top.addWidget(widget)

    @property
    def measure(self) -> Measure:
        """What is shown."""
        return list(Measure)[self.tabs.currentIndex()]

    def show_run(self, state: RunState) -> None:
        """Draw the run so far. Within an epoch the train loss follows the steps."""
        if self._state is not None and self._state.run != state.run:
            self._marked = None
        self._state = state
        if self._marked is not None and self._marked >= len(state.epochs):
            self._marked = None
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "readout"):
            self._colour()

    def _measure_changed(self) -> None:
        loss = self.measure is Measure.LOSS
        self.log_box.setVisible(loss)
        self.chart.setLogMode(x=False, y=loss and self.log_box.isChecked())
        if loss:
            self.chart.enableAutoRange(axis="y")
        else:
            self.chart.setYRange(0, 1, padding=0.02)
        # Where the curves of a training that learns do not come.
        legend = self.chart.getPlotItem().legend
        corner = (1, 0) if loss else (1, 1)
        legend.anchor(corner, corner, offset=(-8, 8 if loss else -8))
        self._draw()

    def _draw(self) -> None:
        state, measure = self._state, self.measure
        if state is None:
            return
        total = state.started.epochs if state.started is not None else max(len(state.epochs), 1)
        for subset, line in self.lines.items():
            if measure is Measure.LOSS and subset == "train" and state.steps:
                x, y = self._steps.points(state.steps)
                x *= total / state.steps[-1].steps
            else:
                x, y = self._series[measure, subset].points(state.epochs)
            if measure is Measure.LOSS:
                y = np.maximum(y, _LEAST_LOSS)
            line.setData(x, y, symbol="o" if subset == "val" and len(x) <= _DOTTED else None)
        before = self._before()
        self.before.setVisible(before is not None)
        self.before.setValue(before or 0.0)
        self.chart.setXRange(0, total, padding=0.02)
        self.chart.getAxis("bottom").setTickSpacing(
            max(1, round(total / 6)), max(1, round(total / 30))
        )
        self._show_marked()

    def _before(self) -> float | None:
        """What the model scored that the run starts from."""
        started = self._state.started if self._state is not None else None
        if started is None or started.start_val is None or self.measure is Measure.LOSS:
            return None
        return _score(started.start_val, self.measure)

    def _point_at(self, x: float | None) -> None:
        epochs = self._state.epochs if self._state is not None else []
        if x is None or not epochs:
            self._marked = None
        else:
            first = epochs[0].epoch
            self._marked = min(max(round(x) - first, 0), len(epochs) - 1)
        self._show_marked()

    def _step(self, epochs: int) -> None:
        last = len(self._state.epochs) - 1 if self._state is not None else -1
        if last < 0:
            return
        here = last if self._marked is None else self._marked
        there = min(max(here + epochs, 0), last)
        self._marked = there if epochs and there < last else None
        self._show_marked()

    def _show_marked(self) -> None:
        epochs = self._state.epochs if self._state is not None else []
        self.marker.setVisible(self._marked is not None)
        if epochs:
            epoch = epochs[-1 if self._marked is None else self._marked]
            self.marker.setValue(epoch.epoch)
            train, val = (_value(epoch, self.measure, s) for s in ("train", "val"))
            words = f"Epoch {epoch.epoch}: train {train:.3f}, val {val:.3f}"
        else:
            words = "No epoch yet"
        before = self._before()
        told = words if before is None else f"{words}, before {before:.3f}"
        self.readout.setText(told)
        self.chart.setAccessibleName(f"Curves of {self.measure}. {told}")

    def _colour(self) -> None:
        palette = self.palette()
        base = palette.color(QPalette.ColorRole.Base)
        text = palette.color(QPalette.ColorRole.Text)
        dark = base.lightness() < 128
        self.chart.setBackground(base)
        legend = self.chart.getPlotItem().legend
        legend.setLabelTextColor(text)
        for _, label in legend.items:
            label.setText(label.text, color=text.name())
        for side in ("left", "bottom"):
            self.chart.getAxis(side).setPen(_GREY)
            self.chart.getAxis(side).setTextPen(text)
        for subset, line in self.lines.items():
            colour = (_TRAIN if subset == "train" else _VAL)[dark]
            style = Qt.PenStyle.SolidLine if subset == "train" else Qt.PenStyle.DashLine
            line.setPen(pg.mkPen(colour, width=2, style=style))
            line.setSymbolSize(6)
            line.setSymbolBrush(colour)
            line.setSymbolPen(colour)
        self.before.setPen(pg.mkPen(text, width=1, style=Qt.PenStyle.DotLine))
        self.marker.setPen(pg.mkPen(_GREY, width=1))


def _value(epoch: Epoch, measure: Measure, subset: str) -> float:
    return float(attrgetter(f"{subset}.{_ATTRIBUTES[measure]}")(epoch))


def _score(scores: Scores, measure: Measure) -> float:
    return scores.iou if measure is Measure.IOU else scores.dice
