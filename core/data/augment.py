"""Augmentation of whole batches on tensors; what is turned into the picture is void.

What happens to each image is drawn first, for the whole batch, and applied then: so a batch that
is taken in parts, or by several processes, becomes what one process would have made of it.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from core.images import encode_jpeg
from core.labels import VOID

Augment = Literal["none", "geometric", "full", "strong"]

_LUMA = (0.299, 0.587, 0.114)
_WINDOWS = (3, 7)  # pixels: what soft and softer pictures are averaged over
_GRAIN = (4.0, 25.0)  # of 255: the standard deviation of a dark photo's noise
_QUALITIES = (8, 50)  # of JPEG files that were made small


@dataclass(frozen=True)
class _Ranges:
    """What is drawn from.

    turn: radians, to either side; shift, scale: shares of the picture; lying: share of the images
    that are turned by a quarter, a half or three quarters as well. light: factors of brightness,
    contrast, saturation and of each colour, () to leave all as it is. blurred: shares of the
    images that are softer at least, and soft at least. grainy, squeezed: shares of the images with
    a sensor's noise, and with what a small JPEG file leaves of them.
    """

    turn: float = math.radians(20)
    shift: float = 0.12
    scale: tuple[float, float] = (0.6, 1.5)
    lying: float = 0
    light: tuple[tuple[float, float], ...] = ()
    blurred: tuple[float, float] = (0, 0.15)
    grainy: float = 0
    squeezed: float = 0


_RANGES = {
    "geometric": _Ranges(scale=(0.85, 1.2)),
    "full": _Ranges(light=((0.65, 1.35), (0.65, 1.35), (0.4, 1.4), (0.9, 1.1))),
    "strong": _Ranges(
        turn=math.radians(25),
        shift=0.15,
        scale=(0.4, 1.8),
        lying=0.1,
        light=((0.3, 1.5), (0.5, 1.5), (0, 1.6), (0.85, 1.15)),
        blurred=(0.08, 0.2),
        grainy=0.15,
        squeezed=0.15,
    ),
}


@dataclass(frozen=True)
class Recipe:
    """What happens to each image of a batch: one row an image; ``recipe[a:b]`` is of those alone.

    affine: float N x 2 x 3, from the new picture's coordinates (-1 to 1) to the old one's, N x 0
    where nothing moves. light: float N x 6, factors of brightness, contrast, saturation, red,
    green and blue, N x 0 where colours stay. blur: int64 N: 0 sharp, 1 soft, 2 softer. grain:
    float N, the standard deviation of noise (0 to 255), seed: int64 N, what it is drawn with.
    quality: int64 N, of a JPEG file, 0 for none.
    """

    affine: Tensor
    light: Tensor
    blur: Tensor
    grain: Tensor
    seed: Tensor
    quality: Tensor

    def __len__(self) -> int:
        return len(self.blur)

    def __getitem__(self, rows: slice | Tensor) -> Recipe:
        return Recipe(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw(kind: Augment, n: int, generator: torch.Generator) -> Recipe:
    """Flips, turns, scales and shifts for n images; with ``full`` colours and sharpness too.

    ``strong`` has wider ranges: dark, grey, soft, grainy and squeezed pictures among them.
    """
    none = torch.zeros(n, dtype=torch.int64)
    same = Recipe(torch.empty(n, 0), torch.empty(n, 0), none, torch.zeros(n), none, none)
    if kind == "none":
        return same
    ranges = _RANGES[kind]
    same = replace(same, affine=_draw_affine(n, ranges, generator))
    if not ranges.light:
        return same
    *factors, tints = ranges.light
    light = [_uniform(n, *limits, generator) for limits in factors]
    tint = _uniform(3 * n, *tints, generator).view(n, 3)
    chance = _uniform(n, 0, 1, generator)
    blur = none + sum((chance < share).long() for share in ranges.blurred)
    coloured = replace(same, light=torch.cat([torch.stack(light, dim=1), tint], dim=1), blur=blur)
    if not ranges.grainy:
        return coloured
    grain = torch.where(_few(ranges.grainy, n, generator), _uniform(n, *_GRAIN, generator), 0)
    seed = torch.randint(2**31, (n,), generator=generator)
    lowest, highest = _QUALITIES
    quality = torch.randint(lowest, highest + 1, (n,), generator=generator)
    quality = torch.where(_few(ranges.squeezed, n, generator), quality, 0)
    return replace(coloured, grain=grain, seed=seed, quality=quality)


def draw_donors(share: float, n: int, generator: torch.Generator) -> Tensor:
    """Which image of a batch is pasted into each: int64 n, -1 for none, never itself.

    share: of the images that get one.
    """
    if n < 2:
        return torch.full((n,), -1)
    other = (torch.arange(n) + torch.randint(1, n, (n,), generator=generator)) % n
    return torch.where(_few(share, n, generator), other, -1)


def paste(
    images: Tensor, masks: Tensor, donors: Tensor, donor_masks: Tensor
) -> tuple[Tensor, Tensor]:
    """The donors' objects, all that is neither background nor void, laid over the images.

    Copy-paste (Ghiasi et al. 2021), within a batch: images, donors: float N x 3 x S x S; masks:
    uint8 N x S x S. Returns the same types.
    """
    object_ = (donor_masks != 0) & (donor_masks != VOID)
    return torch.where(object_[:, None], donors, images), torch.where(object_, donor_masks, masks)


def shrink(images: Tensor, masks: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """A batch at fewer pixels: the images averaged, the masks by nearest neighbour.

    images: float N x 3 x S x S; masks: uint8 N x S x S; returns the same types, ``size`` x
    ``size``, or the batch itself where it is no larger.
    """
    if images.shape[-1] <= size:
        return images, masks
    smaller = functional.interpolate(images, size, mode="area")
    nearest = functional.interpolate(masks[:, None], size, mode="nearest-exact")[:, 0]
    return smaller, nearest


def apply(images: Tensor, masks: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Change a batch as its recipe says, on the batch's own device.

    images: float N x 3 x S x S, 0 to 255; masks: uint8 N x S x S. Returns the same types: masks by
    nearest neighbour, what comes from outside is the mirrored picture under a void mask.
    """
    if recipe.affine.numel():
        images, masks = _move(images, masks, recipe.affine.to(images.device))
    if recipe.light.numel():
        images = _recolour(images, recipe.light.to(images.device), recipe.blur.to(images.device))
        _degrade(images, recipe)
    return images, masks


def _draw_affine(n: int, ranges: _Ranges, generator: torch.Generator) -> Tensor:
    turn = _uniform(n, -ranges.turn, ranges.turn, generator)
    smallest, largest = ranges.scale
    zoom = torch.exp(_uniform(n, math.log(1 / largest), math.log(1 / smallest), generator))
    flip = torch.where(_uniform(n, 0, 1, generator) < 0.5, -1.0, 1.0)
    shift = _uniform(2 * n, -2 * ranges.shift, 2 * ranges.shift, generator).view(n, 2)
    if ranges.lying:
        quarters = torch.randint(1, 4, (n,), generator=generator)
        lying = _few(ranges.lying, n, generator)
        turn = turn + torch.where(lying, quarters * (math.pi / 2), 0)
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
    for level, window in enumerate(_WINDOWS, start=1):
        rows = blur == level
        if rows.any():
            images[rows] = functional.avg_pool2d(
                images[rows], window, 1, window // 2, count_include_pad=False
            )
    return images.clamp(0, 255)


def _degrade(images: Tensor, recipe: Recipe) -> None:
    """Noise, then JPEG, in place: a phone's photo in the dark, sent around."""
    for row in torch.nonzero(recipe.grain).flatten().tolist():
        generator = torch.Generator().manual_seed(int(recipe.seed[row]))
        noise = torch.randn(images[row].shape, generator=generator) * recipe.grain[row]
        images[row] = (images[row] + noise.to(images.device)).clamp(0, 255)
    for row in torch.nonzero(recipe.quality).flatten().tolist():
        pixels = images[row].to("cpu", torch.uint8).permute(1, 2, 0).numpy()
        with Image.open(io.BytesIO(encode_jpeg(pixels, int(recipe.quality[row])))) as file:
            images[row] = torch.from_numpy(np.array(file)).permute(2, 0, 1).to(images)


def _few(share: float, n: int, generator: torch.Generator) -> Tensor:
    return _uniform(n, 0, 1, generator) < share


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)
