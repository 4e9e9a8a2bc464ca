from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from core.labels import TRIMAP, VOID
from petseg_gui.canvas.colours import colour_table
from petseg_gui.canvas.layers import MaskLayer, PhotoLayer, level_for
from petseg_gui.canvas.view import View


def render(layer: PhotoLayer | MaskLayer, zoom: float, width: int, height: int) -> np.ndarray:
    """RGB, height x width x 3, of the layer painted over white from its corner."""
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor("white"))
    painter = QPainter(image)
    layer.paint(painter, View(zoom), QRectF(0, 0, width, height))
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return rows[:, : 3 * width].reshape(height, width, 3).astype(int)


def build(layer: PhotoLayer | MaskLayer) -> None:
    while layer.building:
        layer.build()


def noisy(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("zoom", "size", "level"),
    [(4.0, 9000, 0), (1.0, 9000, 0), (0.51, 9000, 0), (0.5, 9000, 1), (0.26, 9000, 1),
     (0.25, 9000, 2), (0.01, 9000, 5), (0.1, 500, 0)],
)  # fmt: skip
def test_a_level_has_a_pixel_for_every_pixel_of_the_screen(
    zoom: float, size: int, level: int
) -> None:
    assert level_for(zoom, size, 40) == level


def test_at_100_percent_the_photo_is_shown_pixel_for_pixel() -> None:
    pixels = noisy(41, 53)
    assert np.array_equal(render(PhotoLayer(pixels), 1.0, 53, 41), pixels)


def test_zoomed_in_far_the_pixels_are_not_smoothed() -> None:
    pixels = noisy(11, 13)
    shown = render(PhotoLayer(pixels), 4.0, 52, 44)
    assert np.array_equal(shown, pixels.repeat(4, axis=0).repeat(4, axis=1))


def test_a_small_photo_that_fills_the_window_is_smooth() -> None:
    pixels = noisy(11, 13)
    shown = render(PhotoLayer(pixels), 3.0, 39, 33)
    assert not np.array_equal(shown, pixels.repeat(3, axis=0).repeat(3, axis=1))


@pytest.mark.parametrize(("height", "width"), [(1100, 1300), (1101, 1303), (1, 2001)])
def test_zoomed_out_the_photo_is_the_mean_of_the_pixels_it_stands_for(
    height: int, width: int
) -> None:
    pixels = noisy(height, width)
    layer = PhotoLayer(pixels)
    render(layer, 0.5, width // 2, max(1, height // 2))  # asks for the level
    assert layer.building
    build(layer)
    shown = render(layer, 0.5, width // 2, max(1, height // 2))
    rows, columns = height // 2 * 2 or 1, width // 2 * 2
    means = pixels[:rows, :columns].reshape(max(1, rows // 2), -1, columns // 2, 2, 3)
    assert np.abs(shown - means.mean(axis=(1, 3))).max() <= 1


def test_a_photo_in_pieces_of_work_is_whole_in_the_end() -> None:
    pixels = np.full((3000, 2000, 3), 77, np.uint8)
    layer = PhotoLayer(pixels)
    render(layer, 0.25, 8, 8)
    ready = [layer.build() for _ in iter(lambda: layer.building, False)]
    assert ready.count(True) == 2
    assert ready.count(False) > 4  # each piece is small
    assert (render(layer, 0.25, 500, 750) == 77).all()


def test_the_mask_follows_the_buffer_without_being_told_and_through_new_colours() -> None:
    mask = np.zeros((30, 40), np.uint8)
    layer = MaskLayer(mask, colour_table(TRIMAP, 1.0))
    assert (render(layer, 1.0, 40, 30) == 255).all()
    mask[5:10, 6:20] = 1
    assert (render(layer, 1.0, 40, 30)[5:10, 6:20] == TRIMAP.classes[1].colour).all()
    layer.set_colours(colour_table(TRIMAP, 0.0))
    assert (render(layer, 1.0, 40, 30) == 255).all()
    mask[5:10, 6:20] = 2
    layer.set_colours(colour_table(TRIMAP, 1.0))
    assert (render(layer, 1.0, 40, 30)[5:10, 6:20] == TRIMAP.classes[2].colour).all()
    mask[0, 0] = VOID
    assert tuple(render(layer, 1.0, 40, 30)[0, 0]) == (128, 128, 128)


@pytest.mark.parametrize("zoom", [0.5, 0.25, 0.125])
@pytest.mark.parametrize(("height", "width"), [(4100, 4200), (4099, 4203), (1, 4200), (4200, 3)])
def test_a_smaller_level_refreshed_in_a_box_is_as_one_built_anew(
    height: int, width: int, zoom: float
) -> None:
    rng = np.random.default_rng(1)
    mask = rng.integers(0, 2, (height, width), dtype=np.uint8)
    colours = colour_table(TRIMAP, 1.0)
    size = max(1, int(width * zoom)), max(1, int(height * zoom))
    layer = MaskLayer(mask, colours)
    render(layer, zoom, *size)
    layer.build()  # the first boxes come while it is half built
    for n in range(12):
        if n == 6:
            build(layer)
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        box = x, y, min(width, x + int(rng.integers(1, 90))), min(height, y + 1 + 7 * n)
        mask[box[1] : box[3], box[0] : box[2]] = 2
        layer.refresh(box)
    fresh = MaskLayer(mask, colours)
    render(fresh, zoom, *size)
    build(fresh)
    assert np.array_equal(render(layer, zoom, *size), render(fresh, zoom, *size))


def test_background_and_unknown_ids_show_nothing() -> None:
    table = [QColor.fromRgba(entry) for entry in colour_table(TRIMAP, 0.4)]
    assert len(table) == 256
    assert [n for n, colour in enumerate(table) if colour.alpha()] == [1, 2, VOID]
    assert {table[n].alpha() for n in (1, 2, VOID)} == {102}
