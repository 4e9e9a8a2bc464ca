"""Curves as PNG files, drawn with the library that the window draws them with."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

# Blue, vermillion, bluish green, reddish purple, orange: told apart by colour-blind people too
# (Okabe and Ito 2008).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_SIZE = (900, 560)


@dataclass(frozen=True)
class Curve:
    """y: several values for each x; their mean is the line, their range is shaded."""

    title: str
    x: list[float]
    y: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Level:
    """A thin line from side to side, with words above it, or below."""

    words: str
    y: float
    below: bool = False


def plot(
    path: Path,
    title: str,
    x_title: str,
    y_title: str,
    curves: Sequence[Curve],
    log_x: bool = False,
    marks: Sequence[float] = (),
    levels: Sequence[Level] = (),
) -> None:
    """Draw at most five curves into a PNG file.

    log_x: with a mark at each of ``marks``, or at each x of the first curve.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pyqtgraph as pg
    from pyqtgraph.exporters import ImageExporter

    pg.setConfigOptions(background="w", foreground="#333333", antialias=True)
    application = pg.mkQApp()
    widget = pg.PlotWidget(title=title)
    widget.resize(*_SIZE)
    widget.setLabel("bottom", x_title)
    widget.setLabel("left", y_title)
    widget.getAxis("left").enableAutoSIPrefix(False)
    widget.getAxis("bottom").enableAutoSIPrefix(False)
    widget.showGrid(x=True, y=True, alpha=0.2)
    widget.addLegend(offset=(-20, -20))
    if log_x:
        ticks = [(math.log10(x), f"{x:g}") for x in marks or curves[0].x]
        widget.getAxis("bottom").setTicks([ticks])
    for level in levels:
        side = (0, 0) if level.below else (0, 1)
        line = pg.InfiniteLine(
            level.y,
            angle=0,
            pen=pg.mkPen("#666666", style=pg.QtCore.Qt.PenStyle.DashLine),
            label=level.words,
            labelOpts={"position": 0.02, "anchors": [side, side], "color": "#333333"},
        )
        widget.addItem(line)
    for curve, colour in zip(curves, _COLOURS, strict=False):
        x = [math.log10(v) for v in curve.x] if log_x else curve.x
        low, high = (pg.PlotDataItem(x, [f(ys) for ys in curve.y]) for f in (min, max))
        shade = pg.mkColor(colour)
        shade.setAlpha(50)
        widget.addItem(pg.FillBetweenItem(low, high, brush=shade))
        widget.plot(
            x,
            [mean(ys) for ys in curve.y],
            pen=pg.mkPen(colour, width=2),
            symbol="o",
            symbolSize=6,
            symbolBrush=colour,
            symbolPen=None,
            name=curve.title,
        )
    widget.show()
    application.processEvents()
    path.parent.mkdir(parents=True, exist_ok=True)
    ImageExporter(widget.plotItem).export(str(path))
    widget.close()
