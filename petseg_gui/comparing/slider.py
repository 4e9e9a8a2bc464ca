"""Two pictures of an image under a line that is dragged."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QWidget

from petseg_gui.canvas.split import Layer, SplitLayer
from petseg_gui.comparing.linked import LookView

_STEPS = 1000
_WIDTH = 22
_KNOB = 9.0
_DARK = QColor(0, 0, 0, 160)
_LIGHT = QColor(255, 255, 255)


class SliderView(LookView):
    """Shows one layer left of the line, another right of it; the line stays as the image moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.divider = Divider(self)
        self.divider.valueChanged.connect(self._place)
        self._split: SplitLayer | None = None
        self.setFocusProxy(self.divider)

    def show_pair(self, left: Layer, right: Layer) -> None:
        """Compare these two."""
        self._split = SplitLayer(left, right, 0)
        self._place()
        self.show_layer(self._split)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        at = self.divider.share * self.width()
        self.divider.setGeometry(round(at - _WIDTH / 2), 0, _WIDTH, self.height())
        if self._split is not None:
            old, self._split.at = self._split.at, at * self.devicePixelRatioF()
            # What lies between the two places of the line, and the smoothing around it.
            first, last = sorted((old / self.devicePixelRatioF(), at))
            self.update(QRectF(first - 2, 0, last - first + 4, self.height()).toAlignedRect())


class Divider(QAbstractSlider):
    """The line and its knob: dragged, or moved with the arrow keys, Home and End."""

    def __init__(self, parent: SliderView) -> None:
        super().__init__(parent)
        self._view = parent
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, _STEPS)
        self.setSingleStep(_STEPS // 100)
        self.setPageStep(_STEPS // 10)
        self.setValue(_STEPS // 2)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName("Dividing line")
        self.setToolTip("Drag, or press the left and right arrow keys")
        self._grip = 0.0  # from the line to where it was taken

    @property
    def share(self) -> float:
        """Where the line stands: 0 left, 1 right."""
        return self.value() / _STEPS

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, 100)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grip = event.position().x() - self.width() / 2

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        across = self.mapToParent(event.position()).x() - self._grip
        self.setValue(round(_STEPS * across / max(self._view.width(), 1)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # it zooms, here as beside the line

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(self.width() / 2, self.height() / 2)
        # White inside black is seen on any photo.
        for colour, width in ((_DARK, 4.0), (_LIGHT, 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(middle.x(), 0), QPointF(middle.x(), self.height()))
        ring = self.palette().color(QPalette.ColorRole.Highlight) if self.hasFocus() else _DARK
        painter.setPen(QPen(ring, 2.0 if self.hasFocus() else 1.0))
        painter.setBrush(_LIGHT)
        painter.drawEllipse(middle, _KNOB, _KNOB)
        painter.setPen(QPen(QColor(60, 60, 60), 1.6))
        for side in (-1, 1):
            tip = QPointF(middle.x() + side * 6, middle.y())
            for up in (-3, 3):
                painter.drawLine(tip, QPointF(middle.x() + side * 2.5, middle.y() + up))
