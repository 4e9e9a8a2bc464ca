"""Augmentation: image and mask move together, and what comes from outside is void."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from core.data.augment import Augment, apply, draw, draw_donors, paste, shrink
from core.labels import VOID

SIZE = 48
KINDS = get_args(Augment)


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


def augment(
    images: torch.Tensor, masks: torch.Tensor, kind: Augment, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    return apply(images, masks, draw(kind, len(images), torch.Generator().manual_seed(seed)))


def run(kind: Augment, seed: int = 0, count: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    return augment(*batch(count), kind, seed)


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
    moved, _ = augment(ramp.clone(), masks, "geometric", 3)
    left = moved[..., : SIZE // 2].mean((1, 2, 3))
    right = moved[..., SIZE // 2 :].mean((1, 2, 3))
    mirrored = int((right > left).sum())
    assert 16 < mirrored < 48
    assert len({round(float(v), 3) for v in left}) > 60


def test_what_is_turned_into_the_picture_is_void_and_nothing_else_is():
    images = torch.full((32, 3, SIZE, SIZE), 100.0)
    ones = torch.ones(32, SIZE, SIZE, dtype=torch.uint8)
    _, masks = augment(images, ones, "geometric", 0)
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
    _, moved = augment(images, void, "full", 0)
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
    coloured, _ = augment(images.clone(), masks, "full", 0)
    means = coloured.mean((2, 3)).numpy()
    assert np.ptp(means, axis=0).min() > 10


def test_strong_has_grainy_and_squeezed_pictures_among_others():
    recipe = draw("strong", 4000, torch.Generator().manual_seed(0))
    for marks in (recipe.grain, recipe.quality):
        assert 0.1 < (marks > 0).float().mean() < 0.2
    mild = draw("full", 4000, torch.Generator().manual_seed(0))
    assert not mild.grain.any()
    assert not mild.quality.any()


def test_grain_and_small_files_do_what_they_are_called():
    nothing = draw("none", 3, torch.Generator())
    light = torch.ones(3, 6)
    grain, quality = torch.tensor([0.0, 10.0, 0.0]), torch.tensor([0, 0, 8])
    recipe = replace(nothing, light=light, grain=grain, quality=quality)
    chequered = (torch.arange(64) % 2 * 20 + 110).float().expand(3, 3, 64, 64)
    masks = torch.zeros(3, 64, 64, dtype=torch.uint8)
    same, grainy, squeezed = apply(chequered, masks, recipe)[0]
    torch.testing.assert_close(same, chequered[0], rtol=0, atol=1e-3)
    assert (grainy - chequered[1]).std() == pytest.approx(10, rel=0.05)
    assert squeezed.std() < chequered[2].std() / 2  # so fine a pattern is gone


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 1000), ends=st.tuples(st.integers(0, 7), st.integers(0, 7)))
def test_a_part_of_a_batch_becomes_what_it_becomes_within_the_whole(
    kind: Augment, seed: int, ends: tuple[int, int]
):
    images, masks = batch(7)
    recipe = draw(kind, 7, torch.Generator().manual_seed(seed))
    whole = apply(images, masks, recipe)
    part = slice(min(ends), max(ends))
    assert len(recipe[part]) == part.stop - part.start
    of_part = apply(images[part], masks[part], recipe[part])
    # Where a value is rounded the other way, a JPEG file differs by more.
    filed = recipe[part].quality > 0
    torch.testing.assert_close(of_part[0][~filed], whole[0][part][~filed], rtol=0, atol=1e-3)
    torch.testing.assert_close(of_part[0][filed], whole[0][part][filed], rtol=0, atol=32)
    assert torch.equal(of_part[1], whole[1][part])


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 10_000), classes=st.sets(st.integers(0, VOID), min_size=1, max_size=4))
def test_masks_keep_their_ids_and_images_their_range(kind: Augment, seed: int, classes: set[int]):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor(sorted(classes), dtype=torch.uint8)
    masks = ids[torch.randint(len(ids), (3, 32, 32), generator=generator)]
    images = torch.randint(0, 2, (3, 3, 32, 32), generator=generator) * 255.0
    moved, turned = augment(images, masks, kind, seed)
    assert set(turned.unique().tolist()) <= classes | {VOID}
    assert moved.min() >= 0
    assert moved.max() <= 255.001  # bilinear weights are rounded


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_makes_the_same_of_it(kind: Augment):
    images, masks = batch()
    recipe = draw(kind, len(images), torch.Generator().manual_seed(0))
    here, there = apply(images, masks, recipe), apply(images.cuda(), masks.cuda(), recipe)
    assert there[0].is_cuda
    torch.testing.assert_close(there[0].cpu(), here[0], rtol=0, atol=0.5)
    assert (there[1].cpu() == here[1]).float().mean() > 0.99  # a pixel's edge may fall elsewhere


@given(seed=st.integers(0, 1000), count=st.integers(1, 9), share=st.floats(0, 1))
def test_no_image_is_its_own_donor(seed: int, count: int, share: float):
    donors = draw_donors(share, count, torch.Generator().manual_seed(seed))
    assert donors.shape == (count,)
    assert ((donors >= -1) & (donors < count)).all()
    assert (donors != torch.arange(count)).all()


def test_so_many_images_get_a_donor_as_were_asked_for():
    generator = torch.Generator().manual_seed(0)
    shares = [float((draw_donors(s, 2000, generator) >= 0).float().mean()) for s in (0, 0.3, 1)]
    assert shares == pytest.approx([0, 0.3, 1], abs=0.04)


def test_only_the_donors_object_is_pasted():
    images, masks = batch(4)
    donors, donor_masks = images.roll(1, 0), masks.roll(1, 0)
    pasted, pasted_masks = paste(images, masks, donors, donor_masks)
    objects = (donor_masks == 1) | (donor_masks == 2)
    assert torch.equal(pasted_masks[objects], donor_masks[objects])
    assert torch.equal(pasted_masks[~objects], masks[~objects])
    inside = objects[:, None].expand_as(images)
    assert torch.equal(pasted[inside], donors[inside])
    assert torch.equal(pasted[~inside], images[~inside])


def test_a_smaller_batch_shows_the_same():
    images, masks = batch(3)
    small, small_masks = shrink(images, masks, SIZE // 2)
    assert small.shape == (3, 3, SIZE // 2, SIZE // 2)
    torch.testing.assert_close(small.mean((2, 3)), images.mean((2, 3)))
    assert torch.equal(small_masks, masks[:, ::2, ::2])  # blobs of 8 px
    for size in (SIZE, 2 * SIZE):
        assert shrink(images, masks, size)[0] is images
