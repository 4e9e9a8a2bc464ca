from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.editing.scissors import path
from petseg_gui.tools.scissors import ScissorsTool
from petseg_gui.tools.tool import PointerEvent

ENTER, BACKSPACE = Qt.Key.Key_Return, Qt.Key.Key_Backspace
CORNERS = (20, 10), (50, 10), (50, 40), (20, 40)  # of the bright square in the document's photo


@pytest.fixture
def round_photo(document):
    """The document with a bright disc: straight sides between four points would cut it."""
    y, x = np.mgrid[:60, :80]
    document.pixels[:] = np.where(((x - 40) ** 2 + (y - 30) ** 2 < 400)[..., None], 220, 30)
    return document


ON_DISC = (40, 10), (60, 30), (40, 50), (20, 30)


def test_the_sides_cling_to_the_edge_and_so_does_the_closing_one(round_photo, hand, bench):
    tool = ScissorsTool(bench)
    for corner in ON_DISC:
        hand.click(tool, *corner)
    hand.key(tool, ENTER)
    disc = round_photo.pixels[..., 0] == 220
    found = round_photo.mask == 1
    assert (disc & found).sum() / (disc | found).sum() > 0.9  # four straight sides: 0.64
    assert round_photo.history.undo_title == "Scissors"


def test_the_line_to_the_pointer_clings_too(round_photo, hand, bench):
    tool = ScissorsTool(bench)
    hand.click(tool, *ON_DISC[0])
    lead = tool.lead(PointerEvent(*ON_DISC[1]))
    assert lead == path(round_photo.pixels, *ON_DISC[:2])
    assert len(lead) > 10


def test_clicks_that_come_faster_than_the_paths_are_found_lose_none(
    round_photo, hand, bench, later
):
    tool = ScissorsTool(bench)
    for corner in ON_DISC:
        hand.click(tool, *corner)
    assert tool.outline() == list(ON_DISC)  # straight as yet
    hand.key(tool, ENTER)
    later.work()
    disc = round_photo.pixels[..., 0] == 220
    assert (round_photo.mask == 1)[disc].mean() > 0.9


def test_a_straight_side_is_replaced_as_soon_as_its_path_is_found(round_photo, hand, bench, later):
    tool = ScissorsTool(bench)
    for corner in ON_DISC[:2]:
        hand.click(tool, *corner)
    later.work()
    assert tool.outline() == path(round_photo.pixels, *ON_DISC[:2])


def test_backspace_goes_on_from_the_corner_before(round_photo, hand, bench):
    tool = ScissorsTool(bench)
    for corner in ON_DISC[:3]:
        hand.click(tool, *corner)
    hand.key(tool, BACKSPACE)
    assert tool.outline() == path(round_photo.pixels, *ON_DISC[:2])
    assert tool.lead(PointerEvent(40, 50)) == path(round_photo.pixels, ON_DISC[1], (40, 50))
    hand.key(tool, BACKSPACE)
    hand.key(tool, BACKSPACE)
    assert not tool.pending
    hand.click(tool, 5, 5)
    assert tool.outline() == [(5, 5)]


def test_both_sides_of_a_corner_follow_when_it_was_dragged(round_photo, hand, bench):
    tool = ScissorsTool(bench)
    for corner in ((40, 10), (70, 20), (40, 50)):
        hand.click(tool, *corner)
    hand.drag(tool, (70, 20), (60, 28), (60, 30))
    first, second = (
        path(round_photo.pixels, (40, 10), (60, 30)),
        path(round_photo.pixels, (60, 30), (40, 50)),
    )
    assert tool.outline() == first + second[1:]


def test_escape_forgets_everything(round_photo, hand, bench, later):
    tool = ScissorsTool(bench)
    for corner in ON_DISC:
        hand.click(tool, *corner)
    tool.cancel(round_photo)
    later.work()
    assert tool.outline() == []
    assert not hand.key(tool, ENTER)
    assert round_photo.strokes == 0


def test_corners_outside_the_image_do_no_harm(document, hand, bench):
    tool = ScissorsTool(bench)
    for corner in ((-30, -20), (120, -20), (120, 90), (-30, 90)):
        hand.click(tool, *corner)
    hand.key(tool, ENTER)
    assert not tool.pending
    document.undo()
    assert not document.mask.any()


def test_a_square_is_found_exactly_but_for_its_corners(document, hand, bench):
    tool = ScissorsTool(bench)
    for corner in CORNERS:
        hand.click(tool, *corner)
    assert all(a != b for a, b in pairwise(tool.outline()))
    hand.key(tool, ENTER)
    assert document.mask.sum() == pytest.approx(900, rel=0.15)
