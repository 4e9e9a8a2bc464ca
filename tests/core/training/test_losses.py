"""Losses against their definitions; unlabelled pixels are in no sum and no denominator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.labels import VOID
from core.training.losses import segmentation_loss

KINDS = {"bce": 1, "bce_dice": 1, "ce": 3, "ce_dice": 3}


def example(kind: str, seed: int, labelled: float, shape=(2, 6, 5)) -> tuple:
    """Logits and targets; about ``labelled`` of the pixels have a class."""
    generator = torch.Generator().manual_seed(seed)
    outputs = KINDS[kind]
    logits = torch.randn(shape[0], outputs, *shape[1:], generator=generator) * 2
    target = torch.randint(0, max(outputs, 2), shape, generator=generator).to(torch.uint8)
    target[torch.rand(shape, generator=generator) >= labelled] = VOID
    return logits.requires_grad_(), target


def by_definition(logits: np.ndarray, target: np.ndarray, kind: str) -> float:
    """The loss pixel by pixel, in float64."""
    if kind.startswith("bce"):
        foreground = 1 / (1 + np.exp(-logits[:, 0]))
        probabilities = np.stack([1 - foreground, foreground], 1)
        scored = [1]
    else:
        raised = np.exp(logits - logits.max(1, keepdims=True))
        probabilities = raised / raised.sum(1, keepdims=True)
        scored = [0, 1, 2]
    pixels = [tuple(p) for p in np.argwhere(target != VOID)]
    own = [probabilities[n, target[n, y, x], y, x] for n, y, x in pixels]
    loss = -float(np.mean(np.log(own)))
    if kind.endswith("dice"):
        dice = []
        for c in scored:
            said = [probabilities[n, c, y, x] for n, y, x in pixels]
            true = [float(target[p] == c) for p in pixels]
            hit = sum(a * b for a, b in zip(said, true, strict=True))
            dice.append((2 * hit + 1) / (sum(said) + sum(true) + 1))
        loss += 1 - float(np.mean(dice))
    return loss


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 1.0]))
def test_losses_are_what_their_names_say(kind: str, seed: int, labelled: float):
    logits, target = example(kind, seed, labelled)
    if (target == VOID).all():
        return
    expected = by_definition(logits.detach().double().numpy(), target.numpy(), kind)
    assert float(segmentation_loss(logits, target, kind).detach()) == pytest.approx(
        expected, rel=1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_sparsely_labelled_image_teaches_what_its_labelled_pixels_alone_teach(kind: str):
    logits, target = example(kind, 3, 0.05, shape=(1, 40, 40))
    labelled = target != VOID
    assert 20 < int(labelled.sum()) < 200
    segmentation_loss(logits, target, kind).backward()
    # The same pixels as an image of their own, one row high.
    alone = logits.detach().permute(1, 0, 2, 3)[:, labelled][None, :, None, :].requires_grad_()
    segmentation_loss(alone, target[labelled][None, None, :], kind).backward()
    gradient = logits.grad.permute(1, 0, 2, 3)
    torch.testing.assert_close(gradient[:, labelled], alone.grad[0, :, 0, :])
    assert (gradient[:, ~labelled] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_under_void_is_of_no_matter(kind: str):
    logits, target = example(kind, 4, 0.5)
    changed = logits.detach().clone()
    changed += (target == VOID)[:, None] * 37.0
    assert float(segmentation_loss(logits, target, kind).detach()) == pytest.approx(
        float(segmentation_loss(changed, target, kind))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_without_labels_teaches_nothing_and_breaks_nothing(kind: str):
    logits, target = example(kind, 5, 0.0)
    loss = segmentation_loss(logits, target, kind)
    loss.backward()
    assert float(loss.detach()) == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_certainty_costs_nothing_when_right_and_stays_finite_when_wrong(kind: str):
    _, target = example(kind, 6, 0.7)
    classes = torch.where(target == VOID, 0, target).long()
    if KINDS[kind] == 1:
        right = (classes[:, None].float() * 2 - 1) * 200
    else:
        right = torch.nn.functional.one_hot(classes, 3).permute(0, 3, 1, 2).float() * 200
    assert float(segmentation_loss(right, target, kind)) < 0.01
    wrong = (-right).requires_grad_()
    loss = segmentation_loss(wrong, target, kind)
    loss.backward()
    assert torch.isfinite(loss)
    assert float(loss.detach()) > 1
    assert torch.isfinite(wrong.grad).all()
