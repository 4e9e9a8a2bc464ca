from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from core.labels import PET
from petseg_gui.canvas.image_view import ImageView
from petseg_gui.document import Document
from petseg_gui.navigator import Navigator
from petseg_gui.parts import Parts


def make_document(width: int = 3000, height: int = 2000) -> Document:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = (250, 40, 40)
    return Document("a.jpg", pixels, np.zeros((height, width), np.uint8), PET)


@pytest.fixture
def view(qtbot: QtBot) -> ImageView:
    view = ImageView()
    qtbot.addWidget(view)
    view.resize(624, 424)
    view.show()
    qtbot.waitExposed(view)
    return view


@pytest.fixture
def navigator(view: ImageView, qtbot: QtBot) -> Navigator:
    navigator = Navigator(view)
    view.set_document(make_document())
    qtbot.waitUntil(lambda: not view._builder.isActive())
    return navigator


def test_it_shows_itself_only_while_a_part_of_the_image_is_in_sight(
    view: ImageView, navigator: Navigator
) -> None:
    assert not navigator.isVisible()
    view.zoom_to(1.0)
    assert navigator.isVisible()
    assert view.rect().contains(navigator.geometry())
    navigator.set_wanted(False)
    assert not navigator.isVisible()
    navigator.set_wanted(True)
    assert navigator.isVisible()
    view.fit()
    assert not navigator.isVisible()
    view.zoom_to(1.0)
    view.set_document(None)
    assert not navigator.isVisible()


def test_it_stays_in_its_corner(view: ImageView, navigator: Navigator) -> None:
    view.zoom_to(1.0)
    gap = view.rect().bottomRight() - navigator.geometry().bottomRight()
    view.resize(500, 300)
    assert view.rect().bottomRight() - navigator.geometry().bottomRight() == gap


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.5), (0.75, 0.4), (0.5, 0.9)])
def test_a_click_brings_that_part_of_the_image_into_the_middle(
    view: ImageView, navigator: Navigator, qtbot: QtBot, x: float, y: float
) -> None:
    view.zoom_to(2.0)
    at = QPoint(round(x * navigator.width()), round(y * navigator.height()))
    qtbot.mouseClick(navigator, Qt.MouseButton.LeftButton, pos=at)
    middle = view.shown.center()
    assert middle.x() == pytest.approx(x * 3000, abs=30)
    assert middle.y() == pytest.approx(y * 2000, abs=30)


def test_a_drag_moves_the_view_along(view: ImageView, navigator: Navigator, qtbot: QtBot) -> None:
    view.zoom_to(2.0)
    centres = []
    qtbot.mousePress(navigator, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    for x in (70, 90, 120):
        qtbot.mouseMove(navigator, QPoint(x, 60))
        centres.append(view.shown.center().x())
    qtbot.mouseRelease(navigator, Qt.MouseButton.LeftButton, pos=QPoint(120, 60))
    assert centres == sorted(set(centres))
    qtbot.mouseMove(navigator, QPoint(30, 60))  # nothing is held any more
    assert view.shown.center().x() == centres[-1]


def test_the_part_in_sight_is_framed_and_the_rest_is_darker(
    view: ImageView, navigator: Navigator
) -> None:
    view.zoom_to(1.0)
    view.centre_on(2250, 1000)
    picture = navigator.grab().toImage()
    across = picture.width() / 3000
    seen = picture.pixelColor(round(2250 * across), picture.height() // 2)
    unseen = picture.pixelColor(round(2800 * across), picture.height() // 2)
    assert seen.red() == 250
    assert unseen.red() < 200
    frame = round(view.shown.left() * across)
    row = [
        picture.pixelColor(x, picture.height() // 2).green() for x in range(frame - 2, frame + 5)
    ]
    assert max(row) == 255


def test_the_view_menu_hides_and_shows_it(
    open_window: Callable[..., Parts], make_project: Callable[..., Path]
) -> None:
    parts = open_window(make_project())
    parts.canvas.zoom_to(20.0)
    assert parts.navigator.isVisible()
    assert parts.actions["navigator"].isChecked()
    parts.actions["navigator"].trigger()
    assert not parts.navigator.isVisible()


def test_another_image_is_another_overview(view: ImageView, navigator: Navigator) -> None:
    view.zoom_to(1.0)
    wide = navigator.size()
    view.set_document(make_document(1000, 4000))
    view.zoom_to(1.0)
    assert navigator.height() > navigator.width()
    assert navigator.size() != wide


def test_while_it_is_hidden_it_keeps_no_photo_in_memory(
    view: ImageView, navigator: Navigator
) -> None:
    view.zoom_to(1.0)
    large = ref(view.document)
    view.set_document(make_document(300, 200))
    assert not navigator.isVisible()
    gc.collect()
    assert large() is None
