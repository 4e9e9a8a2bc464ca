"""Lines that are seen on any photo, and regions shown over it. In device pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QTransform, qRgba

from core.editing.box import Box
from core.editing.change import UNCHANGED
from core.editing.region import Region
from core.labels import BACKGROUND, VOID, LabelScheme
from petseg_gui.canvas.colours import VOID_COLOUR
from petseg_gui.canvas.view import Point, View

_DARK = QColor(0, 0, 0, 160)  # premultiplied as it stands
_LIGHT = QColor(255, 255, 255)
_TINT_ALPHA = 130
_REMOVED = (213, 60, 60)
_BELONGS = (0, 158, 115)
HANDLE = 4.0
"""Half the side of a vertex's handle, in device pixels."""


def draw_circle(painter: QPainter, centre: Point, radius: float) -> None:
    """A circle that is seen on any photo."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    # Qt draws three lines of one pixel ten times faster than one of three, and this is drawn anew
    # at each move of a brush.
    for colour, away in ((_DARK, -1.0), (_DARK, 1.0), (_LIGHT, 0.0)):
        painter.setPen(QPen(colour, 1.0))
        painter.drawEllipse(QPointF(*centre), max(radius + away, 0.0), max(radius + away, 0.0))


def draw_line(painter: QPainter, start: Point, end: Point) -> None:
    """A line that is seen on any photo."""
    _draw(painter, lambda: painter.drawLine(QPointF(*start), QPointF(*end)))


def draw_path(painter: QPainter, path: QPainterPath) -> None:
    """An outline (in device pixels) that is seen on any photo."""
    _draw(painter, lambda: painter.drawPath(path))


def draw_mark(painter: QPainter, path: QPainterPath, width: float, belongs: bool) -> None:
    """A stroke that says of what it passes over whether it belongs to the object."""
    colour = QColor(*(_BELONGS if belongs else _REMOVED), 160)
    round_ = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.strokePath(path, QPen(colour, width, Qt.PenStyle.SolidLine, *round_))


def draw_handle(painter: QPainter, at: Point, filled: bool) -> None:
    """The square by which a vertex is dragged."""
    painter.setPen(QPen(_DARK, 1.0))
    painter.setBrush(_LIGHT if filled else QColor(255, 255, 255, 120))
    painter.drawRect(QRectF(at[0] - HANDLE, at[1] - HANDLE, 2 * HANDLE, 2 * HANDLE))


def to_device(view: View, path: QPainterPath) -> QPainterPath:
    """A path in image coordinates -> device pixels."""
    return QTransform(view.zoom, 0, 0, view.zoom, view.left, view.top).map(path)


class Shade:
    """Some pixels shown over the image: tinted, with a border that is seen on any photo.

    Made at the window's resolution as it is painted, so it costs what is exposed, however large or
    ragged it is.
    """

    def __init__(self, box: Box, pixels: np.ndarray, nothing: int, tints: np.ndarray) -> None:
        """pixels: uint8, the size of the box, kept; ``nothing`` where nothing is shown.

        tints: uint32, 256, the colour (premultiplied ARGB) of each value.
        """
        x0, y0, x1, y1 = box
        self.rect = QRectF(x0, y0, x1 - x0, y1 - y0)
        self._box = box
        self._pixels = pixels
        self._nothing = nothing
        self._tints = tints

    def paint(self, painter: QPainter, view: View) -> None:
        left, top = view.to_device(self.rect.left(), self.rect.top())
        width, height = self.rect.width() * view.zoom, self.rect.height() * view.zoom
        around = QRectF(left, top, width, height).adjusted(-1, -1, 1, 1)
        area = around.intersected(_exposed(painter)).toAlignedRect()
        if area.isEmpty():
            return
        shown = self._samples(area, view)
        inside = shown != self._nothing
        middle = inside[1:-1, 1:-1]
        sides = inside[:-2, 1:-1], inside[2:, 1:-1], inside[1:-1, :-2], inside[1:-1, 2:]
        colours = self._tints.take(shown[1:-1, 1:-1])
        colours[middle & ~np.logical_and.reduce(sides)] = _LIGHT.rgba()
        colours[~middle & np.logical_or.reduce(sides)] = _DARK.rgba()
        image = QImage(
            colours.data,
            area.width(),
            area.height(),
            4 * area.width(),
            QImage.Format.Format_ARGB32_Premultiplied,
        )
        painter.drawImage(area.topLeft(), image)

    def _samples(self, area: QRect, view: View) -> np.ndarray:
        """What is under each device pixel of an area, and one more at each side."""
        x0, y0, x1, y1 = self._box
        columns = _under(area.left(), area.width(), view.left, view.zoom) - x0
        rows = _under(area.top(), area.height(), view.top, view.zoom) - y0
        within = (columns >= 0) & (columns < x1 - x0), (rows >= 0) & (rows < y1 - y0)
        shown = np.full((len(rows), len(columns)), self._nothing, np.uint8)
        found = self._pixels.take(rows[within[1]], axis=0).take(columns[within[0]], axis=1)
        shown[np.ix_(within[1], within[0])] = found
        return shown


def shade_of_changes(box: Box, pixels: np.ndarray, scheme: LabelScheme) -> Shade:
    """Pixels in the classes they would get, as ``core.editing.change.changes`` gives them."""
    tints = np.zeros(256, np.uint32)
    for label in scheme.classes:
        tints[label.id] = _tint(label.colour)
    tints[BACKGROUND] = _tint(_REMOVED)  # it has no colour of its own
    tints[VOID] = _tint(VOID_COLOUR)
    return Shade(box, pixels, UNCHANGED, tints)


def shade_of_selection(region: Region) -> Shade:
    """The border of what is selected."""
    return Shade(region.box, region.inside.view(np.uint8), 0, np.zeros(256, np.uint32))


def _tint(colour: tuple[int, int, int]) -> int:
    """An RGB colour as premultiplied ARGB."""
    red, green, blue = (value * _TINT_ALPHA // 255 for value in colour)
    return qRgba(red, green, blue, _TINT_ALPHA)


def _under(first: int, count: int, offset: int, zoom: float) -> np.ndarray:
    """Along one axis: the image pixel under each of some device pixels, and one at each side."""
    middles = np.arange(first - 1, first + count + 1) + 0.5
    pixels: np.ndarray = np.floor((middles - offset) / zoom).astype(np.intp)
    return pixels


def _exposed(painter: QPainter) -> QRectF:
    """What there is to paint, in device pixels."""
    if painter.hasClipping():
        return painter.clipBoundingRect()
    inverted, _ = painter.worldTransform().inverted()
    return inverted.mapRect(QRectF(painter.viewport()))


def _draw(painter: QPainter, draw: Callable[[], None]) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    # White inside black is seen on any photo.
    for colour, width in ((_DARK, 3.0), (_LIGHT, 1.0)):
        painter.setPen(QPen(colour, width))
        draw()
