"""The photo and the mask as images at several scales (mip levels), painted where exposed.

Level n is 2**n times smaller. All images share their pixels with NumPy arrays: level 0 of the
mask is the very buffer that is edited.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from core.editing.box import Box
from petseg_gui.canvas.view import View

_SMALLEST = 512
_PIXELS_SHOW = 4.0  # from this zoom on the photo's pixels are shown as squares
_BAND_PIXELS = 1 << 17  # made at a time: a few milliseconds


def level_for(zoom: float, width: int, height: int) -> int:
    """The smallest level that still has a pixel for every device pixel."""
    if zoom >= 1:
        return 0
    wanted = math.floor(-math.log2(zoom) + 1e-9)
    deepest = math.ceil(math.log2(max(1.0, max(width, height) / _SMALLEST)))
    return min(wanted, deepest)


class PhotoLayer:
    """The photo. Level n is the mean of level n - 1's pixels, four by four.

    Smaller levels are built a band at a time, by ``build``, once ``paint`` wanted them; until
    then the next larger one serves.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        """pixels: uint8 RGB, height x width x 3, contiguous; shared, never written."""
        self._size = pixels.shape[1], pixels.shape[0]
        self._levels = [pixels]
        self._wanted = 0
        self._next: tuple[np.ndarray, Iterator[bool]] | None = None

    @property
    def building(self) -> bool:
        """Whether a level that was wanted is still missing: then ``build`` has work to do."""
        return len(self._levels) <= self._wanted

    def build(self) -> bool:
        """Do a few milliseconds of the missing work; whether a level is ready now."""
        if self._next is None:
            pixels = self._levels[-1]
            height, width = pixels.shape[:2]
            half = np.empty(((height + 1) // 2, (width + 1) // 2, 3), np.uint8)
            self._next = half, _in_bands(half, partial(_halve, pixels, half))
        level, bands = self._next
        if not next(bands):
            return False
        self._next = None
        self._levels.append(level)
        return True

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """Paint what lies in ``exposed`` (device pixels)."""
        self._wanted = level_for(view.zoom, *self._size)
        level = min(self._wanted, len(self._levels) - 1)
        pixels = self._levels[level]
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        _paint(painter, image, 1 << level, view, exposed, smooth=view.zoom < _PIXELS_SHOW)


class MaskLayer:
    """The mask in its colours. Level n holds every 2**n-th pixel; built like the photo's."""

    def __init__(self, mask: np.ndarray, colours: list[int]) -> None:
        """mask: uint8, height x width, contiguous: shared; colours: 256 QRgb by class id."""
        self._mask = mask
        self._colours = colours
        self._levels = {0: mask}  # with the one that is being built
        self._wanted = 0
        self._next: tuple[int, Iterator[bool]] | None = None
        self._images = {0: self._image(mask)}  # of the levels that are ready

    @property
    def building(self) -> bool:
        """Whether a level that was wanted is still missing: then ``build`` has work to do."""
        return self._wanted not in self._images

    def build(self) -> bool:
        """Do a few milliseconds of the missing work; whether a level is ready now."""
        if self._next is None:
            height, width = self._mask.shape
            rows, _ = _samples(self._wanted, 0, height, height)
            columns, _ = _samples(self._wanted, 0, width, width)
            pixels = np.empty((rows.stop, columns.stop), np.uint8)
            self._levels[self._wanted] = pixels
            fill = partial(_sample, self._mask, pixels, self._wanted)
            self._next = self._wanted, _in_bands(pixels, fill)
        level, bands = self._next
        if not next(bands):
            return False
        self._next = None
        self._images[level] = self._image(self._levels[level])
        return True

    def set_colours(self, colours: list[int]) -> None:
        self._colours = colours
        # An image that is given another table may detach, silently, from the pixels it shares.
        self._images = {level: self._image(self._levels[level]) for level in self._images}

    def refresh(self, box: Box) -> None:
        """The mask changed in ``box``: bring the smaller levels up to date there."""
        x0, y0, x1, y1 = box
        height, width = self._mask.shape
        for level, pixels in self._levels.items():
            if level:
                rows, from_rows = _samples(level, y0, y1, height)
                columns, from_columns = _samples(level, x0, x1, width)
                pixels[rows, columns] = self._mask[from_rows, from_columns]

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """Paint what lies in ``exposed`` (device pixels)."""
        height, width = self._mask.shape
        self._wanted = level_for(view.zoom, width, height)
        level = max(ready for ready in self._images if ready <= self._wanted)
        # A class is a class: smoothing enlarged pixels would show borders that are not there.
        _paint(painter, self._images[level], 1 << level, view, exposed, smooth=view.zoom < 1)

    def _image(self, pixels: np.ndarray) -> QImage:
        height, width = pixels.shape
        image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(self._colours)
        return image


def _in_bands(pixels: np.ndarray, fill: Callable[[int, int], None]) -> Iterator[bool]:
    """Fill an image's rows a band at a time; says each time whether that was the last."""
    height, width = pixels.shape[:2]
    band = max(1, _BAND_PIXELS // width)
    for start in range(0, height, band):
        stop = min(start + band, height)
        fill(start, stop)
        yield stop == height


def _halve(pixels: np.ndarray, half: np.ndarray, start: int, stop: int) -> None:
    """Rows start..stop of half the size: each pixel the mean of four (at an edge, of two)."""
    wide = pixels[2 * start : 2 * stop].astype(np.uint16)
    odd = wide.shape[0] % 2, wide.shape[1] % 2
    if any(odd):
        wide = np.pad(wide, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
    sums = wide[::2] + wide[1::2]
    half[start:stop] = (sums[:, ::2] + sums[:, 1::2] + 2) >> 2


def _sample(mask: np.ndarray, pixels: np.ndarray, level: int, start: int, stop: int) -> None:
    """Rows start..stop of a level of the mask."""
    height, width = mask.shape
    _, rows = _samples(level, 0, height, height)
    _, columns = _samples(level, 0, width, width)
    pixels[start:stop] = mask[rows, columns][start:stop]


def _samples(level: int, start: int, stop: int, length: int) -> tuple[slice, slice]:
    """Along one axis: the level's pixels that sample start..stop, and the pixels they sample."""
    step = 1 << level
    offset = min(step // 2, length - 1)
    first = max(0, -((offset - start) // step))
    last = max(first, -((offset - stop) // step))
    return slice(first, last), slice(first * step + offset, stop, step)


def _paint(
    painter: QPainter, image: QImage, scale: int, view: View, exposed: QRectF, smooth: bool
) -> None:
    """Paint the exposed part of one level, with two pixels around it for the smoothing."""
    x0, y0 = view.to_image(exposed.left(), exposed.top())
    x1, y1 = view.to_image(exposed.right(), exposed.bottom())
    left, top = max(0, math.floor(x0 / scale) - 2), max(0, math.floor(y0 / scale) - 2)
    right = min(image.width(), math.ceil(x1 / scale) + 2)
    bottom = min(image.height(), math.ceil(y1 / scale) + 2)
    if left >= right or top >= bottom:
        return
    x, y = view.to_device(left * scale, top * scale)
    width, height = (right - left) * scale * view.zoom, (bottom - top) * scale * view.zoom
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(
        QRectF(x, y, width, height), image, QRectF(left, top, right - left, bottom - top)
    )
