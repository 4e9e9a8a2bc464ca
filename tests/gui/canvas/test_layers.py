from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from core.labels import TRIMAP, VOID, LabelScheme
from petseg_gui.canvas.appearance import Appearance, Colours, Mode
from petseg_gui.canvas.layers import MaskLayer, PhotoLayer, level_for
from petseg_gui.canvas.view import View

PLAIN = Appearance()
OPAQUE = Appearance(opacity=1.0)
PET, BORDER = TRIMAP.classes[1].colour, TRIMAP.classes[2].colour
WHITE = (255, 255, 255)


def render(layer: PhotoLayer | MaskLayer, zoom: float, width: int, height: int) -> np.ndarray:
    """RGB, height x width x 3, of the layer painted over white from its corner."""
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor("white"))
    painter = QPainter(image)
    layer.paint(painter, View(zoom), QRectF(0, 0, width, height))
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return rows[:, : 3 * width].reshape(height, width, 3).astype(int)


def build(layer: PhotoLayer) -> None:
    while layer.building:
        layer.build()


def photo(pixels: np.ndarray, appearance: Appearance = PLAIN) -> PhotoLayer:
    return PhotoLayer(pixels, appearance)


def opaque_mask(mask: np.ndarray, appearance: Appearance = OPAQUE) -> MaskLayer:
    return MaskLayer(mask, TRIMAP, appearance)


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
    assert np.array_equal(render(photo(pixels), 1.0, 53, 41), pixels)


def test_zoomed_in_far_the_pixels_are_not_smoothed() -> None:
    pixels = noisy(11, 13)
    shown = render(photo(pixels), 4.0, 52, 44)
    assert np.array_equal(shown, pixels.repeat(4, axis=0).repeat(4, axis=1))


def test_a_small_photo_that_fills_the_window_is_smooth() -> None:
    pixels = noisy(11, 13)
    shown = render(photo(pixels), 3.0, 39, 33)
    assert not np.array_equal(shown, pixels.repeat(3, axis=0).repeat(3, axis=1))


@pytest.mark.parametrize(("height", "width"), [(1100, 1300), (1101, 1303), (1, 2001)])
def test_zoomed_out_the_photo_is_the_mean_of_the_pixels_it_stands_for(
    height: int, width: int
) -> None:
    pixels = noisy(height, width)
    layer = photo(pixels)
    render(layer, 0.5, width // 2, max(1, height // 2))  # asks for the level
    assert layer.building
    build(layer)
    shown = render(layer, 0.5, width // 2, max(1, height // 2))
    rows, columns = height // 2 * 2 or 1, width // 2 * 2
    means = pixels[:rows, :columns].reshape(max(1, rows // 2), -1, columns // 2, 2, 3)
    assert np.abs(shown - means.mean(axis=(1, 3))).max() <= 1


def test_a_photo_in_pieces_of_work_is_whole_in_the_end() -> None:
    pixels = np.full((3000, 2000, 3), 77, np.uint8)
    layer = photo(pixels)
    render(layer, 0.25, 8, 8)
    ready = [layer.build() for _ in iter(lambda: layer.building, False)]
    assert ready.count(True) == 2
    assert ready.count(False) > 4  # each piece is small
    assert (render(layer, 0.25, 500, 750) == 77).all()


def test_until_a_smaller_level_is_ready_the_photo_is_shown_coarsely_but_in_its_place() -> None:
    y, x = np.mgrid[:1400, :2100]
    pixels = np.stack([x // 9, y // 6, (x + y) // 14], axis=2).astype(np.uint8)  # smooth
    layer = photo(pixels)
    for zoom in (0.5, 0.26, 0.25, 0.3):
        size = int(2100 * zoom), int(1400 * zoom)
        coarse = render(layer, zoom, *size)
        assert layer.building
        fresh = photo(pixels)
        render(fresh, zoom, *size)
        build(fresh)
        assert np.abs(coarse - render(fresh, zoom, *size)).max() <= 4


@pytest.mark.parametrize("zoom", [0.3, 1.0, 3.0])
def test_the_photo_alone_is_brightened_or_given_more_contrast(zoom: float) -> None:
    pixels = np.zeros((1300, 1100, 3), np.uint8)
    pixels[:, :550], pixels[:, 550:] = (120, 60, 200), (140, 130, 255)
    layer = photo(pixels)
    width, height = int(1100 * zoom), int(1300 * zoom)
    render(layer, zoom, width, height)
    build(layer)

    def left_and_right(appearance: Appearance) -> tuple[list[int], list[int]]:
        layer.set_appearance(appearance)
        shown = render(layer, zoom, width, height)[height // 2]
        return shown[width // 4].tolist(), shown[-width // 4].tolist()

    assert left_and_right(PLAIN) == ([120, 60, 200], [140, 130, 255])
    brighter = left_and_right(Appearance(brightness=0.5))
    assert brighter == ([184, 124, 255], [204, 194, 255])
    darker = left_and_right(Appearance(brightness=-0.5))
    assert darker == ([56, 0, 136], [76, 66, 191])
    stronger = left_and_right(Appearance(contrast=0.5))
    assert stronger == ([112, 0, 255], [152, 132, 255])


def test_the_mask_follows_the_buffer_without_being_told_and_through_new_colours() -> None:
    mask = np.zeros((30, 40), np.uint8)
    layer = opaque_mask(mask)
    assert (render(layer, 1.0, 40, 30) == 255).all()
    mask[5:10, 6:20] = 1
    assert (render(layer, 1.0, 40, 30)[5:10, 6:20] == PET).all()
    layer.set_appearance(TRIMAP, Appearance(opacity=0.0))
    assert (render(layer, 1.0, 40, 30) == 255).all()
    mask[5:10, 6:20] = 2
    layer.set_appearance(TRIMAP, OPAQUE)
    assert (render(layer, 1.0, 40, 30)[5:10, 6:20] == BORDER).all()


@pytest.mark.parametrize("zoom", [0.05, 0.25, 0.4, 0.6])
@pytest.mark.parametrize(("height", "width"), [(4100, 4200), (4099, 4203), (1, 4200), (4200, 3)])
def test_zoomed_out_the_mask_is_where_the_photo_is(height: int, width: int, zoom: float) -> None:
    mask = np.ones((height, width), np.uint8)
    mask[: height // 2, : width // 2] = 2
    shown = render(opaque_mask(mask), zoom, max(1, int(width * zoom)), max(1, int(height * zoom)))
    rows, columns = shown.shape[:2]
    edge = 3
    assert (shown[rows // 2 + edge :, : columns // 2 - edge] == PET).all()
    assert (shown[: rows // 2 - edge, columns // 2 + edge :] == PET).all()
    assert (shown[: rows // 2 - edge, : columns // 2 - edge] == BORDER).all()


@pytest.mark.parametrize("zoom", [1.5, 2.0, 8.0])
def test_zoomed_in_each_pixel_of_the_mask_is_a_square(zoom: float) -> None:
    mask = np.random.default_rng(0).integers(0, 3, (20, 30), dtype=np.uint8)
    shown = render(opaque_mask(mask), zoom, int(30 * zoom), int(20 * zoom))
    centres = [(np.arange(n) + 0.5) * zoom for n in mask.shape]
    at = shown[centres[0].astype(int)][:, centres[1].astype(int)]
    colours = np.array([WHITE, PET, BORDER])
    assert np.array_equal(at, colours[mask])
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 3  # nothing is smoothed


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("zoom", [0.3, 0.8, 1.0, 2.7])
def test_painted_in_parts_it_looks_as_painted_at_once(mode: Mode, zoom: float) -> None:
    mask = np.random.default_rng(0).integers(0, 3, (40, 40), dtype=np.uint8).repeat(20, 0)
    mask = mask.repeat(20, 1)
    mask[300:500, 100:700] = VOID
    layer = opaque_mask(mask, Appearance(mode=mode, outline_width=5, opacity=0.7))
    side = int(600 * zoom)
    whole = render(layer, zoom, side, side)
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    for y in range(0, side, 97):
        for x in range(0, side, 61):
            painter.setClipRect(x, y, 61, 97)
            layer.paint(painter, View(zoom), QRectF(x, y, 61, 97))
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(side, side, 4)
    assert np.abs(rows[..., 2::-1].astype(int) - whole).max() <= 1


@pytest.mark.parametrize("width", [1, 3, 10])
@pytest.mark.parametrize("zoom", [1.0, 4.0])
def test_an_outline_is_as_wide_as_it_should_be_and_inside_the_class(
    zoom: float, width: int
) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[20:80, 30:70] = 1
    appearance = Appearance(mode=Mode.OUTLINE, outline_width=width, opacity=0.1)
    side = int(100 * zoom)
    shown = (render(opaque_mask(mask, appearance), zoom, side, side) == PET).all(axis=2)
    top, bottom, left, right = (int(edge * zoom) for edge in (20, 80, 30, 70))
    wanted = np.zeros((side, side), bool)
    wanted[top:bottom, left:right] = True
    wanted[top + width : bottom - width, left + width : right - width] = False
    assert np.array_equal(shown, wanted)


def test_the_outlines_of_two_classes_meet_each_in_its_own_colour() -> None:
    mask = np.ones((40, 40), np.uint8)
    mask[:, 20:] = 2
    appearance = Appearance(mode=Mode.OUTLINE, outline_width=2)
    row = render(opaque_mask(mask, appearance), 1.0, 40, 40)[20]
    assert [tuple(colour) for colour in row[17:23]] == [WHITE, PET, PET, BORDER, BORDER, WHITE]


@pytest.mark.parametrize("zoom", [0.5, 1.0, 3.0])
def test_a_cut_out_has_a_checkerboard_where_the_background_is(zoom: float) -> None:
    mask = np.zeros((200, 200), np.uint8)
    mask[100:] = 1
    side = int(200 * zoom)
    shown = render(opaque_mask(mask, Appearance(mode=Mode.CUTOUT)), zoom, side, side)
    inner = shown[side // 2 + 2 :]
    assert (inner == 255).all()  # the photo (here: white paper) shows through
    board = np.unique(shown[: side // 2 - 2].reshape(-1, 3), axis=0)
    assert board[0].tolist() == [204, 204, 204]
    assert board[-1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", list(Mode))
def test_void_is_hatched_in_every_mode(mode: Mode) -> None:
    mask = np.ones((60, 60), np.uint8)
    mask[:, 30:] = VOID
    appearance = Appearance(mode=mode, opacity=1.0, outline_width=10)
    shown = render(opaque_mask(mask, appearance), 1.0, 60, 60)
    hatched = {tuple(colour) for colour in shown[:, 31:39].reshape(-1, 3).tolist()}
    plain = {tuple(colour) for colour in shown[:, 21:29].reshape(-1, 3).tolist()}
    assert len(hatched) == 2
    assert len(plain) == 1


def test_background_and_unknown_ids_show_nothing() -> None:
    mask = np.arange(256, dtype=np.uint8).reshape(16, 16)
    mask[mask == 254] = 0  # is in no mask
    shown = render(opaque_mask(mask, Appearance(opacity=0.4)), 1.0, 16, 16).reshape(256, 3)
    assert [n for n in range(256) if shown[n].tolist() != [255, 255, 255]] == [1, 2, VOID]


def test_colours_that_everybody_tells_apart_can_stand_in_for_the_scheme_s_own() -> None:
    scheme = LabelScheme(
        "mine", (TRIMAP.classes[0], replace(TRIMAP.classes[1], colour=(250, 10, 10)))
    )
    mask = np.ones((4, 4), np.uint8)
    layer = MaskLayer(mask, scheme, OPAQUE)
    assert (render(layer, 1.0, 4, 4) == (250, 10, 10)).all()
    layer.set_appearance(scheme, replace(OPAQUE, colours=Colours.SAFE))
    assert (render(layer, 1.0, 4, 4) == PET).all()


def test_the_overview_is_the_whole_photo_in_its_proportions() -> None:
    pixels = np.zeros((3000, 5000, 3), np.uint8)
    pixels[:1500] = 200
    seen = photo(pixels).overview(200)
    assert (seen.width(), seen.height()) == (200, 120)
    assert seen.pixelColor(100, 30).red() == 200
    assert seen.pixelColor(100, 90).red() == 0
    thin = photo(np.zeros((1, 5000, 3), np.uint8)).overview(100)
    assert (thin.width(), thin.height()) == (100, 1)


@pytest.mark.parametrize("mode", [Mode.OUTLINE, Mode.CUTOUT])
@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_outlines_and_cut_outs_are_those_of_what_is_painted_over_what_is_predicted(
    mode: Mode, zoom: float
) -> None:
    mask = np.full((20, 30), VOID, np.uint8)
    mask[2:9, 2:25] = 1
    prediction = np.zeros((20, 30), np.uint8)
    prediction[5:15, 5:20] = 2
    both = opaque_mask(mask, Appearance(mode=mode))
    both.set_prediction(prediction, dim_void=True)
    seen = opaque_mask(np.where(mask == VOID, prediction, mask), Appearance(mode=mode))
    width, height = round(30 * zoom), round(20 * zoom)
    assert np.array_equal(render(both, zoom, width, height), render(seen, zoom, width, height))


@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_what_nobody_painted_is_fainter_and_only_that(zoom: float) -> None:
    mask = np.full((20, 30), VOID, np.uint8)
    mask[:, :10] = 1
    layer = opaque_mask(mask)
    layer.set_prediction(np.full((20, 30), 1, np.uint8), dim_void=True)
    shown = render(layer, zoom, round(30 * zoom), round(20 * zoom))
    border = round(10 * zoom)
    assert (shown[:, :border] == PET).all()
    faint = shown[:, border:]
    assert (faint == faint[0, 0]).all()
    assert (np.array(PET) <= faint[0, 0]).all()
    assert (faint[0, 0] != PET).any()
