"""Augmentation: image and mask move together, and what comes from outside is void."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.data.augment import augment
from core.labels import VOID

SIZE = 48


def batch(count: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose red channel is 100 x the mask's class: blobs of three classes and void."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.randint(0, 3, (count, 1, 6, 6), generator=generator).float()
    classes = functional.interpolate(coarse, (SIZE, SIZE), mode="nearest")[:, 0]
    images = torch.full((count, 3, SIZE, SIZE), 50.0)
    images[:, 0] = classes * 100
    masks = classes.to(torch.uint8)
    masks[:, :8, :8] = VOID
    return images, masks


def away_from_edges(masks: torch.Tensor) -> torch.Tensor:
    """Pixels whose 5 x 5 neighbours are there and have their class: nothing is blended there."""
    values = masks[:, None].float()
    high = functional.max_pool2d(values, 5, 1)
    low = -functional.max_pool2d(-values, 5, 1)
    return functional.pad(high == low, (2, 2, 2, 2))[:, 0]


def run(kind: str, seed: int = 0, count: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    return augment(*batch(count), kind, torch.Generator().manual_seed(seed))


def test_none_changes_nothing():
    images, masks = batch()
    moved = run("none")
    assert torch.equal(moved[0], images)
    assert torch.equal(moved[1], masks)


def test_image_and_mask_move_together():
    images, masks = run("geometric")
    sure = (masks != VOID) & away_from_edges(masks)
    assert sure.float().mean() > 0.2
    assert (images[:, 0] / 100 - masks)[sure].abs().max() < 0.05


def test_every_image_moves_in_its_own_way_and_about_half_are_mirrored():
    # A picture of a corner: bright on the left, so that a mirrored one is bright on the right.
    ramp = torch.linspace(200, 0, SIZE).expand(64, 3, SIZE, SIZE)
    masks = torch.zeros(64, SIZE, SIZE, dtype=torch.uint8)
    moved, _ = augment(ramp.clone(), masks, "geometric", torch.Generator().manual_seed(3))
    left = moved[..., : SIZE // 2].mean((1, 2, 3))
    right = moved[..., SIZE // 2 :].mean((1, 2, 3))
    mirrored = int((right > left).sum())
    assert 16 < mirrored < 48
    assert len({round(float(v), 3) for v in left}) > 60


def test_what_is_turned_into_the_picture_is_void_and_nothing_else_is():
    images = torch.full((32, 3, SIZE, SIZE), 100.0)
    ones = torch.ones(32, SIZE, SIZE, dtype=torch.uint8)
    _, masks = augment(images, ones, "geometric", torch.Generator().manual_seed(0))
    assert set(masks.unique().tolist()) == {1, VOID}
    share = (masks == VOID).float().mean((1, 2))
    assert share.max() > 0.05
    assert share.min() < 0.02
    # Inside comes from inside: the middle is never void.
    middle = slice(SIZE // 2 - 4, SIZE // 2 + 4)
    assert (masks[:, middle, middle] == 1).all()


def test_void_stays_void_and_no_class_is_invented():
    _, masks = run("full")
    assert set(masks.unique().tolist()) == {0, 1, 2, VOID}
    void = torch.full((4, SIZE, SIZE), VOID, dtype=torch.uint8)
    images = torch.zeros(4, 3, SIZE, SIZE)
    _, moved = augment(images, void, "full", torch.Generator().manual_seed(0))
    assert (moved == VOID).all()


@pytest.mark.parametrize("kind", ["geometric", "full"])
def test_the_generator_alone_decides(kind: str):
    torch.manual_seed(1)
    one = run(kind, seed=5)
    torch.manual_seed(2)
    again = run(kind, seed=5)
    other = run(kind, seed=6)
    assert torch.equal(one[0], again[0])
    assert torch.equal(one[1], again[1])
    assert not torch.equal(one[0], other[0])


def test_colours_change_the_image_but_not_the_mask():
    plain, full = run("geometric", seed=7), run("full", seed=7)
    assert full[0].min() >= 0
    assert full[0].max() <= 255
    assert full[0].dtype == plain[0].dtype == torch.float32
    assert full[1].dtype == torch.uint8
    images = torch.rand(8, 3, SIZE, SIZE) * 255
    masks = torch.zeros(8, SIZE, SIZE, dtype=torch.uint8)
    coloured, _ = augment(images.clone(), masks, "full", torch.Generator().manual_seed(0))
    means = coloured.mean((2, 3)).numpy()
    assert np.ptp(means, axis=0).min() > 10
