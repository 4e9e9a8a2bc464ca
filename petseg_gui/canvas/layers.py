"""The photo and the mask at the scale that is shown, painted where exposed.

Zoomed out, both are sampled in levels (mip levels): level n is 2**n times smaller. Only what is
exposed is turned into 32-bit pixels, the one kind that Qt scales fast: so painting costs what the
window's size costs, whatever the image's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from core.editing.box import Box, intersection
from core.labels import BACKGROUND, VOID, LabelScheme
from petseg_gui.canvas.appearance import Appearance, Mode
from petseg_gui.canvas.colours import codes, colour_table, photo_table
from petseg_gui.canvas.view import Size, View

_SMALLEST = 512
_PIXELS_SHOW = 4.0  # from this zoom on the photo's pixels are shown as squares
_BAND_PIXELS = 1 << 17  # made at a time: a few milliseconds
_SPREAD = 2  # samples around what is exposed, for the smoothing
_DIMMED = 0.55  # of the mask's opacity, where nobody painted and only a model speaks
_OVERVIEW = 4  # samples along the side of an overview's pixel

_RED_BLUE = np.uint32(0x00FF00FF)
_ALPHA = np.uint32(0xFF000000)


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
    then pixels picked from a larger one serve.
    """

    def __init__(self, pixels: np.ndarray, appearance: Appearance) -> None:
        """pixels: uint8 RGB, height x width x 3, contiguous; shared, never written."""
        self._size = pixels.shape[1], pixels.shape[0]
        self._levels = [pixels]  # from the second on uint32, RGB32
        self._wanted = 0
        self._next: tuple[np.ndarray, Iterator[bool]] | None = None
        self.set_appearance(appearance)

    @property
    def building(self) -> bool:
        """Whether a level that was wanted is still missing: then ``build`` has work to do."""
        return len(self._levels) <= self._wanted

    def build(self) -> bool:
        """Do a few milliseconds of the missing work; whether a level is ready now."""
        if self._next is None:
            pixels = self._levels[-1]
            height, width = pixels.shape[:2]
            half = np.empty(((height + 1) // 2, (width + 1) // 2), np.uint32)
            self._next = half, _halve(pixels, half)
        level, bands = self._next
        if not next(bands):
            return False
        self._next = None
        self._levels.append(level)
        return True

    def set_appearance(self, appearance: Appearance) -> None:
        """Show it brighter or with more contrast from now on."""
        self._table = photo_table(appearance)

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """Paint what lies in ``exposed`` (device pixels)."""
        self._wanted = level_for(view.zoom, *self._size)
        scale = 1 << self._wanted
        width, height = self._size
        size = -(-width // scale), -(-height // scale)
        part = _exposed_part(view, exposed, scale, size, _SPREAD)
        if part is not None:
            pixels = self._part(part)
            image = _rgb32(pixels)
            if self._table is not None:
                image = _through_table(image, self._table)
            _draw(painter, image, part, scale, view, smooth=view.zoom < _PIXELS_SHOW)

    def overview(self, side: int) -> QImage:
        """The whole photo as it is in the file, neither side longer than ``side``."""
        width, height = self._size
        step = max(1, max(width, height) // (_OVERVIEW * side))
        samples = np.ascontiguousarray(self._levels[0][::step, ::step])
        return _rgb32(samples).scaled(
            QSize(width, height)
            .scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
            .expandedTo(QSize(1, 1)),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )

    def _part(self, box: Box) -> np.ndarray:
        """A part of the wanted level: uint8 RGB, height x width x 3, or uint32 RGB32."""
        x0, y0, x1, y1 = box
        ready = min(self._wanted, len(self._levels) - 1)
        step = 1 << (self._wanted - ready)
        part = self._levels[ready][y0 * step : y1 * step : step, x0 * step : x1 * step : step]
        return np.ascontiguousarray(part)


class MaskLayer:
    """The mask in its colours, painted from the very buffer that is edited.

    Level n is every 2**n-th pixel, taken as it is painted: nothing has to follow the edits.
    """

    def __init__(self, mask: np.ndarray, scheme: LabelScheme, appearance: Appearance) -> None:
        """mask: uint8, height x width, shared."""
        self._mask = mask
        self._prediction: np.ndarray | None = None
        self._dim_void = False
        self.set_appearance(scheme, appearance)

    def set_appearance(self, scheme: LabelScheme, appearance: Appearance) -> None:
        """Show it in other colours, or otherwise, from now on."""
        self._appearance = appearance
        self._table = colour_table(scheme, appearance)

    def set_prediction(self, prediction: np.ndarray | None, dim_void: bool) -> None:
        """Show a prediction (uint8, the mask's size, shared) where the mask is void.

        dim_void: show void, or the prediction there, fainter than what was painted.
        """
        self._prediction = prediction
        self._dim_void = dim_void

    @property
    def spread(self) -> int:
        """How far, in device pixels, a pixel's change may show around it."""
        if self._appearance.mode is Mode.OUTLINE:
            return self._appearance.outline_width + 1
        return 0

    def paint(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """Paint what lies in ``exposed`` (device pixels)."""
        # A class is a class: smoothing enlarged pixels would show borders that are not there.
        if view.zoom > 1:
            self._paint_enlarged(painter, view, exposed)
        else:
            self._paint_level(painter, view, exposed)

    def _paint_level(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        height, width = self._mask.shape
        # Samples may be up to half again as large as device pixels: a mask has no detail to lose.
        scale = 1 << level_for(view.zoom / math.sqrt(2), width, height)
        columns, rows = _samples(scale, width), _samples(scale, height)
        size = len(range(width)[columns]), len(range(height)[rows])
        density = 1 / (view.zoom * scale)  # samples a device pixel
        spread = _SPREAD + math.ceil(self.spread * density)
        part = _exposed_part(view, exposed, scale, size, spread)
        if part is None:
            return
        x0, y0, x1, y1 = part
        for ids, opacity in self._parts(lambda mask: mask[rows, columns][y0:y1, x0:x1]):
            shown = self._codes(ids, (x0, y0), density)
            painter.setOpacity(opacity)
            image = coloured(shown, self._table)
            _draw(painter, image, part, scale, view, smooth=view.zoom < 1)
        painter.setOpacity(1)

    def _paint_enlarged(self, painter: QPainter, view: View, exposed: QRectF) -> None:
        """With a sample for every device pixel."""
        height, width = self._mask.shape
        around = exposed.translated(-view.left, -view.top).toAlignedRect()
        around = around.adjusted(-self.spread, -self.spread, self.spread, self.spread)
        whole = 0, 0, math.ceil(width * view.zoom), math.ceil(height * view.zoom)
        x, y = around.x(), around.y()
        part = intersection((x, y, x + around.width(), y + around.height()), whole)
        if part is None:
            return
        x0, y0, x1, y1 = part
        columns, rows = _nearest(x0, x1, view.zoom, width), _nearest(y0, y1, view.zoom, height)

        def enlarged(mask: np.ndarray) -> np.ndarray:
            pixels = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            taken: np.ndarray = pixels.take(columns - columns[0], axis=1)
            taken = taken.take(rows - rows[0], axis=0)
            return taken

        for ids, opacity in self._parts(enlarged):
            shown = self._codes(ids, (x0, y0), 1.0)
            painter.setOpacity(opacity)
            image = coloured(shown, self._table)
            painter.drawImage(QPoint(view.left + x0, view.top + y0), image)
        painter.setOpacity(1)

    def _parts(
        self, pick: Callable[[np.ndarray], np.ndarray]
    ) -> Iterator[tuple[np.ndarray, float]]:
        """What is painted one over the other: class ids, and how opaque.

        pick: takes the samples of a whole mask that are wanted.
        """
        ids = np.ascontiguousarray(pick(self._mask))
        if not self._dim_void:
            if self._shows(ids):
                yield ids, 1.0
            return
        void = ids == VOID
        seen = ids if self._prediction is None else np.where(void, pick(self._prediction), ids)
        if self._appearance.mode is not Mode.FILL:
            if self._shows(seen):
                yield seen, 1.0
            return
        for where, opacity in ((void, _DIMMED), (~void, 1.0)):
            part = np.where(where, seen, np.uint8(BACKGROUND))
            if part.any():
                yield part, opacity

    def _codes(self, ids: np.ndarray, origin: tuple[int, int], density: float) -> np.ndarray:
        """What is shown of samples: see ``codes``."""
        return codes(ids, self._appearance, origin, density)

    def _shows(self, ids: np.ndarray) -> bool:
        """Whether there is anything to paint: mostly there is only background."""
        return self._appearance.mode is Mode.CUTOUT or bool(ids.any())


def _halve(pixels: np.ndarray, half: np.ndarray) -> Iterator[bool]:
    """Fill ``half`` a band of rows at a time, each pixel the mean of four (at an edge, of two).

    pixels: a level; half: uint32 RGB32. Says each time whether that was the last band.
    """
    height, width = half.shape
    band = max(1, _BAND_PIXELS // width)
    for start in range(0, height, band):
        stop = min(start + band, height)
        rows = pixels[2 * start : 2 * stop]
        image = _rgb32(rows)
        values = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
        if image.height() % 2 or image.width() % 2:
            values = np.pad(values, ((0, image.height() % 2), (0, image.width() % 2)), mode="edge")
        # Two channels at a time: 16 bits hold the sum of four values of 8.
        red_blue, green = _mean(values & _RED_BLUE), _mean(values >> 8 & _RED_BLUE)
        half[start:stop] = red_blue | green << 8 | _ALPHA
        yield stop == height


def _mean(pairs: np.ndarray) -> np.ndarray:
    rows = pairs[::2] + pairs[1::2]
    sums: np.ndarray = rows[:, ::2] + rows[:, 1::2]
    sums += np.uint32(0x00020002)
    sums >>= 2
    sums &= _RED_BLUE
    return sums


def _samples(step: int, length: int) -> slice:
    """Along one axis: which pixels stand for the ``step`` around them."""
    return slice(min(step // 2, length - 1), length, step)


def _nearest(start: int, stop: int, zoom: float, length: int) -> np.ndarray:
    """Along one axis: the pixel that each of some device pixels shows."""
    pixels = ((np.arange(start, stop) + 0.5) / zoom).astype(np.intp)
    return pixels.clip(0, length - 1)


def _exposed_part(view: View, exposed: QRectF, scale: int, size: Size, spread: int) -> Box | None:
    """The box of a level's samples that is exposed, with some around it for the smoothing."""
    x0, y0 = view.to_image(exposed.left(), exposed.top())
    x1, y1 = view.to_image(exposed.right(), exposed.bottom())
    part = (
        math.floor(x0 / scale) - spread,
        math.floor(y0 / scale) - spread,
        math.ceil(x1 / scale) + spread,
        math.ceil(y1 / scale) + spread,
    )
    return intersection(part, (0, 0, *size))


def _draw(painter: QPainter, image: QImage, box: Box, scale: int, view: View, smooth: bool) -> None:
    """Draw a box of a level's samples where it belongs."""
    x0, y0, x1, y1 = box
    x, y = view.to_device(x0 * scale, y0 * scale)
    side = scale * view.zoom
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(QRectF(x, y, (x1 - x0) * side, (y1 - y0) * side), image)


def _rgb32(pixels: np.ndarray) -> QImage:
    """Contiguous RGB (uint8, height x width x 3) or RGB32 (uint32, height x width) pixels.

    The latter are shared: they must live as long as the image.
    """
    height, width = pixels.shape[:2]
    if pixels.ndim == 2:
        return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def coloured(codes: np.ndarray, table: list[int]) -> QImage:
    """Codes (uint8, height x width) in their colours: premultiplied ARGB."""
    height, width = codes.shape
    codes = np.ascontiguousarray(codes)
    image = QImage(codes.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def _through_table(image: QImage, table: list[int]) -> QImage:
    """An RGB32 image with each value replaced by the grey that a table has for it."""
    width, height = image.width(), image.height()
    # To Qt the values are an image of 4 columns a pixel: the fastest look-up there is.
    values = QImage(image.constBits(), 4 * width, height, QImage.Format.Format_Indexed8)
    values.setColorTable(table)
    looked_up = values.convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(looked_up.constBits(), np.uint32).reshape(height, width) | _ALPHA
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()
