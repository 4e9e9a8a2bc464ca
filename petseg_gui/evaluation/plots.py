"""The plots of an evaluation: each image's IoU, the threshold, calibration. Imports pyqtgraph."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPalette, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.evaluation.result import Calibration, Evaluation, ImageScores, ThresholdPoint
from petseg_gui.training.curves import Chart

# On light, on dark, as the training curves have them.
_BLUE = ("#1c6a9c", "#6cbcf0")
_ORANGE = ("#b34a00", "#f0a94a")
_GREEN = ("#00734f", "#3ccf9b")
_GREY = QColor(128, 128, 128)
_AXIS = 56  # pixels: room for ticks and title
_COLUMN = 0.02  # of IoU
_WIDEST_DOT, _SMALLEST_DOT = 10.0, 3.0


class Plot(QWidget):
    """A chart with the words for what is pointed at below it."""

    def __init__(self, chart: Chart, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.chart = chart
        chart.getAxis("left").setWidth(_AXIS)
        self.readout = QLabel(self)
        self.readout.setWordWrap(True)
        self.readout.setTextFormat(Qt.TextFormat.PlainText)
        self.below = QHBoxLayout()
        self.below.addWidget(self.readout, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(chart, 1)
        layout.addLayout(self.below)

    def tell(self, words: str) -> None:
        """Say what is pointed at."""
        self.readout.setText(words)
        self.chart.setAccessibleName(f"{self.title}. {words}")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "below"):
            self.colour()

    def colour(self) -> None:
        """Take the palette's colours."""
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.Text)
        self.chart.setBackground(palette.color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            axis = self.chart.getAxis(side)
            axis.setPen(_GREY)
            axis.setTextPen(text)
        legend = self.chart.getPlotItem().legend
        if legend is not None:
            legend.setLabelTextColor(text)
            for _, label in legend.items:
                label.setText(label.text, color=text.name())

    @property
    def shade(self) -> int:
        """Which of two colours suits the ground: 1 on dark."""
        return int(self.palette().color(QPalette.ColorRole.Base).lightness() < 128)


class _Field(Chart):
    """A chart that says where in it the mouse is, and that it was clicked."""

    hovered = Signal(object)
    """The point under the pointer (QPointF); None where it has left."""
    taken = Signal()
    """A click, or Enter."""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        here = self.getPlotItem().vb.mapSceneToView(QPointF(event.position()))
        self.hovered.emit(here)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.taken.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.taken.emit()
        else:
            super().keyPressEvent(event)


class ImagesPlot(Plot):
    """A dot an image over its IoU; equal ones stand on each other."""

    image_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._field = _Field()
        super().__init__(self._field, "IoU of each image", parent)
        self._due: Evaluation | None = None
        self._rows: list[ImageScores] = []
        self._places: list[tuple[float, int]] = []
        self._columns: dict[int, list[int]] = {}
        self._marked: int | None = None
        self._words = ""
        self.chart.getAxis("left").setLabel("Images")
        self.chart.getAxis("bottom").setLabel("IoU")
        self.spread = pg.LinearRegionItem(movable=False)
        self.spread.setZValue(-10)
        self.mean = pg.InfiniteLine(angle=90)
        self.dots = pg.ScatterPlotItem(pxMode=True)
        self.mark = pg.ScatterPlotItem(pxMode=True)
        for item in (self.spread, self.mean, self.dots, self.mark):
            self.chart.addItem(item)
        self._field.hovered.connect(self._hover)
        self._field.stepped.connect(self._step)
        self._field.taken.connect(self._take)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Draw all of its images, as soon as they are looked at: thousands take a while."""
        self._due = evaluation
        if self.isVisible():
            self._draw(evaluation)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._due is not None:
            self._draw(self._due)

    def _draw(self, evaluation: Evaluation) -> None:
        self._due = None
        self._rows = sorted(evaluation.rows, key=lambda row: (row.iou, row.image))
        self._columns = {}
        self._places = []
        for number, row in enumerate(self._rows):
            column = _column(row.iou)
            stack = self._columns.setdefault(column, [])
            stack.append(number)
            self._places.append(((column + 0.5) * _COLUMN, len(stack)))
        highest = max(map(len, self._columns.values()))
        mean = evaluation.per_image.iou
        self.mean.setValue(mean)
        ends = evaluation.intervals.per_image.get("iou")
        self.spread.setVisible(ends is not None)
        if ends is not None:
            self.spread.setRegion(ends)
        lowest = self._rows[0].iou
        self.chart.setXRange(max(0.0, lowest - 0.03), 1.0, padding=0.02)
        self.chart.setYRange(0, highest + 1, padding=0)
        self.chart.getAxis("left").setTickSpacing(levels=[(_tick_distance(highest), 0)])
        self._dot = min(_WIDEST_DOT, max(_SMALLEST_DOT, 260 / (highest + 1)))
        middle = self._rows[len(self._rows) // 2].iou
        tenth = self._rows[len(self._rows) // 10].iou
        self._words = (
            f"Mean {mean:.3f}; half of the images are above {middle:.3f}, nine of ten above "
            f"{tenth:.3f}. Point at a dot for its image; click or Enter opens it."
        )
        self._marked = None
        self.colour()

    def colour(self) -> None:
        super().colour()
        if not self._rows:
            return
        text = self.palette().color(QPalette.ColorRole.Text)
        colour = QColor(_BLUE[self.shade])
        x, y = np.array(self._places, np.float64).T
        self.dots.setData(x, y, size=self._dot, brush=colour, pen=None)
        self.mean.setPen(pg.mkPen(text, width=1, style=Qt.PenStyle.DashLine))
        colour.setAlpha(40)
        self.spread.setBrush(colour)
        for line in self.spread.lines:
            line.setPen(None)
        self._show_marked()

    def _hover(self, point: QPointF | None) -> None:
        self._marked = None
        if point is not None:
            stack = self._columns.get(_column(point.x()), [])
            height = round(point.y())
            if 1 <= height <= len(stack):
                self._marked = stack[height - 1]
        self._show_marked()

    def _step(self, steps: int) -> None:
        last = len(self._rows) - 1
        if last < 0 or not steps:
            self._marked = None
        elif self._marked is None:
            self._marked = 0 if steps > 0 else last
        else:
            self._marked = min(max(self._marked + steps, 0), last)
        self._show_marked()

    def _take(self) -> None:
        if self._marked is not None:
            self.image_wanted.emit(self._rows[self._marked].image)

    def _show_marked(self) -> None:
        if self._marked is None:
            self.mark.setData([], [])
            self.tell(self._words)
            return
        row = self._rows[self._marked]
        text = self.palette().color(QPalette.ColorRole.Text)
        self.mark.setData(
            [self._places[self._marked][0]],
            [self._places[self._marked][1]],
            size=self._dot + 5,
            brush=QColor(_ORANGE[self.shade]),
            pen=pg.mkPen(text, width=1),
        )
        self.tell(f"{row.image}: IoU {row.iou:.3f}, Boundary IoU {row.boundary_iou:.3f}")


class ThresholdPlot(Plot):
    """What another threshold would score, and a button that takes it."""

    wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Chart(), "Threshold", parent)
        self._points: Sequence[ThresholdPoint] = ()
        self._now = 0.5
        self._marked = 0
        self._pointed: int | None = None
        self.chart.getAxis("left").setLabel("Score")
        self.chart.getAxis("bottom").setLabel("Threshold")
        self.chart.addLegend(offset=(8, -8), labelTextSize="9pt")
        self.iou = self.chart.plot(name="IoU, mean over images")
        self.precision = self.chart.plot(name="Precision")
        self.recall = self.chart.plot(name="Recall")
        self.now = pg.InfiniteLine(angle=90)
        self.now.setToolTip("The threshold that was used")
        self.marker = pg.InfiniteLine(angle=90)
        for line in (self.now, self.marker):
            self.chart.addItem(line, ignoreBounds=True)
        self.button = QPushButton(self)
        self.button.setAutoDefault(False)
        self.button.clicked.connect(lambda: self.wanted.emit(self._points[self._marked].threshold))
        self.below.addWidget(self.button)
        self.chart.pointed.connect(self._point_at)
        self.chart.stepped.connect(self._step)
        self.chart.sigMouseReleased.connect(self._keep_pointed)

    def show_curve(self, points: Sequence[ThresholdPoint], now: float, best: float) -> None:
        """Draw it. now: the threshold that was used; best: where the IoU is highest."""
        self._points, self._now = points, now
        self._marked = self._best = self._nearest(best)
        self._pointed = None
        self.now.setValue(now)
        lowest = min(p.iou for p in points)
        self.chart.setXRange(0, 1, padding=0.02)
        self.chart.setYRange(max(0.0, lowest - 0.05), 1, padding=0.02)
        self.colour()
        self._show_marked()

    def colour(self) -> None:
        super().colour()
        x = [p.threshold for p in self._points]
        for line, values, colours, style in (
            (self.iou, [p.iou for p in self._points], _BLUE, Qt.PenStyle.SolidLine),
            (self.precision, [p.precision for p in self._points], _ORANGE, Qt.PenStyle.DashLine),
            (self.recall, [p.recall for p in self._points], _GREEN, Qt.PenStyle.DotLine),
        ):
            line.setData(x, values)
            line.setPen(pg.mkPen(colours[self.shade], width=2, style=style))
        self.now.setPen(pg.mkPen(_GREY, width=1, style=Qt.PenStyle.DashLine))
        self.marker.setPen(pg.mkPen(self.palette().color(QPalette.ColorRole.Text), width=1))

    def _nearest(self, threshold: float) -> int:
        known = [p.threshold for p in self._points]
        at = min(bisect_left(known, threshold), len(known) - 1)
        below = at > 0 and threshold - known[at - 1] < known[at] - threshold
        return at - 1 if below else at

    def _point_at(self, x: float | None) -> None:
        self._pointed = None if x is None or not self._points else self._nearest(x)
        self._show_marked()

    def _keep_pointed(self) -> None:
        if self._pointed is not None:
            self._marked = self._pointed
            self._show_marked()

    def _step(self, steps: int) -> None:
        if self._points:
            there = self._marked + steps if steps else self._best
            self._marked = min(max(there, 0), len(self._points) - 1)
            self._pointed = None
            self._show_marked()

    def _show_marked(self) -> None:
        if not self._points:
            return
        at = self._points[self._marked if self._pointed is None else self._pointed]
        now, kept = self._points[self._nearest(self._now)], self._points[self._marked]
        self.marker.setValue(at.threshold)
        best = " (the best here)" if at is self._points[self._best] else ""
        self.tell(
            f"From {at.threshold:.2f} on{best}: IoU {at.iou:.3f}, precision {at.precision:.3f}, "
            f"recall {at.recall:.3f}. Used were {now.threshold:.2f}: IoU {now.iou:.3f}. "
            "A threshold that was chosen on these images does a little worse on others."
        )
        self.button.setText(f"Use {kept.threshold:.2f} from now on")
        self.button.setToolTip(
            "Segment with this threshold; masks that a person drew stay as they are"
        )


class CalibrationPlot(Plot):
    """How often the model is right where it says so and so much."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Chart(), "Calibration", parent)
        self._calibration: Calibration | None = None
        self._marked: int | None = None
        self.chart.getAxis("left").setLabel("It is so")
        self.chart.getAxis("bottom").setLabel("The model says")
        self.ideal = pg.PlotCurveItem([0, 1], [0, 1])
        self.curve = self.chart.plot()
        self.mark = pg.ScatterPlotItem(pxMode=True)
        for item in (self.ideal, self.mark):
            self.chart.addItem(item)
        self.chart.setXRange(0, 1, padding=0.02)
        self.chart.setYRange(0, 1, padding=0.02)
        self.chart.pointed.connect(self._point_at)
        self.chart.stepped.connect(self._step)

    def show_calibration(self, calibration: Calibration) -> None:
        """Draw it."""
        self._calibration, self._marked = calibration, None
        self.colour()

    def colour(self) -> None:
        super().colour()
        colour = QColor(_BLUE[self.shade])
        filled = self._filled
        self.curve.setData(
            [probability for _, probability, _ in filled],
            [frequency for _, _, frequency in filled],
            symbol="o",
            symbolSize=8,
            symbolBrush=colour,
            symbolPen=None,
        )
        self.curve.setPen(pg.mkPen(colour, width=2))
        self.ideal.setPen(pg.mkPen(_GREY, width=1, style=Qt.PenStyle.DashLine))
        self._show_marked()

    @property
    def _filled(self) -> list[tuple[int, float, float]]:
        """The bins that hold pixels: (number, mean probability, frequency)."""
        if self._calibration is None:
            return []
        return [
            (number, b.probability, b.frequency)
            for number, b in enumerate(self._calibration.bins)
            if b.probability is not None and b.frequency is not None
        ]

    def _point_at(self, x: float | None) -> None:
        filled = self._filled
        self._marked = None
        if x is not None and filled:
            self._marked = min(range(len(filled)), key=lambda i: abs(filled[i][1] - x))
        self._show_marked()

    def _step(self, steps: int) -> None:
        last = len(self._filled) - 1
        if not steps or last < 0:
            self._marked = None
        else:
            here = -1 if self._marked is None and steps > 0 else self._marked
            self._marked = min(max((last + 1 if here is None else here) + steps, 0), last)
        self._show_marked()

    def _show_marked(self) -> None:
        calibration, filled = self._calibration, self._filled
        if calibration is None:
            return
        what = "is the object" if calibration.of == "object" else "is right"
        if self._marked is None:
            self.mark.setData([], [])
            self.tell(
                f"Expected calibration error (ECE) {calibration.ece:.3f}: so far off are the "
                "model's probabilities on average. On the dashed line they can be taken at their "
                "word; below it the model is too sure of itself."
            )
            return
        number, probability, frequency = filled[self._marked]
        pixels = [b.pixels for b in calibration.bins]
        share = pixels[number] / max(sum(pixels), 1)
        self.mark.setData(
            [probability],
            [frequency],
            size=13,
            brush=QColor(_ORANGE[self.shade]),
            pen=pg.mkPen(self.palette().color(QPalette.ColorRole.Text)),
        )
        self.tell(
            f"Where the model says {probability:.0%}, a pixel {what} {frequency:.0%} of the time "
            f"({share:.1%} of all pixels)."
        )


def _tick_distance(highest: int) -> int:
    """Of a count's ticks: 1, 2 or 5, 10, 20, 50, ..., so that there are at most eight."""
    distance = 1
    while highest > 8 * distance:
        distance = distance * 5 // 2 if str(distance)[0] == "2" else distance * 2
    return distance


def _column(iou: float) -> int:
    """Which stack an IoU belongs to; a perfect 1 belongs to the last."""
    return min(int(iou / _COLUMN + 1e-9), round(1 / _COLUMN) - 1)
