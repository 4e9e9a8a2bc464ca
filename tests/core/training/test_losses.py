"""Losses against their definitions; unlabelled pixels are in no sum and no denominator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.labels import VOID
from core.training.losses import balanced_weights, identity, segmentation_loss

# Each kind with how many numbers a pixel the network gives.
KINDS = [("bce", 1), ("bce_dice", 1), ("ce", 3), ("ce_dice", 3), ("lovasz", 1), ("lovasz", 3)]
every_kind = pytest.mark.parametrize(("kind", "outputs"), KINDS)
weighted = pytest.mark.parametrize("heavy", [False, True], ids=["", "weights"])


def class_weights(outputs: int) -> torch.Tensor:
    return torch.tensor([0.5, 3.0, 0.1][: max(outputs, 2)])


def example(outputs: int, seed: int, labelled: float, shape=(2, 6, 5)) -> tuple:
    """Logits and targets; about ``labelled`` of the pixels have a class."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(shape[0], outputs, *shape[1:], generator=generator) * 2
    target = torch.randint(0, max(outputs, 2), shape, generator=generator).to(torch.uint8)
    target[torch.rand(shape, generator=generator) >= labelled] = VOID
    return logits.requires_grad_(), target


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """N x C x H x W, of both classes where there is one logit."""
    if logits.shape[1] == 1:
        foreground = 1 / (1 + np.exp(-logits[:, 0]))
        return np.stack([1 - foreground, foreground], 1)
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def lovasz_extension(errors: dict, truth: set) -> float:
    """Of the set function "Jaccard loss where these pixels are wrong", by its definition."""

    def jaccard_loss(wrong: set) -> float:
        union = truth | wrong
        return 1 - len(truth - wrong) / len(union) if union else 0.0

    order = sorted(errors, key=lambda pixel: -errors[pixel])
    value = 0.0
    for i, pixel in enumerate(order):
        value += errors[pixel] * (jaccard_loss(set(order[: i + 1])) - jaccard_loss(set(order[:i])))
    return value


def lovasz_by_definition(logits: np.ndarray, target: np.ndarray) -> float:
    by_image = []
    for n in range(len(target)):
        pixels = [tuple(p) for p in np.argwhere(target[n] != VOID)]
        classes = [1] if logits.shape[1] == 1 else sorted({int(target[n][p]) for p in pixels})
        values = []
        for c in classes if pixels else []:
            truth = {p for p in pixels if target[n][p] == c}
            if logits.shape[1] == 1:
                errors = {
                    p: max(0.0, 1 - logits[n, 0][p] * (1 if p in truth else -1)) for p in pixels
                }
            else:
                said = probabilities_of(logits)[n, c]
                errors = {p: abs((p in truth) - said[p]) for p in pixels}
            values.append(lovasz_extension(errors, truth))
        if values:
            by_image.append(np.mean(values))
    return float(np.mean(by_image))


def by_definition(logits: np.ndarray, target: np.ndarray, kind: str, weights: np.ndarray) -> float:
    """The loss pixel by pixel, in float64."""
    if kind == "lovasz":
        return lovasz_by_definition(logits, target)
    probabilities = probabilities_of(logits)
    pixels = [tuple(p) for p in np.argwhere(target != VOID)]
    own = [probabilities[n, target[n, y, x], y, x] for n, y, x in pixels]
    loss = -float(np.average(np.log(own), weights=[weights[target[p]] for p in pixels]))
    if kind.endswith("dice"):
        dice = []
        for c in [1] if kind.startswith("bce") else [0, 1, 2]:
            said = [probabilities[n, c, y, x] for n, y, x in pixels]
            true = [float(target[p] == c) for p in pixels]
            hit = sum(a * b for a, b in zip(said, true, strict=True))
            dice.append((2 * hit + 1) / (sum(said) + sum(true) + 1))
        loss += 1 - float(np.mean(dice))
    return loss


@every_kind
@weighted
@given(seed=st.integers(0, 10_000), labelled=st.sampled_from([0.1, 0.5, 1.0]))
def test_losses_are_what_their_names_say(
    kind: str, outputs: int, heavy: bool, seed: int, labelled: float
):
    logits, target = example(outputs, seed, labelled)
    if (target == VOID).all():
        return
    weights = class_weights(outputs) if heavy else None
    plain = np.ones(3) if weights is None else weights.double().numpy()
    expected = by_definition(logits.detach().double().numpy(), target.numpy(), kind, plain)
    loss = segmentation_loss(logits, target, kind, weights=weights)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)


@given(st.integers(0, 10_000), st.sampled_from([2, 4]))
def test_of_a_sure_network_lovasz_is_one_minus_the_iou(seed: int, classes: int):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, classes, (1, 5, 5)).astype(np.uint8)
    said = rng.integers(0, classes, (1, 5, 5))
    logits = torch.nn.functional.one_hot(torch.from_numpy(said), classes).permute(0, 3, 1, 2) * 100
    ious = [
        ((said == c) & (target == c)).sum() / ((said == c) | (target == c)).sum()
        for c in np.unique(target)
    ]
    loss = segmentation_loss(logits.float(), torch.from_numpy(target), "lovasz")
    assert float(loss) == pytest.approx(1 - np.mean(ious), abs=1e-5)


@every_kind
@weighted
def test_a_sparsely_labelled_image_teaches_what_its_labelled_pixels_alone_teach(
    kind: str, outputs: int, heavy: bool
):
    """Through a network that looks at each pixel by itself: the same weights' gradients."""
    generator = torch.Generator().manual_seed(3)
    image = torch.randn(1, 3, 40, 40, generator=generator)
    target = torch.randint(0, max(outputs, 2), (1, 40, 40), generator=generator).to(torch.uint8)
    target[torch.rand(1, 40, 40, generator=generator) >= 0.05] = VOID
    labelled = target != VOID
    assert 20 < int(labelled.sum()) < 200
    net = torch.nn.Conv2d(3, outputs, 1)
    weights = class_weights(outputs) if heavy else None

    def gradients(image: torch.Tensor, target: torch.Tensor) -> list[torch.Tensor]:
        logits = net(image)
        logits.retain_grad()
        loss = segmentation_loss(logits, target, kind, weights=weights)
        of_weights = torch.autograd.grad(loss, [*net.parameters(), logits])
        return list(of_weights)

    whole = gradients(image, target)
    # The same pixels as an image of their own, one row high.
    alone = gradients(image[:, :, labelled[0]][:, :, None, :], target[labelled][None, None, :])
    torch.testing.assert_close(whole[:2], alone[:2])
    assert whole[0].abs().max() > 1e-3
    torch.testing.assert_close(whole[2][:, :, labelled[0]], alone[2][:, :, 0])
    assert (whole[2].permute(1, 0, 2, 3)[:, ~labelled] == 0).all()


@every_kind
def test_what_stands_under_void_is_of_no_matter(kind: str, outputs: int):
    logits, target = example(outputs, 4, 0.5)
    changed = logits.detach().clone()
    changed += (target == VOID)[:, None] * 37.0
    assert float(segmentation_loss(logits, target, kind).detach()) == pytest.approx(
        float(segmentation_loss(changed, target, kind))
    )


@every_kind
def test_an_image_without_labels_leaves_the_loss_of_the_others(kind: str, outputs: int):
    logits, target = example(outputs, 8, 0.5)
    more = torch.cat([logits, torch.randn(1, *logits.shape[1:])])
    void = torch.full_like(target[:1], VOID)
    with_void = segmentation_loss(more, torch.cat([target, void]), kind)
    torch.testing.assert_close(with_void, segmentation_loss(logits, target, kind))


@every_kind
@weighted
@pytest.mark.parametrize("images", [0, 2])
def test_a_batch_without_labels_teaches_nothing_and_breaks_nothing(
    kind: str, outputs: int, heavy: bool, images: int
):
    logits, target = example(outputs, 5, 0.0, shape=(images, 6, 5))
    weights = class_weights(outputs) if heavy else None
    loss = segmentation_loss(logits, target, kind, weights=weights)
    loss.backward()
    assert float(loss.detach()) == 0
    assert (logits.grad == 0).all()


@every_kind
def test_certainty_costs_nothing_when_right_and_stays_finite_when_wrong(kind: str, outputs: int):
    _, target = example(outputs, 6, 0.7)
    classes = torch.where(target == VOID, 0, target).long()
    if outputs == 1:
        right = (classes[:, None].float() * 2 - 1) * 200
    else:
        right = torch.nn.functional.one_hot(classes, 3).permute(0, 3, 1, 2).float() * 200
    assert float(segmentation_loss(right, target, kind)) < 0.01
    wrong = (-right).requires_grad_()
    loss = segmentation_loss(wrong, target, kind)
    loss.backward()
    assert torch.isfinite(loss)
    assert float(loss.detach()) > 0.9
    assert torch.isfinite(wrong.grad).all()


@every_kind
@weighted
def test_processes_with_parts_of_a_batch_have_its_loss_and_together_its_gradient(
    kind: str, outputs: int, heavy: bool
):
    logits, target = example(outputs, 7, 0.3, shape=(5, 8, 8))
    target[3:] = torch.where(target[3:] == 1, VOID, target[3:])  # uneven classes
    target[4] = VOID
    weights = class_weights(outputs) if heavy else None
    whole = segmentation_loss(logits, target, kind, weights=weights)
    whole.backward()
    slices = [slice(0, 3), slice(3, 4), slice(4, 5), slice(5, 5)]

    # What each process would hand over, in the order of its calls.
    handed: list[list[torch.Tensor]] = []
    for part in slices:
        own: list[torch.Tensor] = []

        def hand_over(value: torch.Tensor, own: list[torch.Tensor] = own) -> torch.Tensor:
            own.append(value.detach())
            return identity(value)

        segmentation_loss(logits[part], target[part], kind, weights=weights, total=hand_over)
        handed.append(own)
    assert len({len(own) for own in handed}) == 1, "or an all_reduce would wait for ever"

    summed = torch.zeros_like(logits)
    for part in slices:
        sums = iter([torch.stack(values).sum(0) for values in zip(*handed, strict=True)])

        def all_reduce(value: torch.Tensor, sums=sums) -> torch.Tensor:
            return value + (next(sums) - value.detach())

        piece = logits.detach()[part].requires_grad_()
        loss = segmentation_loss(piece, target[part], kind, weights=weights, total=all_reduce)
        torch.testing.assert_close(loss, whole)
        loss.backward()
        summed[part] = piece.grad
    torch.testing.assert_close(summed, logits.grad)


@every_kind
def test_half_precision_counts_every_pixel(kind: str, outputs: int):
    """bfloat16 cannot hold whole numbers above 256."""
    logits, target = example(outputs, 9, 1.0, shape=(1, 40, 40))
    half = logits.detach().bfloat16()
    expected = segmentation_loss(half.float(), target, kind)
    torch.testing.assert_close(segmentation_loss(half, target, kind), expected)


def test_rare_classes_weigh_more_and_absent_ones_nothing_special():
    # 1000 pixels an image; class 1 is in both, class 2 only in the second, class 3 in none.
    counts = np.array([[900, 100, 0, 0], [500, 250, 250, 0]])
    frequency = np.array([1400 / 2000, 350 / 2000, 250 / 1000])
    expected = [*(np.median(frequency) / frequency), 1.0]
    assert balanced_weights(counts).tolist() == pytest.approx(expected)


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), max_size=5))
def test_balanced_weights_are_bounded(rows: list[list[int]]):
    counts = np.array(rows, np.int64).reshape(len(rows), 3)
    weights = balanced_weights(counts)
    assert weights.dtype == torch.float32
    assert ((weights >= 0.1) & (weights <= 10)).all()
    if counts.sum(0).all():
        shares = counts.sum(0) / ((counts > 0) * counts.sum(1, keepdims=True)).sum(0)
        assert (np.diff(weights.numpy()[np.argsort(shares)]) <= 1e-6).all()
