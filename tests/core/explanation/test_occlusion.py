"""Occlusion: it finds what a model looks at, and covers all of the photo alike."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import PetSegError
from core.explanation.look import Detail, Look, Question
from core.explanation.occlusion import explain_by_occlusion
from core.inference.prediction import Prediction
from core.labels import PET, BorderRule

SIDE = 64
WHY_PET = Question(1, PET, BorderRule.FOREGROUND)


def said(plane: np.ndarray) -> Prediction:
    planes = np.stack([1 - plane, plane]).astype(np.float32)
    return Prediction(planes, plane.shape[::-1], PET, "made up")


def bright_corner(pixels: np.ndarray) -> Prediction:
    """A model that is as sure of pets everywhere as the upper left quadrant is bright."""
    sure = pixels[: SIDE // 2, : SIDE // 2].mean() / 255
    return said(np.full(pixels.shape[:2], sure, np.float32))


def photo() -> np.ndarray:
    """White above left, black elsewhere."""
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[: SIDE // 2, : SIDE // 2] = 255
    return pixels


@pytest.mark.parametrize("detail", Detail)
def test_it_finds_the_quadrant_that_a_model_looks_at(detail: Detail) -> None:
    look = Look(photo(), (0, 0, 2 * SIDE, 2 * SIDE), None)
    *_, last = explain_by_occlusion(bright_corner, look, WHY_PET, detail)
    found, half = last.explanation, SIDE // 2
    patch = SIDE // {"coarse": 4, "medium": 8, "fine": 16}[detail]
    assert found.values[: half - patch, : half - patch] == pytest.approx(1)
    assert not found.values[half + patch :].any()
    assert not found.values[:, half + patch :].any()
    # Each patch costs what it takes of the quadrant: of 255 to the photo's mean of 64.
    assert found.peak == pytest.approx((patch / half) ** 2 * (255 - 64) / 255, rel=1e-3)
    assert found.grain == 2 * patch
    assert last.done == last.total


def test_what_makes_a_model_surer_counts_as_nothing() -> None:
    look = Look(255 - photo(), (0, 0, SIDE, SIDE), None)
    *_, last = explain_by_occlusion(bright_corner, look, WHY_PET, Detail.COARSE)
    assert last.explanation.peak == 0
    assert not last.explanation.values.any()


def test_only_the_place_that_is_asked_about_counts() -> None:
    """The model says of each pixel what its own brightness is."""
    region = np.zeros((SIDE, SIDE), bool)
    region[:8, :8] = True
    look = Look(np.full((SIDE, SIDE, 3), 255, np.uint8), (0, 0, SIDE, SIDE), region)
    look.pixels[-1] = 0  # so that the photo's mean is not white
    *_, last = explain_by_occlusion(
        lambda pixels: said(pixels[..., 0] / 255), look, WHY_PET, Detail.MEDIUM
    )
    assert last.explanation.values[:4, :4].min() > 0.9
    assert not last.explanation.values[16:, 16:].any()
    assert last.explanation.about == "the place you chose"


def test_it_ends_where_the_model_is_stopped() -> None:
    calls = []

    def stopping(pixels: np.ndarray) -> Prediction:
        calls.append(1)
        if len(calls) > 3:
            raise PetSegError("stopped")
        return bright_corner(pixels)

    look = Look(photo(), (0, 0, SIDE, SIDE), None)
    steps = explain_by_occlusion(stopping, look, WHY_PET, Detail.FINE)
    with pytest.raises(PetSegError, match="stopped"):
        list(steps)
    assert len(calls) == 4


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (13, 3)])
def test_photos_of_a_few_pixels_are_explained_too(height: int, width: int) -> None:
    look = Look(np.full((height, width, 3), 9, np.uint8), (0, 0, width, height), None)
    *_, last = explain_by_occlusion(
        lambda pixels: said(np.full(pixels.shape[:2], 0.7)), look, WHY_PET, Detail.MEDIUM
    )
    assert last.explanation.values.shape == (height, width)
