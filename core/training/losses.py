"""Losses that skip void truly: an unlabelled pixel is in no sum and no denominator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from core.labels import VOID


def segmentation_loss(logits: Tensor, target: Tensor, kind: str) -> Tensor:
    """The loss of a batch: a scalar.

    logits: float N x C x H x W (C = 1 for ``bce`` and ``bce_dice``); target: uint8 N x H x W,
    class ids and VOID. kind: bce, bce_dice, ce, ce_dice. A batch without a labelled pixel has the
    loss 0.
    """
    labelled = target != VOID
    pixel_loss = binary_cross_entropy if kind.startswith("bce") else cross_entropy
    loss = pixel_loss(logits, target, labelled)
    return loss + dice_loss(logits, target, labelled) if kind.endswith("dice") else loss


def binary_cross_entropy(logits: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
    """Mean binary cross-entropy over labelled pixels. logits: N x 1 x H x W."""
    values = logits[:, 0][labelled]
    if values.numel() == 0:
        return logits.sum() * 0
    return functional.binary_cross_entropy_with_logits(values, target[labelled].float())


def cross_entropy(logits: Tensor, target: Tensor, labelled: Tensor) -> Tensor:
    """Mean cross-entropy over labelled pixels. logits: N x C x H x W."""
    summed = functional.cross_entropy(logits, target.long(), ignore_index=VOID, reduction="sum")
    mean: Tensor = summed / labelled.sum().clamp_min(1)
    return mean


def dice_loss(logits: Tensor, target: Tensor, labelled: Tensor, smooth: float = 1.0) -> Tensor:
    """1 - soft Dice over the batch's labelled pixels (Milletari et al. 2016, squared-free form).

    One logit: Dice of the foreground. More: the mean over the classes.
    """
    if logits.shape[1] == 1:
        probability = torch.sigmoid(logits)
        truth = (target == 1)[:, None].to(logits.dtype)
    else:
        probability = torch.softmax(logits, dim=1)
        classes = torch.arange(logits.shape[1], device=target.device).view(1, -1, 1, 1)
        truth = (target[:, None] == classes).to(logits.dtype)
    weight = labelled[:, None].to(logits.dtype)
    over = (0, 2, 3)
    hit = (probability * truth * weight).sum(over)
    total = ((probability + truth) * weight).sum(over)
    return 1 - ((2 * hit + smooth) / (total + smooth)).mean()
