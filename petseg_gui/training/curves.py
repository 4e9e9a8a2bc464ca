"""Loss and IoU over the epochs, for train and val. Imports pyqtgraph: load it late."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.training.events import Epoch, Step

# On light, on dark. The dashes tell val from train without colour.
_TRAIN = ("#1c6a9c", "#6cbcf0")
_VAL = ("#b34a00", "#f0a94a")


class Curves(QWidget):
    """Two plots above each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Curves of loss and IoU")
        self._epochs: Sequence[Epoch] = ()
        self._steps: Sequence[Step] = ()
        self.loss = pg.PlotWidget(self, antialias=True)
        self.iou = pg.PlotWidget(self, antialias=True)
        self.lines = {}
        # The legends stand where the curves of a training that learns do not come.
        for plot, title, legend in ((self.loss, "Loss", (-8, 8)), (self.iou, "IoU", (-8, -8))):
            plot.addLegend(offset=legend, labelTextSize="9pt")
            plot.setMenuEnabled(False)
            plot.setMouseEnabled(x=False, y=False)
            plot.hideButtons()
            plot.showGrid(x=False, y=True, alpha=0.15)
            plot.getAxis("left").setWidth(40)
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self.lines[title, "train"] = plot.plot(name=f"{title}, train")
            self.lines[title, "val"] = plot.plot(name=f"{title}, val")
        self.iou.setYRange(0, 1, padding=0.02)
        self.iou.setLabel("bottom", "epoch")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.loss)
        layout.addWidget(self.iou)
        self._colour()

    def show_run(self, epochs: Sequence[Epoch], steps: Sequence[Step], total: int) -> None:
        """Draw the run so far; total: its epochs. Within an epoch the loss follows the steps."""
        self._epochs, self._steps = epochs, steps
        x = [e.epoch for e in epochs]
        per_epoch = steps[-1].steps / total if steps and total else 0.0
        if per_epoch:
            self.lines["Loss", "train"].setData(
                [s.step / per_epoch for s in steps], [s.loss for s in steps]
            )
        else:
            self.lines["Loss", "train"].setData(x, [e.train.loss for e in epochs])
        self.lines["Loss", "val"].setData(x, [e.val.loss for e in epochs])
        self.lines["IoU", "train"].setData(x, [e.train.scores.iou for e in epochs])
        self.lines["IoU", "val"].setData(x, [e.val.scores.iou for e in epochs])
        for plot in (self.loss, self.iou):
            plot.setXRange(0, max(total, 1), padding=0.02)
            plot.getAxis("bottom").setTickSpacing(max(1, round(total / 6)), 1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "lines"):
            self._colour()

    def _colour(self) -> None:
        palette = self.palette()
        base = palette.color(QPalette.ColorRole.Base)
        text = palette.color(QPalette.ColorRole.Text)
        dark = base.lightness() < 128
        for plot in (self.loss, self.iou):
            plot.setBackground(base)
            legend = plot.getPlotItem().legend
            legend.setLabelTextColor(text)
            for _, label in legend.items:
                label.setText(label.text, color=text.name())
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(QColor(128, 128, 128))
                plot.getAxis(side).setTextPen(text)
        for (_, subset), line in self.lines.items():
            colour = (_TRAIN if subset == "train" else _VAL)[dark]
            style = Qt.PenStyle.SolidLine if subset == "train" else Qt.PenStyle.DashLine
            line.setPen(pg.mkPen(colour, width=2, style=style))
            if subset == "val":
                line.setSymbol("o")
                line.setSymbolSize(6)
                line.setSymbolBrush(colour)
                line.setSymbolPen(colour)
