"""Losses that skip void truly: an unlabelled pixel is in no sum and no denominator.

Each is a function of a few sums over a batch. Where a batch is spread over several processes,
``total`` turns a process's own sum into that of all, so that the loss is the whole batch's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.labels import VOID

Total = Callable[[Tensor], Tensor]

_HEAVIEST = 10.0


def identity(value: Tensor) -> Tensor:
    """The ``total`` of a batch that lies whole in this process."""
    return value


def segmentation_loss(
    logits: Tensor,
    target: Tensor,
    kind: str,
    *,
    weights: Tensor | None = None,
    total: Total = identity,
) -> Tensor:
    """The loss of a batch: a scalar.

    logits: float N x C x H x W (C = 1 for ``bce`` and ``bce_dice``); target: uint8 N x H x W,
    class ids and VOID. kind: bce, bce_dice, ce, ce_dice, lovasz. weights: float C (2 for one
    logit), how much a class's pixels count in the cross-entropy; Dice and Lovász look at each
    class by itself anyway. total: gives the sum of a tensor over all processes, with the gradient
    of this one's part; each calls it equally often. A batch without a labelled pixel has loss 0.
    """
    logits = logits.float()  # half precision cannot count pixels
    labelled = target != VOID
    if kind == "lovasz":
        return lovasz(logits, target, labelled, total)
    pixel_loss = binary_cross_entropy if kind.startswith("bce") else cross_entropy
    loss = pixel_loss(logits, target, labelled, weights, total)
    return loss + dice_loss(logits, target, labelled, total) if kind.endswith("dice") else loss


def binary_cross_entropy(
    logits: Tensor, target: Tensor, labelled: Tensor, weights: Tensor | None, total: Total
) -> Tensor:
    """Weighted mean of the binary cross-entropy over labelled pixels. logits: N x 1 x H x W."""
    truth = target[labelled]
    weight = None if weights is None else weights[truth.long()]
    summed = functional.binary_cross_entropy_with_logits(
        logits[:, 0][labelled], truth.to(logits.dtype), weight, reduction="sum"
    )
    return _weighted_mean(summed, truth, weights, total)


def cross_entropy(
    logits: Tensor, target: Tensor, labelled: Tensor, weights: Tensor | None, total: Total
) -> Tensor:
    """Weighted mean of the cross-entropy over labelled pixels. logits: N x C x H x W."""
    summed = functional.cross_entropy(
        logits, target.long(), weights, ignore_index=VOID, reduction="sum"
    )
    return _weighted_mean(summed, target[labelled], weights, total)


def dice_loss(
    logits: Tensor, target: Tensor, labelled: Tensor, total: Total, smooth: float = 1.0
) -> Tensor:
    """1 - soft Dice over the batch's labelled pixels (Milletari et al. 2016, squared-free form).

    One logit: Dice of the foreground. More: the mean over the classes.
    """
    if logits.shape[1] == 1:
        probability = torch.sigmoid(logits)
        truth = (target == 1)[:, None].to(logits.dtype)
    else:
        probability = torch.softmax(logits, dim=1)
        truth = _one_hot(target, logits.shape[1]).to(logits.dtype)
    weight = labelled[:, None].to(logits.dtype)
    over = (0, 2, 3)
    hit = total((probability * truth * weight).sum(over))
    both = total(((probability + truth) * weight).sum(over))
    return 1 - ((2 * hit + smooth) / (both + smooth)).mean()


def lovasz(logits: Tensor, target: Tensor, labelled: Tensor, total: Total) -> Tensor:
    """The Lovász extension of the Jaccard loss (Berman et al. 2018): hinge or softmax.

    One logit: the hinge of the foreground. More: the mean over the classes that the image's truth
    holds. By image, then the mean over those with a labelled pixel: that follows the IoU an image,
    and images can be summed over processes (the sorting of one image cannot).
    """
    truth = target[:, None] == 1 if logits.shape[1] == 1 else _one_hot(target, logits.shape[1])
    if logits.shape[1] == 1:
        errors = functional.relu(1 - logits * (2 * truth.to(logits.dtype) - 1))
        counted = labelled.any(-1).any(-1)[:, None]
    else:
        errors = (truth.to(logits.dtype) - torch.softmax(logits, dim=1)).abs()
        counted = truth.any(-1).any(-1)
    each = _lovasz_extension(
        errors.flatten(2), truth.flatten(2), labelled[:, None].expand_as(truth).flatten(2)
    )
    # Of an image without a labelled pixel nothing is counted: 0 / 1.
    images = torch.where(counted, each, 0).sum(1) / counted.sum(1).clamp_min(1)
    some = counted.any(1).sum().to(logits.dtype)
    mean: Tensor = total(images.sum()) / total(some).clamp_min(1)
    return mean


def balanced_weights(counts: np.ndarray) -> Tensor:
    """Class weights by median frequency (Eigen & Fergus 2015): float32 C, within 0.1 and 10.

    counts: int64 N x C, labelled pixels of each class in each image. A class's frequency is its
    share of the labelled pixels of the images that hold it; its weight is the median of all
    frequencies by its own. A class that no image holds has weight 1.
    """
    held = counts > 0
    of_holders = (held * counts.sum(1, keepdims=True)).sum(0)
    present = of_holders > 0
    frequency = counts.sum(0)[present] / of_holders[present]
    weights = np.ones(counts.shape[1], np.float32)
    if present.any():
        balanced = np.median(frequency) / frequency
        weights[present] = balanced.clip(1 / _HEAVIEST, _HEAVIEST)
    return torch.from_numpy(weights)


def _weighted_mean(summed: Tensor, truth: Tensor, weights: Tensor | None, total: Total) -> Tensor:
    """The pixels' summed loss by their summed weights. truth: class ids of the labelled pixels."""
    if weights is None:
        weight = torch.tensor(float(truth.numel()), device=summed.device)
    else:
        weight = weights[truth.long()].sum()
    # Without a labelled pixel: 0 / tiny.
    mean: Tensor = total(summed) / total(weight.to(summed.dtype)).clamp_min(1e-6)
    return mean


def _one_hot(target: Tensor, classes: int) -> Tensor:
    """bool N x C x H x W; void is no class."""
    return target[:, None] == torch.arange(classes, device=target.device).view(1, -1, 1, 1)


def _lovasz_extension(errors: Tensor, truth: Tensor, labelled: Tensor) -> Tensor:
    """The Jaccard loss's Lovász extension at each row's errors. All ... x pixels; returns ...

    errors: >= 0; truth, labelled: bool. Algorithm 1 of Berman et al. 2018; void sorts behind
    everything, where it changes nothing that counts.
    """
    order = torch.where(labelled, errors.detach(), -1).argsort(dim=-1, descending=True, stable=True)
    errors, truth, labelled = (t.gather(-1, order) for t in (errors, truth, labelled))
    # Counts, exact in float32 up to 2 ** 24 pixels an image.
    found = (truth & labelled).cumsum(-1).to(errors.dtype)
    wrong = (~truth & labelled).cumsum(-1).to(errors.dtype)
    all_true = found[..., -1:]
    jaccard = 1 - (all_true - found) / (all_true + wrong).clamp_min(1)
    steps = torch.diff(jaccard, dim=-1, prepend=torch.zeros_like(all_true))
    return torch.where(labelled, errors * steps, 0).sum(-1)
