"""Undo over many images: one bound, and the images left longest ago pay first."""

from __future__ import annotations

import numpy as np

from core.editing.history import Edit, compare
from core.editing.shelf import Shelf

SHAPE = (64, 64)


def noisy_edit(seed: int) -> Edit:
    """An edit of about 4 kB, since noise does not compress."""
    after = np.random.default_rng(seed).integers(0, 255, SHAPE, dtype=np.uint8)
    edit = compare(np.zeros(SHAPE, np.uint8), after, "Segment")
    assert edit is not None
    return edit


def test_the_images_left_longest_ago_lose_their_oldest_edits_first() -> None:
    shelf = Shelf(limit=30_000)
    for name in ("a", "b", "c"):
        for seed in range(3):
            shelf.take(name).push(noisy_edit(seed))
    assert shelf.trim() > 0
    assert shelf.nbytes <= 30_000
    counts = [shelf.take(name).steps for name in ("a", "b", "c")]
    assert counts == sorted(counts)
    assert counts[0] < 3
    assert counts[-1] == 3


def test_an_image_that_is_taken_in_hand_again_is_not_the_oldest_any_more() -> None:
    shelf = Shelf(limit=6_000)
    shelf.take("a").push(noisy_edit(0))
    shelf.take("b").push(noisy_edit(1))
    assert shelf.take("a").can_undo
    shelf.trim()
    assert shelf.take("a").can_undo
    assert not shelf.take("b").can_undo


def test_the_last_edit_of_the_image_in_hand_is_kept_however_large() -> None:
    shelf = Shelf(limit=10)
    history = shelf.take("a")
    for seed in range(3):
        history.push(noisy_edit(seed))
    assert shelf.trim() == 2
    mask = np.random.default_rng(2).integers(0, 255, SHAPE, dtype=np.uint8)
    assert history.undo(mask) == (0, 0, 64, 64)
    assert not mask.any()


def test_nothing_is_forgotten_below_the_limit() -> None:
    shelf = Shelf()
    shelf.take("a").push(noisy_edit(0))
    assert shelf.trim() == 0
    shelf.drop("a")
    assert shelf.nbytes == 0
