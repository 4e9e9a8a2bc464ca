"""A second look at a part of an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.editing.box import Box
from core.errors import BadInput
from core.inference.closeup import look_closer
from core.inference.predictor import Predictor
from core.labels import PET, BorderRule, scheme_of

FOREGROUND = BorderRule.FOREGROUND


@pytest.fixture
def predictor(tiny_model: Path) -> Predictor:
    return Predictor(tiny_model, threads=1)


def test_a_box_is_seen_as_if_it_were_the_whole_photo(predictor: Predictor, animal: Callable):
    pixels, _ = animal(0, 90, 70)
    seen = look_closer(predictor, pixels, (20, 10, 70, 60), 1, PET, FOREGROUND)
    alone = predictor.predict(pixels[10:60, 20:70].copy(), flip=True)
    assert seen is not None
    assert seen.box == (20, 10, 70, 60)
    np.testing.assert_array_equal(seen.values, alone.probability_of(1, PET, FOREGROUND))
    whole = predictor.predict(pixels).probability_of(1, PET, FOREGROUND)
    assert seen.values.shape != whole.shape or np.abs(seen.values - whole).max() > 0.05


@pytest.mark.parametrize("box", [(-9, -9, 5, 5), (80, 60, 300, 300), (-9, -9, 300, 300)])
def test_of_a_box_only_what_lies_on_the_image(predictor: Predictor, animal: Callable, box: Box):
    pixels, _ = animal(0, 90, 70)
    seen = look_closer(predictor, pixels, box, 1, PET, FOREGROUND)
    assert seen is not None
    x0, y0, x1, y1 = seen.box
    assert (x0, y0) == (max(box[0], 0), max(box[1], 0))
    assert (x1, y1) == (min(box[2], 90), min(box[3], 70))


@pytest.mark.parametrize("box", [(-9, -9, 0, 5), (90, 0, 95, 5), (5, 5, 5, 30)])
def test_a_box_of_nothing_is_nothing(predictor: Predictor, animal: Callable, box: Box):
    pixels, _ = animal(0, 90, 70)
    assert look_closer(predictor, pixels, box, 1, PET, FOREGROUND) is None


def test_other_classes_are_refused(predictor: Predictor, animal: Callable):
    pixels, _ = animal(0, 90, 70)
    with pytest.raises(BadInput, match="This model knows"):
        look_closer(predictor, pixels, (0, 0, 50, 50), 1, scheme_of("x", list("abcd")), FOREGROUND)
