"""How suspicious a mask is beside what a network says."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from core.label_check.findings import Finding, learnt_too_little, sentence
from core.label_check.suspicion import suspicion_of
from core.labels import PET, TRIMAP, VOID

SIDE = 120


def disc(x: int = 50, y: int = 60, radius: int = 25) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, cv2.FILLED)
    return mask


def said_of(mask: np.ndarray, classes: int = 2, sure: float = 0.9) -> np.ndarray:
    """A network that sees this mask, a little blurred: float32, classes x h x w."""
    planes = np.stack([(mask == c).astype(np.float32) for c in range(classes)])
    soft = np.stack([cv2.GaussianBlur(p, (5, 5), 0) for p in planes])
    even = (1 - sure) / classes
    return (soft * sure + even).astype(np.float32)


WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "shifted": lambda mask: np.roll(mask, 15, axis=1),
    "grown": lambda mask: cv2.dilate(mask, np.ones((13, 13), np.uint8)),
    "shrunk": lambda mask: cv2.erode(mask, np.ones((13, 13), np.uint8)),
    "swapped": lambda mask: 1 - mask,
    "forgotten": np.zeros_like,
    "of all": np.ones_like,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_mask_is_more_suspicious_than_a_right_one(
    wrong: Callable[[np.ndarray], np.ndarray],
) -> None:
    mask = disc()
    right = suspicion_of(mask, said_of(mask)).score
    assert suspicion_of(wrong(mask), said_of(mask)).score > right + 0.1
    assert 0 <= right < 0.4


def test_a_mask_that_is_a_pixel_off_is_hardly_suspected() -> None:
    mask = disc()
    said = said_of(mask)
    off = suspicion_of(np.roll(mask, 1, axis=0), said)
    assert off.wrong == 0
    assert off.given is None
    assert off.score < suspicion_of(np.roll(mask, 8, axis=0), said).score


def test_a_second_animal_that_was_forgotten_is_found_though_the_first_is_right() -> None:
    drawn, both = disc(35, 60, 25), disc(35, 60, 25) | disc(90, 60, 25)
    found = suspicion_of(drawn, said_of(both))
    assert (found.given, found.said) == (0, 1)
    assert found.score > 0.4 > suspicion_of(both, said_of(both)).score
    assert found.wrong == pytest.approx(np.pi * 25**2 / SIDE**2, rel=0.25)
    words = sentence(found, PET)
    assert words.startswith("The model is sure of pet in ")
    assert words.endswith(" % of the image where the mask has background.")


@pytest.mark.parametrize("learnt", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_networks_that_call_everything_the_same_judge_nobody(share: float, learnt: bool) -> None:
    same = np.stack([np.full((SIDE, SIDE), p, np.float32) for p in (1 - share, share)])
    masks = [disc(x, radius=radius) for x in (40, 60, 80) for radius in (15, 30)]
    wrong = np.roll(masks[0], 40, axis=1)  # of one of them
    scores = [
        suspicion_of(wrong if n == 0 else mask, said_of(mask) if learnt else same).score
        for n, mask in enumerate(masks)
    ]
    found = [Finding(f"{n}.png", "", score, "") for n, score in enumerate(scores)]
    assert learnt_too_little(found) is not learnt


def test_void_counts_for_nothing() -> None:
    drawn, both = disc(35, 60, 25), disc(35, 60, 25) | disc(90, 60, 25)
    unpainted = np.where(disc(90, 60, 30) == 1, np.uint8(VOID), drawn)
    assert suspicion_of(unpainted, said_of(both)).wrong == 0
    assert suspicion_of(np.full_like(drawn, VOID), said_of(both)).score == 0


def test_an_unsure_network_accuses_nobody_of_a_wrong_class() -> None:
    found = suspicion_of(1 - disc(), said_of(disc(), sure=0.5))
    assert found.wrong == 0
    assert found.given is None


def test_of_three_classes_the_two_that_meet_are_named() -> None:
    mask = disc(40, 60, 25) + 2 * disc(95, 60, 15)
    confused = np.where(mask == 1, np.uint8(2), mask)
    found = suspicion_of(confused, said_of(mask, 3))
    assert (found.given, found.said) == (2, 1)
    assert found.score > suspicion_of(mask, said_of(mask, 3)).score + 0.1
    assert "sure of pet" in sentence(found, TRIMAP)
    assert "has border" in sentence(found, TRIMAP)


def test_a_mask_of_one_pixel_can_be_judged() -> None:
    pixel = np.ones((1, 1), np.uint8)
    assert suspicion_of(pixel, np.array([[[0.75]], [[0.25]]], np.float32)).score == 0.75


def test_each_reason_has_its_sentence() -> None:
    mask = disc()
    moved = suspicion_of(np.roll(mask, 6, axis=1), said_of(mask))
    assert sentence(moved, PET) == "The mask's outline runs where the model sees hardly an edge."
    right = suspicion_of(mask, said_of(mask))
    assert sentence(right, PET) == "The model mostly agrees with this mask."
