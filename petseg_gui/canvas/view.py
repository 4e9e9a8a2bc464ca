"""Where the image lies in the canvas: zoom and offset, in device pixels. Pure geometry."""

from __future__ import annotations

from dataclasses import dataclass

Size = tuple[int, int]
Point = tuple[float, float]

MIN_ZOOM = 0.01
MAX_ZOOM = 64.0
_MARGIN = 12


@dataclass(frozen=True)
class View:
    """Image point (x, y) lies at device pixel (left + x * zoom, top + y * zoom).

    left and top are whole numbers, so that at 100 % image pixels are device pixels.
    """

    zoom: float = 1.0
    left: int = 0
    top: int = 0

    def to_device(self, x: float, y: float) -> Point:
        return self.left + x * self.zoom, self.top + y * self.zoom

    def to_image(self, x: float, y: float) -> Point:
        return (x - self.left) / self.zoom, (y - self.top) / self.zoom


def fit(image: Size, canvas: Size) -> View:
    """The whole image, as large as the canvas shows it, in its middle."""
    room = [max(1, side - 2 * _MARGIN) for side in canvas]
    zoom = _clamp_zoom(min(room[0] / image[0], room[1] / image[1]))
    return View(
        zoom,
        round((canvas[0] - image[0] * zoom) / 2),
        round((canvas[1] - image[1] * zoom) / 2),
    )


def zoomed(view: View, zoom: float, anchor: Point, image: Size, canvas: Size) -> View:
    """Another zoom, with what lies at ``anchor`` (device pixels) left where it is."""
    zoom = _clamp_zoom(zoom)
    x, y = view.to_image(*anchor)
    moved = View(zoom, round(anchor[0] - x * zoom), round(anchor[1] - y * zoom))
    return _held(moved, image, canvas)


def panned(view: View, dx: float, dy: float, image: Size, canvas: Size) -> View:
    """The image moved by (dx, dy) device pixels, as far as it stays in sight."""
    return _held(View(view.zoom, round(view.left + dx), round(view.top + dy)), image, canvas)


def resized(view: View, old: Size, new: Size, image: Size) -> View:
    """The same part of the image in the middle of a canvas of another size."""
    return panned(view, (new[0] - old[0]) / 2, (new[1] - old[1]) / 2, image, new)


def _held(view: View, image: Size, canvas: Size) -> View:
    """The canvas's middle always shows some of the image, so that it cannot be lost."""
    return View(
        view.zoom,
        _clamp(view.left, canvas[0] / 2 - image[0] * view.zoom, canvas[0] / 2),
        _clamp(view.top, canvas[1] / 2 - image[1] * view.zoom, canvas[1] / 2),
    )


def _clamp(value: float, low: float, high: float) -> int:
    return round(min(max(value, low), high))


def _clamp_zoom(zoom: float) -> float:
    return min(max(zoom, MIN_ZOOM), MAX_ZOOM)
