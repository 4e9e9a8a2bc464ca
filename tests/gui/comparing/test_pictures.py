"""What is painted where two masks differ, and as a heat map."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from core.evaluation.metrics import confusion, score
from core.labels import PET, TRIMAP, VOID, BorderRule, apply_border_rule
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.canvas.difference import (
    COLOURS,
    STRIPE,
    DifferenceLayer,
    Verdict,
    patterned,
    verdicts,
)
from petseg_gui.canvas.heat import HeatLayer
from petseg_gui.canvas.ramp import ramp
from petseg_gui.canvas.split import Layer, NoLayer, SplitLayer
from petseg_gui.canvas.view import View
from petseg_gui.comparing.agreement import agreement

OPAQUE = Appearance(opacity=1.0)
NO, OK, MI, IN, OT = Verdict


def render(layer: Layer | HeatLayer, width: int, height: int, zoom: float = 1.0) -> np.ndarray:
    """RGB, height x width x 3, of the layer painted over white from its corner."""
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor("white"))
    painter = QPainter(image)
    layer.paint(painter, View(zoom), QRectF(0, 0, width, height))
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return rows[:, : 3 * width].reshape(height, width, 3).astype(int)


@pytest.mark.parametrize(
    ("rule", "value", "wanted"),
    [
        # The mask down, the prediction across: background, pet, border.
        (BorderRule.CLASS, None, [[NO, IN, IN], [MI, OK, OT], [MI, OT, OK]]),
        (BorderRule.CLASS, 1, [[NO, IN, NO], [MI, OK, MI], [NO, IN, NO]]),
        (BorderRule.FOREGROUND, None, [[NO, IN, IN], [MI, OK, OK], [MI, OK, OK]]),
        (BorderRule.BACKGROUND, None, [[NO, IN, NO], [MI, OK, MI], [NO, IN, NO]]),
        # What is ignored in the mask is nothing; in the prediction it counts as background.
        (BorderRule.IGNORE, None, [[NO, IN, NO], [MI, OK, MI], [NO, NO, NO]]),
    ],
)
def test_each_pair_of_classes_has_its_verdict(rule, value, wanted) -> None:
    found = verdicts(TRIMAP, rule, value)
    assert found[:3, :3].tolist() == wanted
    assert not found[VOID].any()


def test_patterns_tell_what_is_missed_from_what_is_invented_without_colours() -> None:
    missed, invented, agreed = (
        patterned(np.full((40, 40), v, np.uint8)) == STRIPE for v in (MI, IN, OK)
    )
    assert not agreed.any()
    assert np.array_equal(missed[1:, :-1], missed[:-1, 1:])  # they rise to the right
    assert np.array_equal(invented[1:, 1:], invented[:-1, :-1])  # they fall
    assert 0.2 < missed.mean() < 0.5


def test_patterns_stay_where_they_are_while_a_part_is_painted() -> None:
    found = np.full((60, 60), IN, np.uint8)
    whole, part = patterned(found), patterned(found[17:40, 11:50], (11, 17))
    assert np.array_equal(whole[17:40, 11:50], part)


@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_the_difference_is_painted_from_the_mask_that_is_edited(zoom: float) -> None:
    mask, said = np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8)
    said[:, 10:] = 1
    layer = DifferenceLayer(mask, said, verdicts(PET, BorderRule.FOREGROUND, None), PET, OPAQUE)
    side = round(20 * zoom)

    def shown(x: int) -> set[tuple[int, ...]]:
        column = render(layer, side, side, zoom)[:, round((x + 0.5) * zoom)]
        return {tuple(map(int, pixel)) for pixel in column}

    white = (255, 255, 255)
    assert shown(5) == {white}
    assert shown(15) == {COLOURS[IN], white}
    mask[:] = 1  # as a stroke does, in place
    assert shown(5) == {COLOURS[MI], white}
    half = tuple(255 - (255 - value) // 2 for value in COLOURS[OK])
    assert all(abs(a - b) <= 2 for pixel in shown(15) for a, b in zip(pixel, half, strict=True))


def test_under_a_line_each_side_shows_its_own() -> None:
    mask = np.ones((10, 30), np.uint8)
    found = verdicts(PET, BorderRule.FOREGROUND, None)
    agreed = DifferenceLayer(mask, mask, found, PET, OPAQUE)
    split = SplitLayer(agreed, NoLayer(), 12)
    shown = render(split, 30, 10)
    assert (shown[:, 12:] == 255).all()
    assert (shown[:, :12] != 255).any(axis=2).all()
    split.at = 0
    assert (render(split, 30, 10) == 255).all()


def test_a_heat_map_lies_over_the_whole_image_in_the_ramps_colours() -> None:
    values = np.array([[0, 255], [128, 128]], np.uint8)
    shown = render(HeatLayer(values, (40, 40), 1.0), 80, 80, 2.0)
    colours = ramp().astype(int)
    for x, y, value in ((4, 4, 0), (75, 4, 255), (4, 75, 128), (75, 75, 128)):
        assert np.abs(shown[y, x] - colours[value]).max() <= 6
    # Half of it, half of the white below.
    faint = render(HeatLayer(values, (40, 40), 0.5), 80, 80, 2.0)
    assert np.abs(faint[4, 4] - 128).max() <= 4


def test_a_heat_map_of_more_values_than_pixels_is_thinned_out() -> None:
    values = np.repeat(np.arange(256, dtype=np.uint8)[None], 512, 0).repeat(4, 1)
    shown = render(HeatLayer(values, (1024, 512), 1.0), 256, 128, 0.25)
    assert np.abs(shown - ramp().astype(int)[None]).max() <= 12


def test_the_ramp_grows_lighter_in_even_steps() -> None:
    """Even in lightness: what colour-blind and colour-printing people have to go by."""
    lab = cv2.cvtColor((ramp()[None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    steps = np.diff(lab[::5, 0])
    assert (steps > 0).all()
    assert steps.max() < 2.2 * steps.mean()
    theirs = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_INFERNO)[0]
    assert np.abs(ramp().astype(int) - theirs[:, ::-1]).max() <= 6  # as petseg explain has it


@pytest.mark.parametrize("rule", BorderRule)
def test_the_figures_are_those_of_an_evaluation(rule: BorderRule) -> None:
    rng = np.random.default_rng(3)
    mask, said = rng.integers(0, 3, (2, 50, 70), dtype=np.uint8)
    mask[:5] = VOID
    classes = 3 if rule is BorderRule.CLASS else 2
    pair = (apply_border_rule(m, TRIMAP, rule) for m in (mask, said))
    wanted = score(confusion(*pair, classes)[None])
    found = agreement(mask, said, TRIMAP, rule, None)
    assert (found.dice, found.iou) == (wanted.dice, wanted.iou)


def test_the_figures_of_one_class_and_of_nothing() -> None:
    mask = np.array([[0, 1, 1, 2, VOID]], np.uint8)
    said = np.array([[1, 1, 2, 2, 1]], np.uint8)
    found = agreement(mask, said, TRIMAP, BorderRule.CLASS, 1)
    assert (found.dice, found.iou) == (pytest.approx(0.5), pytest.approx(1 / 3))
    assert agreement(mask * 0 + VOID, said, TRIMAP, BorderRule.CLASS, None).dice is None
    empty = mask * 0
    assert agreement(empty, empty, PET, BorderRule.FOREGROUND, None).dice == 1
