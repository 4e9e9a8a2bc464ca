"""Augmentation of whole batches on tensors; what is turned into the picture is void."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from core.labels import VOID

Augment = Literal["none", "geometric", "full"]

# Ranges: turns in radians, scales and shifts as shares of the picture.
_TURN = math.radians(20)
_SHIFT = 0.12
_SCALE = {"geometric": (0.85, 1.2), "full": (0.6, 1.5)}
_LUMA = (0.299, 0.587, 0.114)


def augment(
    images: Tensor, masks: Tensor, kind: Augment, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Flip, turn, scale and shift a batch; with ``full`` change its colours and sharpness too.

    images: float N x 3 x S x S, 0 to 255; masks: uint8 N x S x S. Returns the same types.
    """
    if kind == "none":
        return images, masks
    images, masks = _geometric(images, masks, _SCALE[kind], generator)
    if kind == "full":
        images = _colours(images, generator)
    return images, masks


def _geometric(
    images: Tensor, masks: Tensor, scales: tuple[float, float], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    n = len(images)
    turn = _uniform(n, -_TURN, _TURN, generator)
    zoom = torch.exp(_uniform(n, math.log(1 / scales[1]), math.log(1 / scales[0]), generator))
    flip = torch.where(_uniform(n, 0, 1, generator) < 0.5, -1.0, 1.0)
    shift = _uniform(2 * n, -2 * _SHIFT, 2 * _SHIFT, generator).view(n, 2)
    cos, sin = torch.cos(turn) * zoom, torch.sin(turn) * zoom
    rows = torch.stack([flip * cos, -sin, shift[:, 0], flip * sin, cos, shift[:, 1]], dim=1).view(
        n, 2, 3
    )
    grid = functional.affine_grid(rows.to(images.device), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    # Shifted by one, zero is free to mean "came from outside".
    inside = functional.grid_sample(
        masks[:, None].float() + 1, grid, mode="nearest", padding_mode="zeros", align_corners=False
    )[:, 0]
    turned = torch.where(inside == 0, float(VOID), inside - 1)
    return moved, turned.to(torch.uint8)


def _colours(images: Tensor, generator: torch.Generator) -> Tensor:
    n = len(images)

    def factor(low: float, high: float) -> Tensor:
        return _uniform(n, low, high, generator).view(n, 1, 1, 1).to(images.device)

    luma = torch.tensor(_LUMA, device=images.device).view(1, 3, 1, 1)
    images = images * factor(0.65, 1.35)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * factor(0.65, 1.35)
    grey = (images * luma).sum(1, keepdim=True)
    images = grey + (images - grey) * factor(0.4, 1.4)
    tint = _uniform(3 * n, 0.9, 1.1, generator).view(n, 3, 1, 1).to(images.device)
    images = images * tint
    soft = functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    blurred = factor(0, 1) < 0.15
    return torch.where(blurred, soft, images).clamp(0, 255)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)
