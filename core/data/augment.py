"""Augmentation of whole batches on tensors; what is turned into the picture is void.

What happens to each image is drawn first, for the whole batch, and applied then: so a batch that
is taken in parts, or by several processes, becomes what one process would have made of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
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
_BLURRED = 0.15


@dataclass(frozen=True)
class Recipe:
    """What happens to each image of a batch: one row an image; ``recipe[a:b]`` is of those alone.

    affine: float N x 2 x 3, from the new picture's coordinates (-1 to 1) to the old one's, N x 0
    where nothing moves. light: float N x 6, factors of brightness, contrast, saturation, red,
    green and blue, N x 0 where colours stay. blur: bool N.
    """

    affine: Tensor
    light: Tensor
    blur: Tensor

    def __len__(self) -> int:
        return len(self.blur)

    def __getitem__(self, rows: slice) -> Recipe:
        return Recipe(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw(kind: Augment, n: int, generator: torch.Generator) -> Recipe:
    """Flips, turns, scales and shifts for n images; with ``full`` colours and sharpness too."""
    nothing = torch.empty(n, 0)
    never = torch.zeros(n, dtype=torch.bool)
    if kind == "none":
        return Recipe(nothing, nothing, never)
    affine = _draw_affine(n, _SCALE[kind], generator)
    if kind == "geometric":
        return Recipe(affine, nothing, never)
    light = [_uniform(n, *limits, generator) for limits in ((0.65, 1.35), (0.65, 1.35), (0.4, 1.4))]
    tint = _uniform(3 * n, 0.9, 1.1, generator).view(n, 3)
    blur = _uniform(n, 0, 1, generator) < _BLURRED
    return Recipe(affine, torch.cat([torch.stack(light, dim=1), tint], dim=1), blur)


def apply(images: Tensor, masks: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Change a batch as its recipe says, on the batch's own device.

    images: float N x 3 x S x S, 0 to 255; masks: uint8 N x S x S. Returns the same types: masks by
    nearest neighbour, what comes from outside is the mirrored picture under a void mask.
    """
    if recipe.affine.numel():
        images, masks = _move(images, masks, recipe.affine.to(images.device))
    if recipe.light.numel():
        images = _recolour(images, recipe.light.to(images.device), recipe.blur.to(images.device))
    return images, masks


def _draw_affine(n: int, scales: tuple[float, float], generator: torch.Generator) -> Tensor:
    turn = _uniform(n, -_TURN, _TURN, generator)
    zoom = torch.exp(_uniform(n, math.log(1 / scales[1]), math.log(1 / scales[0]), generator))
    flip = torch.where(_uniform(n, 0, 1, generator) < 0.5, -1.0, 1.0)
    shift = _uniform(2 * n, -2 * _SHIFT, 2 * _SHIFT, generator).view(n, 2)
    cos, sin = torch.cos(turn) * zoom, torch.sin(turn) * zoom
    rows = [flip * cos, -sin, shift[:, 0], flip * sin, cos, shift[:, 1]]
    return torch.stack(rows, dim=1).view(n, 2, 3)


def _move(images: Tensor, masks: Tensor, affine: Tensor) -> tuple[Tensor, Tensor]:
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    # Shifted by one, zero is free to mean "came from outside".
    inside = functional.grid_sample(
        masks[:, None].float() + 1, grid, mode="nearest", padding_mode="zeros", align_corners=False
    )[:, 0]
    turned = torch.where(inside == 0, float(VOID), inside - 1)
    return moved, turned.to(torch.uint8)


def _recolour(images: Tensor, light: Tensor, blur: Tensor) -> Tensor:
    brightness, contrast, saturation = light[:, :3, None, None, None].unbind(1)
    tint = light[:, 3:, None, None]
    luma = torch.tensor(_LUMA, device=images.device).view(1, 3, 1, 1)
    images = images * brightness
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * contrast
    grey = (images * luma).sum(1, keepdim=True)
    images = grey + (images - grey) * saturation
    images = images * tint
    soft = functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    return torch.where(blur[:, None, None, None], soft, images).clamp(0, 255)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)
