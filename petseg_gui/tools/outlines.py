"""Outlines that are drawn by hand: rectangle, ellipse, lasso, polygon."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF

from core.editing import shapes
from core.editing.box import Box
from core.editing.brush import Point
from core.editing.region import Region
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.choosing import operation, use
from petseg_gui.tools.drawing import HANDLE, draw_handle, draw_path, to_device
from petseg_gui.tools.tool import TAKING_KEYS, PointerEvent, Tool, Workbench

_NEAR = 2 * HANDLE  # so close to a vertex, in device pixels, the pointer takes it
_FINEST = 0.5  # a lasso's corners are this far apart at least, in image pixels


class DragTool(Tool):
    """An outline that is drawn in one drag. Esc drops it."""

    uses = ("operation",)
    title = ""

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._points: list[Point] = []
        self._takes_away = False

    @property
    def pending(self) -> bool:
        return bool(self._points)

    def press(self, document: Document, event: PointerEvent) -> None:
        self._points = [(event.x, event.y)]
        self._takes_away = event.takes_away

    def move(self, document: Document, event: PointerEvent) -> None:
        if self._points:
            self.extend(self._points, (event.x, event.y))

    def release(self, document: Document, event: PointerEvent) -> None:
        points, self._points = self._points, []
        if points:
            what = operation(self.options, self._takes_away)
            shape = document.mask.shape
            use(self.bench, document, lambda: self.region(points, shape), what, self.title)

    def cancel(self, document: Document) -> None:
        self._points = []

    def bounds(self, event: PointerEvent) -> QRectF:
        return self.path(self._points).boundingRect() if self._points else QRectF()

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        if self._points:
            draw_path(painter, to_device(view, self.path(self._points)))

    def extend(self, points: list[Point], point: Point) -> None:
        """The pointer has come to a point; two corners are all that most outlines have."""
        points[1:] = [point]

    @abstractmethod
    def region(self, points: list[Point], shape: tuple[int, ...]) -> Region | None:
        """The pixels inside."""

    @abstractmethod
    def path(self, points: list[Point]) -> QPainterPath:
        """The outline, in image coordinates."""


class RectangleTool(DragTool):
    """A rectangle, from corner to corner."""

    title = "Rectangle"

    def region(self, points: list[Point], shape: tuple[int, ...]) -> Region | None:
        return shapes.rectangle(points[0], points[-1], shape)

    def path(self, points: list[Point]) -> QPainterPath:
        path = QPainterPath()
        path.addRect(_between(points))
        return path


class EllipseTool(DragTool):
    """An ellipse, in the box from corner to corner."""

    title = "Ellipse"

    def region(self, points: list[Point], shape: tuple[int, ...]) -> Region | None:
        return shapes.ellipse(points[0], points[-1], shape)

    def path(self, points: list[Point]) -> QPainterPath:
        path = QPainterPath()
        path.addEllipse(_between(points))
        return path


class LassoTool(DragTool):
    """A free outline; it closes where the button is let go."""

    title = "Lasso"

    def extend(self, points: list[Point], point: Point) -> None:
        if math.dist(points[-1], point) >= _FINEST:
            points.append(point)

    def region(self, points: list[Point], shape: tuple[int, ...]) -> Region | None:
        return shapes.polygon(points, shape)

    def path(self, points: list[Point]) -> QPainterPath:
        return polygon_path(points)


class PolygonTool(Tool):
    """An outline set corner by corner.

    A click adds a corner, a corner can be dragged, Backspace removes the last; Enter, a double
    click or a click on the first corner closes the outline, Esc drops it. It is kept while another
    tool is in hand.
    """

    uses = ("operation",)
    title = "Polygon"

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self.corners: list[Point] = []
        self._dragged: int | None = None
        self._takes_away = False

    @property
    def pending(self) -> bool:
        return bool(self.corners)

    def press(self, document: Document, event: PointerEvent) -> None:
        if not self.corners:
            self._takes_away = event.takes_away
        near = self._near(event)
        if event.double or (near == 0 and len(self.corners) > 2):
            self.close(document)
        elif near is not None:
            self._dragged = near
        else:
            self.add(document, (event.x, event.y))

    def move(self, document: Document, event: PointerEvent) -> None:
        if self._dragged is not None:
            self.corners[self._dragged] = event.x, event.y
            self.moved(document, self._dragged)

    def release(self, document: Document, event: PointerEvent) -> None:
        if self._dragged is not None:
            corner, self._dragged = self._dragged, None
            self.dropped(document, corner)

    def take_back(self, document: Document) -> None:
        self.remove_last(document)
        self.bench.repaint()

    def key(self, document: Document, key: Qt.Key) -> bool:
        if not self.corners:
            return False
        if key in TAKING_KEYS:
            self.close(document)
        elif key == Qt.Key.Key_Backspace:
            self.remove_last(document)
        else:
            return False
        self.bench.repaint()
        return True

    def cancel(self, document: Document) -> None:
        self.corners = []
        self._dragged = None

    def close(self, document: Document) -> None:
        """Do with what is inside what is asked; an outline of one or two corners goes on."""
        if len(self.corners) < 3:
            self.bench.tell("An outline needs three corners at least.")
            return
        what = operation(self.options, self._takes_away)
        trace, shape = self.tracing(document), document.mask.shape
        self.cancel(document)
        use(self.bench, document, lambda: shapes.polygon(trace(), shape), what, self.title)

    def add(self, document: Document, corner: Point) -> None:
        """Set another corner."""
        self.corners.append(corner)

    def remove_last(self, document: Document) -> None:
        """Take the last corner back."""
        self.corners.pop()
        self._dragged = None

    def moved(self, document: Document, corner: int) -> None:
        """A corner was dragged; for those who build on this."""

    def dropped(self, document: Document, corner: int) -> None:
        """A corner was let go; for those who build on this."""

    def outline(self) -> list[Point]:
        """The points of the outline so far."""
        return list(self.corners)

    def tracing(self, document: Document) -> Callable[[], list[Point]]:
        """What gives the points of the closed outline; called off the window's thread."""
        points = self.outline()
        return lambda: points

    def lead(self, event: PointerEvent) -> list[Point]:
        """From the last corner to the pointer."""
        return [(event.x, event.y)]

    def bounds(self, event: PointerEvent) -> QRectF:
        if not self.corners:
            return QRectF()
        points = self.outline()
        if not event.away:
            points += self.lead(event)
        room = _NEAR / max(event.zoom, 1e-6)
        return polygon_path(points).boundingRect().adjusted(-room, -room, room, room)

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        if not self.corners:
            return
        points = self.outline()
        if self._dragged is None and not event.away:
            points += self.lead(event)
        path = polygon_path(points, closed=self._dragged is not None)
        draw_path(painter, to_device(view, path))
        near = self._near(event)
        for number, corner in enumerate(self.corners):
            draw_handle(painter, view.to_device(*corner), filled=number == near)

    def _near(self, event: PointerEvent) -> int | None:
        """The corner under the pointer."""
        if event.away:
            return None
        at = (event.x, event.y)
        distances = [math.dist(corner, at) * event.zoom for corner in self.corners]
        nearest = min(range(len(distances)), key=distances.__getitem__, default=None)
        return nearest if nearest is not None and distances[nearest] <= _NEAR else None


def polygon_path(points: list[Point], closed: bool = True) -> QPainterPath:
    """Points in image coordinates as a path."""
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(*point) for point in points]))
    if closed:
        path.closeSubpath()
    return path


def box_path(corners: Sequence[Point], box: Box | None) -> QPainterPath:
    """The box that is being drawn between two corners, else the one that was drawn, as a path."""
    path = QPainterPath()
    if corners:
        path.addRect(QRectF(QPointF(*corners[0]), QPointF(*corners[1])))
    elif box is not None:
        x0, y0, x1, y1 = box
        path.addRect(x0, y0, x1 - x0, y1 - y0)
    return path


def _between(points: list[Point]) -> QRectF:
    return QRectF(QPointF(*points[0]), QPointF(*points[-1])).normalized()
