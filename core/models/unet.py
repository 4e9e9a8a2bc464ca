"""The U-Net (Ronneberger, Fischer, Brox 2015), optionally with attention gates (Oktay et al. 2018).

Different from the paper: padded convolutions, a norm after each, and a free width and depth.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

MOST_LEVELS = 8
MOST_CHANNELS = 4096

Norm = Literal["batch", "group"]
Upsampling = Literal["bilinear", "transposed"]


class UNet(nn.Module):
    """A U-Net of ``depth`` poolings; level i has ``width * 2**i`` channels.

    Input: float N x 3 x H x W with H and W multiples of ``stride`` (2**depth).
    Output: logits N x ``outputs`` x H x W. Raises ValueError for more than eight poolings, and
    for a width that is none.
    """

    def __init__(
        self,
        outputs: int,
        width: int = 16,
        depth: int = 4,
        norm: Norm = "batch",
        dropout: float = 0.0,
        upsampling: Upsampling = "bilinear",
        attention: bool = False,
    ) -> None:
        super().__init__()
        if not 0 <= depth <= MOST_LEVELS:
            raise ValueError(f"{depth} levels; a U-Net has 0 to {MOST_LEVELS}")
        if not 1 <= width <= MOST_CHANNELS:
            raise ValueError(f"{width} channels; a U-Net's first level has 1 to {MOST_CHANNELS}")
        channels = [width * 2**i for i in range(depth + 1)]
        self.stride = 2**depth
        self.first = double_conv(3, channels[0], norm, dropout)
        self.down = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), double_conv(i, o, norm, dropout))
            for i, o in pairwise(channels)
        )
        self.up = nn.ModuleList(
            UpBlock(below, skip, skip, norm, dropout, upsampling, attention)
            for below, skip in zip(channels[:0:-1], channels[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(channels[0], outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = [self.first(x)]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.up:
            x = up(x, skips.pop())
        logits: Tensor = self.head(x)
        return logits


class UpBlock(nn.Module):
    """Doubles the resolution, joins the skip connection, convolves twice."""

    def __init__(
        self,
        below: int,
        skip: int,
        out: int,
        norm: Norm = "batch",
        dropout: float = 0.0,
        upsampling: Upsampling = "bilinear",
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.up = (
            nn.ConvTranspose2d(below, below // 2, 2, stride=2)
            if upsampling == "transposed"
            else nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        )
        raised = below // 2 if upsampling == "transposed" else below
        self.gate = AttentionGate(raised, skip) if attention else None
        self.conv = double_conv(raised + skip, out, norm, dropout)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        if self.gate is not None:
            skip = self.gate(x, skip)
        joined: Tensor = self.conv(torch.cat([x, skip], dim=1))
        return joined


class AttentionGate(nn.Module):
    """Weighs a skip connection by what the level below says (Oktay et al. 2018, equation 1)."""

    def __init__(self, signal: int, skip: int) -> None:
        super().__init__()
        inner = max(skip // 2, 1)
        self.signal = nn.Conv2d(signal, inner, 1)
        self.skip = nn.Conv2d(skip, inner, 1, bias=False)
        self.weigh = nn.Conv2d(inner, 1, 1)

    def forward(self, signal: Tensor, skip: Tensor) -> Tensor:
        weight = torch.sigmoid(self.weigh(functional.relu(self.signal(signal) + self.skip(skip))))
        return skip * weight


def double_conv(inputs: int, outputs: int, norm: Norm, dropout: float) -> nn.Sequential:
    """Two 3 x 3 convolutions, each with norm and ReLU; dropout of whole channels after them."""
    layers = [*conv_norm(inputs, outputs, norm), *conv_norm(outputs, outputs, norm)]
    if dropout > 0:
        layers.append(nn.Dropout2d(dropout))
    return nn.Sequential(*layers)


def conv_norm(inputs: int, outputs: int, norm: Norm) -> list[nn.Module]:
    """A 3 x 3 convolution, its norm, ReLU."""
    # 8 groups, or fewer where the channels do not divide.
    groups = next(g for g in (8, 4, 2, 1) if outputs % g == 0)
    normed = nn.BatchNorm2d(outputs) if norm == "batch" else nn.GroupNorm(groups, outputs)
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), normed, nn.ReLU(inplace=True)]
