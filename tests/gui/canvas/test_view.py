from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petseg_gui.canvas import view as views
from petseg_gui.canvas.view import View

sizes = st.tuples(st.integers(1, 12_000), st.integers(1, 12_000))
canvases = st.tuples(st.integers(1, 4000), st.integers(1, 3000))


@given(sizes, canvases)
def test_fit_shows_the_whole_image_in_the_middle(
    image: tuple[int, int], canvas: tuple[int, int]
) -> None:
    view = views.fit(image, canvas)
    for side, offset, room in zip(image, (view.left, view.top), canvas, strict=True):
        assert abs((2 * offset + side * view.zoom) - room) <= 1.01
        if view.zoom > views.MIN_ZOOM and room > 24:
            assert side * view.zoom <= room - 23.9


@given(sizes, canvases, st.floats(0.02, 50), st.data())
def test_zooming_keeps_what_is_under_the_pointer(
    image: tuple[int, int], canvas: tuple[int, int], zoom: float, data: st.DataObject
) -> None:
    start = views.fit(image, canvas)
    # The middle can always be kept: the image is never pushed away from there.
    anchor = canvas[0] / 2, canvas[1] / 2
    after = views.zoomed(start, zoom, anchor, image, canvas)
    before_x, before_y = start.to_image(*anchor)
    x, y = after.to_device(before_x, before_y)
    assert x == pytest.approx(anchor[0], abs=1.01 + zoom / start.zoom)
    assert y == pytest.approx(anchor[1], abs=1.01 + zoom / start.zoom)


def test_zooming_at_a_corner_keeps_that_corner() -> None:
    start = views.fit((400, 300), (800, 600))
    anchor = start.to_device(100, 80)
    after = views.zoomed(start, 6.0, anchor, (400, 300), (800, 600))
    assert after.to_device(100, 80) == pytest.approx(anchor, abs=1)


@given(sizes, canvases, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_image_cannot_be_lost_by_panning(
    image: tuple[int, int], canvas: tuple[int, int], dx: float, dy: float
) -> None:
    view = views.panned(views.fit(image, canvas), dx, dy, image, canvas)
    x, y = view.to_image(canvas[0] / 2, canvas[1] / 2)
    slack = 1 / view.zoom
    assert -slack <= x <= image[0] + slack
    assert -slack <= y <= image[1] + slack


def test_zoom_stays_within_its_limits() -> None:
    start = View(1.0)
    assert views.zoomed(start, 1e9, (0, 0), (10, 10), (10, 10)).zoom == views.MAX_ZOOM
    assert views.zoomed(start, 0.0, (0, 0), (10, 10), (10, 10)).zoom == views.MIN_ZOOM
    assert views.fit((1, 1), (4000, 4000)).zoom == views.MAX_ZOOM
