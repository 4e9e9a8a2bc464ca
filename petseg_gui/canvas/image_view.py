"""Shows a document: the photo with its mask, zoomed and panned. Knows no pointer and no tool."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontInfo, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QWidget

from petseg_gui.canvas import view as views
from petseg_gui.canvas.colours import colour_table
from petseg_gui.canvas.layers import MaskLayer, PhotoLayer
from petseg_gui.canvas.view import View
from petseg_gui.document import Document

_ZOOM_STEP = 1.25
_MESSAGE_MARGIN = 24


class ImageView(QWidget):
    """A view of one document. Inside, positions are device pixels, so that 100 % is exact."""

    zoom_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._document: Document | None = None
        self._photo: PhotoLayer | None = None
        self._mask: MaskLayer | None = None
        self._opacity = 0.5
        self._mask_visible = True
        self._message = ""
        self._view = View()
        self._fitted = True
        self._size = self._device_size()
        self._builder = QTimer(self)
        self._builder.timeout.connect(self._build)

    @property
    def document(self) -> Document | None:
        return self._document

    def set_document(self, document: Document | None) -> None:
        """Show another document, fitted."""
        if document is self._document:
            return
        if self._document is not None:
            self._document.changed.disconnect(self._on_changed)
        self._document = document
        self._photo = self._mask = None
        self._builder.stop()
        if document is not None:
            self._photo = PhotoLayer(document.pixels)
            self._mask = MaskLayer(document.mask, colour_table(document.scheme, self._opacity))
            document.changed.connect(self._on_changed)
        self.fit()
        self.update()

    @property
    def opacity(self) -> float:
        return self._opacity

    def set_opacity(self, opacity: float) -> None:
        """How much the mask covers the photo, 0 to 1."""
        self._opacity = min(max(opacity, 0.0), 1.0)
        if self._document is not None and self._mask is not None:
            self._mask.set_colours(colour_table(self._document.scheme, self._opacity))
        self.update()

    @property
    def mask_visible(self) -> bool:
        return self._mask_visible

    def set_mask_visible(self, visible: bool) -> None:
        self._mask_visible = visible
        self.update()

    def set_message(self, message: str) -> None:
        """What stands here while there is no document."""
        self._message = message
        self.setAccessibleDescription(message)
        self.update()

    @property
    def zoom(self) -> float:
        """1.0 is one image pixel on one pixel of the screen."""
        return self._view.zoom

    @property
    def fitted(self) -> bool:
        """Whether the whole image stays in sight as the window changes its size."""
        return self._fitted

    def fit(self) -> None:
        """Show the whole image, also in a window of another size, until somebody zooms."""
        if self._document is not None:
            self._show(views.fit(self._image_size(self._document), self._size), fitted=True)

    def zoom_to(self, factor: float, anchor: views.Point | None = None) -> None:
        """Zoom to a factor (1.0 is 100 %) about a point in device pixels, else the middle."""
        if self._document is not None:
            at = (self._size[0] / 2, self._size[1] / 2) if anchor is None else anchor
            image = self._image_size(self._document)
            self._show(views.zoomed(self._view, factor, at, image, self._size), fitted=False)

    def zoom_in(self) -> None:
        self.zoom_to(self.zoom * _ZOOM_STEP)

    def zoom_out(self) -> None:
        self.zoom_to(self.zoom / _ZOOM_STEP)

    def pan(self, dx: float, dy: float) -> None:
        """Move the image by device pixels, as far as it stays in sight."""
        if self._document is not None:
            image = self._image_size(self._document)
            self._show(views.panned(self._view, dx, dy, image, self._size), fitted=False)

    def view_moved(self) -> None:
        """Another part of the image lies under each point now; for those who build on this."""

    def paint_over(self, painter: QPainter) -> None:
        """Painted last, in device pixels; for those who build on this."""

    def device_point(self, position: QPointF) -> views.Point:
        """A widget's position (as events give it) -> device pixels."""
        ratio = self.devicePixelRatioF()
        return position.x() * ratio, position.y() * ratio

    def widget_rect(self, area: QRectF) -> QRect:
        """What to repaint for an area of the image, with room for smoothing and line width."""
        ratio = self.devicePixelRatioF()
        # A sample of a smaller level stands for up to two device pixels, and smoothing spreads it.
        rect = self._device_rect(area).adjusted(-4, -4, 4, 4)
        return QRectF(rect.topLeft() / ratio, rect.size() / ratio).toAlignedRect()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._resized()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._resized()

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 150)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._backdrop())
        if self._document is None or self._photo is None or self._mask is None:
            self._paint_message(painter)
            return
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        image = self._device_rect(QRectF(0, 0, self._document.width, self._document.height))
        dirty = QRectF(event.rect())
        exposed = QRectF(dirty.topLeft() * ratio, dirty.size() * ratio).intersected(image)
        if not exposed.isEmpty():
            painter.setClipRect(image)
            self._photo.paint(painter, self._view, exposed)
            if self._mask_visible:
                self._mask.paint(painter, self._view, exposed)
            painter.setClipping(False)
        self.paint_over(painter)
        if self._photo.building or self._mask.building:
            self._builder.start()

    def _show(self, view: View, fitted: bool) -> None:
        old, self._view, self._fitted = self._view, view, fitted
        self.view_moved()
        self.update()
        if view.zoom != old.zoom:
            self.zoom_changed.emit(view.zoom)

    def _resized(self) -> None:
        old, self._size = self._size, self._device_size()
        if self._fitted:
            self.fit()
        elif self._document is not None:
            image = self._image_size(self._document)
            self._show(views.resized(self._view, old, self._size, image), fitted=False)

    def _on_changed(self, rect: QRect) -> None:
        if self._mask is not None:
            x, y = rect.x(), rect.y()
            self._mask.refresh((x, y, x + rect.width(), y + rect.height()))
            self.update(self.widget_rect(QRectF(rect)))

    def _build(self) -> None:
        """Work for idle moments: what is missing to paint this zoom fast and smooth."""
        layers = (self._photo, self._mask)
        missing = next((layer for layer in layers if layer is not None and layer.building), None)
        if missing is None:
            self._builder.stop()
        elif missing.build():
            self.update()

    def _paint_message(self, painter: QPainter) -> None:
        margin = _MESSAGE_MARGIN
        font = self.font()
        font.setPointSizeF(QFontInfo(font).pointSizeF() * 1.3)
        painter.setFont(font)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(
            self.rect().adjusted(margin, margin, -margin, -margin), int(flags), self._message
        )

    def _backdrop(self) -> QColor:
        """A shade darker than the window, in a light theme and in a dark one."""
        return self.palette().color(QPalette.ColorRole.Window).darker(112)

    def _image_size(self, document: Document) -> views.Size:
        return document.width, document.height

    def _device_size(self) -> views.Size:
        ratio = self.devicePixelRatioF()
        return round(self.width() * ratio), round(self.height() * ratio)

    def _device_rect(self, area: QRectF) -> QRectF:
        """Image coordinates -> device pixels."""
        return QRectF(
            QPointF(*self._view.to_device(area.left(), area.top())),
            QPointF(*self._view.to_device(area.right(), area.bottom())),
        )
