from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from core.editing.change import UNCHANGED
from core.editing.region import Region
from core.labels import PET, VOID
from petseg_gui.canvas.view import View
from petseg_gui.tools.drawing import shade_of_changes, shade_of_selection

SIZE = 60, 40
AS_IT_IS = View()


def painted(shade, view=AS_IT_IS, backdrop="black", clip=None):
    """RGB, 40 x 60 x 3, of what the shade paints over a backdrop."""
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    image.fill(QColor(backdrop))
    painter = QPainter(image)
    if clip is not None:
        painter.setClipRect(*clip)
    shade.paint(painter, view)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(40, 60, 4)[..., 2::-1].copy()


@pytest.fixture
def selection():
    return shade_of_selection(Region((10, 10, 20, 16), np.ones((6, 10), bool)))


def test_a_selections_border_is_seen_on_black_and_on_white(selection):
    on_black, on_white = painted(selection), painted(selection, backdrop="white")
    for y, x in ((10, 12), (15, 12), (12, 10), (12, 19)):
        assert on_black[y, x].tolist() == [255] * 3
    for y, x in ((9, 12), (16, 12), (12, 9), (12, 20)):
        assert on_white[y, x].max() < 120
    assert not on_black[12, 15].any()  # inside, the photo is seen as it is
    assert not on_black[20, 30].any()


def test_it_lies_where_the_image_is_shown(selection):
    shown = painted(selection, View(2.0, -5, 3))
    ys, xs = np.nonzero(shown[..., 0] == 255)
    assert (xs.min(), xs.max()) == (-5 + 20, -5 + 40 - 1)
    assert (ys.min(), ys.max()) == (3 + 20, 3 + 32 - 1)


def test_a_border_at_the_edge_of_the_image_is_closed(selection):
    whole = shade_of_selection(Region((0, 0, 20, 20), np.ones((20, 20), bool)))
    shown = painted(whole, View(1.0, 5, 5))
    assert (shown[5, 5:25] == 255).all()
    assert (shown[24, 5:25] == 255).all()


def test_changes_are_tinted_in_their_new_colours():
    pixels = np.full((12, 30), UNCHANGED, np.uint8)
    pixels[:, :10], pixels[:, 10:20], pixels[:5, 20:] = 0, 1, VOID
    shown = painted(shade_of_changes((5, 5, 35, 17), pixels, PET)).astype(int)
    red, pet, void, nothing = (shown[7, x] for x in (10, 20, 30, 45))
    assert red[0] > 2 * red[1]
    expected = np.array(PET.classes[1].colour)
    assert np.abs(pet / pet.max() - expected / expected.max()).max() < 0.03
    assert len(set(void.tolist())) == 1
    assert void[0] > 0
    assert not nothing.any()
    assert not shown[15, 30].any()


def test_only_what_is_exposed_is_painted_and_that_the_same(selection):
    whole, part = painted(selection), painted(selection, clip=(8, 8, 6, 5))
    assert np.array_equal(part[8:13, 8:14], whole[8:13, 8:14])
    part[8:13, 8:14] = 0
    assert not part.any()


@pytest.mark.parametrize("zoom", [0.01, 0.3, 64.0])
def test_any_zoom_and_an_image_out_of_sight_do_no_harm(zoom):
    large = shade_of_selection(Region((0, 0, 3000, 2000), np.ones((2000, 3000), bool)))
    assert painted(large, View(zoom, 2, 2)).any()
    assert not painted(large, View(zoom, 500, 500)).any()
