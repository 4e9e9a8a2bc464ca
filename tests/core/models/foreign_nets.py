"""U-Nets written as other programs write them, and what they say of a picture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class DoubleConv(nn.Module):
    def __init__(self, inputs: int, outputs: int, middle: int = 0, bias: bool = False) -> None:
        super().__init__()
        middle = middle or outputs
        self.double_conv = nn.Sequential(
            nn.Conv2d(inputs, middle, 3, padding=1, bias=bias),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, outputs, 3, padding=1, bias=bias),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, inputs: int, outputs: int, bias: bool) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(inputs, outputs, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, inputs: int, outputs: int, bilinear: bool, bias: bool) -> None:
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(inputs, outputs, inputs // 2, bias=bias)
        else:
            self.up = nn.ConvTranspose2d(inputs, inputs // 2, 2, stride=2)
            self.conv = DoubleConv(inputs, outputs, bias=bias)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([skip, self.up(x)], dim=1))


class OutConv(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class MilesialUNet(nn.Module):
    """Named and wired as Pytorch-UNet, with two poolings."""

    def __init__(
        self, outputs: int, bilinear: bool, width: int = 4, bias: bool = False, inputs: int = 3
    ) -> None:
        super().__init__()
        factor = 2 if bilinear else 1
        self.inc = DoubleConv(inputs, width, bias=bias)
        self.down1 = Down(width, 2 * width, bias)
        self.down2 = Down(2 * width, 4 * width // factor, bias)
        self.up1 = Up(4 * width, 2 * width // factor, bilinear, bias)
        self.up2 = Up(2 * width, width, bilinear, bias)
        self.outc = OutConv(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        one = self.inc(x)
        two = self.down1(one)
        return self.outc(self.up2(self.up1(self.down2(two), two), one))


class Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = DoubleConv(inputs, outputs).double_conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class TutorialUNet(nn.Module):
    """Named and wired as the tutorials' U-Net: downs, bottleneck, ups, final_conv."""

    def __init__(self, outputs: int, width: int = 4) -> None:
        super().__init__()
        self.ups = nn.ModuleList()
        self.downs = nn.ModuleList([Conv(3, width), Conv(width, 2 * width)])
        for channels in (2 * width, width):
            self.ups.append(nn.ConvTranspose2d(2 * channels, channels, 2, stride=2))
            self.ups.append(Conv(2 * channels, channels))
        self.bottleneck = Conv(2 * width, 4 * width)
        self.final_conv = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for i in range(0, len(self.ups), 2):
            x = self.ups[i + 1](torch.cat([skips.pop(), self.ups[i](x)], dim=1))
        return self.final_conv(x)


def settled(net: nn.Module, seed: int = 0) -> nn.Module:
    """The network in eval mode with random weights, its norms' statistics those of noise."""
    torch.manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.reset_parameters()
    net.train()
    with torch.no_grad():
        for _ in range(8):
            net(torch.rand(2, 3, 64, 64))
    return net.eval()


@torch.no_grad()
def said(net: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """Class probabilities (C x H x W) of a network that takes 0 to 1 and gives logits."""
    image = torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()).float() / 255
    logits = net(image)[0]
    if len(logits) == 1:
        p = torch.sigmoid(logits[0])
        return torch.stack([1 - p, p]).numpy()
    return torch.softmax(logits, 0).numpy()
