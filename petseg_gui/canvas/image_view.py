"""Shows a document: the photo with its mask, zoomed and panned. Knows no pointer and no tool."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontInfo,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from core.labels import VOID
from petseg_gui.canvas import view as views
from petseg_gui.canvas.appearance import GRID_ZOOM, Appearance, Mode
from petseg_gui.canvas.grid import paint_grid
from petseg_gui.canvas.layers import MaskLayer, PhotoLayer
from petseg_gui.canvas.view import View
from petseg_gui.document import Document

if TYPE_CHECKING:
    from petseg_gui.canvas.heat import HeatLayer
    from petseg_gui.canvas.split import Layer

_ZOOM_STEP = 1.25
_MESSAGE_MARGIN = 24


class ImageView(QWidget):
    """A view of one document. Inside, positions are device pixels, so that 100 % is exact."""

    zoom_changed = Signal(float)
    view_changed = Signal()
    """Another part of the image is shown, or another image."""
    appearance_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._document: Document | None = None
        self._photo: PhotoLayer | None = None
        self._mask: MaskLayer | None = None
        self._over: Layer | None = None  # in place of the mask
        self._heat: HeatLayer | None = None
        self._appearance = Appearance()
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
            self._document.prediction_changed.disconnect(self._show_prediction)
        self._document = document
        self._photo = self._mask = self._over = self._heat = None
        self._builder.stop()
        if document is not None:
            self._photo = PhotoLayer(document.pixels, self._appearance)
            self._mask = MaskLayer(document.mask, document.scheme, self._appearance)
            document.changed.connect(self._on_changed)
            document.prediction_changed.connect(self._show_prediction)
            self._show_prediction()
        self.fit()
        self.update()
        self.view_changed.emit()

    @property
    def appearance(self) -> Appearance:
        return self._appearance

    def set_appearance(self, appearance: Appearance) -> None:
        """Show photo and mask another way, now and in the images to come."""
        if appearance == self._appearance:
            return
        self._appearance = appearance
        if self._document is not None and self._photo is not None and self._mask is not None:
            self._photo.set_appearance(appearance)
            self._mask.set_appearance(self._document.scheme, self._mask_appearance)
            if self._over is not None:
                self._over.set_appearance(self._document.scheme, appearance)
            if self._heat is not None:
                self._heat.set_opacity(appearance.opacity)
        self.update()
        self.appearance_changed.emit()

    def refresh_colours(self) -> None:
        """The document's classes have other colours now."""
        if self._document is not None and self._mask is not None:
            self._mask.set_appearance(self._document.scheme, self._mask_appearance)
            if self._over is not None:
                self._over.set_appearance(self._document.scheme, self._appearance)
        self.update()

    def show_layer(self, layer: Layer | None) -> None:
        """Show this over the photo in place of the document's mask; None: the mask again.

        Until another document is shown.
        """
        self._over = layer
        self.update()

    def set_heat(self, values: np.ndarray | None, title: str = "") -> None:
        """Show a heat map over the photo and the mask as outlines on it; None: no more.

        values: uint8, h x w, 0 to 255, spread over the whole image; title: what they are. Until
        another document is shown.
        """
        self._heat = None
        if values is not None and self._document is not None:
            from petseg_gui.canvas.heat import HeatLayer  # when it is first asked for

            size = self._image_size(self._document)
            self._heat = HeatLayer(values, size, self._appearance.opacity)
        self.setAccessibleDescription(title or self._message)
        if self._document is not None and self._mask is not None:
            self._mask.set_appearance(self._document.scheme, self._mask_appearance)
        self.update()

    @property
    def opacity(self) -> float:
        return self._appearance.opacity

    def set_opacity(self, opacity: float) -> None:
        """How much the mask covers the photo, 0 to 1."""
        self.set_appearance(replace(self._appearance, opacity=min(max(opacity, 0.0), 1.0)))

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
    def view(self) -> View:
        """Where the image lies."""
        return self._view

    @property
    def shown(self) -> QRectF:
        """The part of the image that is in sight, in image coordinates; empty without one."""
        if self._document is None:
            return QRectF()
        x0, y0 = self._view.to_image(0, 0)
        x1, y1 = self._view.to_image(*self._size)
        image = QRectF(0, 0, self._document.width, self._document.height)
        return QRectF(x0, y0, x1 - x0, y1 - y0).intersected(image)

    def overview(self, side: int) -> QImage:
        """The photo in small, neither side longer than ``side``; null without one."""
        return QImage() if self._photo is None else self._photo.overview(side)

    @property
    def building(self) -> bool:
        """Whether the photo is still being made ready to be shown smoothly at this zoom."""
        return self._photo is not None and self._photo.building

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

    def view_state(self) -> tuple[float, float, float] | None:
        """Zoom, and the image point in the middle; None while the whole image is fitted."""
        if self._fitted or self._document is None:
            return None
        x, y = self._view.to_image(self._size[0] / 2, self._size[1] / 2)
        return self._view.zoom, x, y

    def restore_view(self, state: tuple[float, float, float]) -> None:
        """Go back to a ``view_state``, also in a canvas of another size."""
        zoom, x, y = state
        self.zoom_to(zoom)
        self.centre_on(x, y)

    def centre_on(self, x: float, y: float) -> None:
        """Show an image point in the middle, as far as the image stays in sight."""
        left, top = self._view.to_device(x, y)
        self.pan(self._size[0] / 2 - left, self._size[1] / 2 - top)

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
        try:
            self._paint(painter, event.rect())
        finally:
            painter.end()  # also where a tool fails: a painter left open spoils the window
        if self.building:
            self._builder.start()

    def _paint(self, painter: QPainter, dirty: QRect) -> None:
        painter.fillRect(dirty, self._backdrop())
        if self._document is None or self._photo is None or self._mask is None:
            self._paint_message(painter)
            return
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        image = self._device_rect(QRectF(0, 0, self._document.width, self._document.height))
        whole = QRectF(QPointF(dirty.topLeft()) * ratio, QSizeF(dirty.size()) * ratio)
        exposed = whole.intersected(image)
        if not exposed.isEmpty():
            painter.setClipRect(image)
            self._photo.paint(painter, self._view, exposed)
            if self._mask_visible:
                if self._heat is not None:
                    self._heat.paint(painter, self._view, exposed)
                (self._over or self._mask).paint(painter, self._view, exposed)
            if self._appearance.grid and self.zoom >= GRID_ZOOM:
                paint_grid(painter, self._view, exposed)
        painter.setClipRect(whole)
        self.paint_over(painter)

    def _show(self, view: View, fitted: bool) -> None:
        old, self._view, self._fitted = self._view, view, fitted
        self.view_moved()
        self.update()
        self.view_changed.emit()
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
            spread = (self._over or self._mask).spread
            area = self.widget_rect(QRectF(rect))
            self.update(area.adjusted(-spread, -spread, spread, spread))

    @property
    def _mask_appearance(self) -> Appearance:
        """On a heat map only the mask's outline leaves something to see."""
        if self._heat is None:
            return self._appearance
        return replace(self._appearance, mode=Mode.OUTLINE)

    def _show_prediction(self) -> None:
        if self._document is not None and self._mask is not None:
            unlabelled = self._document.unpainted == VOID
            self._mask.set_prediction(self._document.prediction, dim_void=unlabelled)
        self.update()

    def _build(self) -> None:
        """Work for idle moments: what is missing to paint this zoom fast and smooth."""
        if self._photo is None or not self._photo.building:
            self._builder.stop()
        elif self._photo.build():
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
