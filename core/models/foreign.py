"""U-Nets as other programs build them, so that weights trained there go on here."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from core.models.unet import MOST_CHANNELS, MOST_LEVELS, Upsampling


class PlainUNet(nn.Module):
    """The U-Net of Pytorch-UNet (milesial) and of the many tutorials that follow it.

    down: each level's channels after its first and second convolution, from the full resolution
    to the coarsest; up: the same on the way back. bias: whether convolutions have one besides
    their batch norm's. Skip connections come before what was enlarged, and bilinear enlarging
    aligns the corners: both other than in ``UNet``. Input: float N x 3 x H x W with H and W
    multiples of ``stride``. Output: logits N x ``outputs`` x H x W.
    Raises ValueError where the channels do not make a network.
    """

    def __init__(
        self,
        outputs: int,
        down: Sequence[Sequence[int]],
        up: Sequence[Sequence[int]],
        upsampling: Upsampling,
        bias: bool = False,
    ) -> None:
        super().__init__()
        if not 2 <= len(down) <= MOST_LEVELS + 1 or len(up) != len(down) - 1:
            raise ValueError(f"{len(down)} levels down and {len(up)} up make no U-Net")
        if any(len(b) != 2 or not 1 <= min(b) <= max(b) <= MOST_CHANNELS for b in (*down, *up)):
            raise ValueError(f"each level has two numbers of channels, at most {MOST_CHANNELS}")
        self.stride = 2 ** len(up)
        before = [3, *(out for _, out in down[:-1])]
        self.down = nn.ModuleList(
            _convolve_twice(inputs, block, bias) for inputs, block in zip(before, down, strict=True)
        )
        self.up = nn.ModuleList()
        self.join = nn.ModuleList()
        below = down[-1][1]
        for (_, skip), block in zip(down[-2::-1], up, strict=True):
            transposed = upsampling == "transposed"
            raised = below // 2 if transposed else below
            self.up.append(
                nn.ConvTranspose2d(below, raised, 2, stride=2)
                if transposed
                else nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            )
            self.join.append(_convolve_twice(skip + raised, block, bias))
            below = block[1]
        self.head = nn.Conv2d(below, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([skips.pop(), up(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits


class ResnetUNet(nn.Module):
    """``segmentation_models_pytorch.Unet`` on a ResNet, with its defaults.

    encoder: resnet18 or resnet34; decoder: the channels of its five blocks. Input and output as
    ``PlainUNet``'s. Raises ValueError for other encoders.
    """

    stride = 32

    def __init__(self, outputs: int, encoder: str, decoder: Sequence[int]) -> None:
        super().__init__()
        if encoder not in ("resnet18", "resnet34"):
            raise ValueError(f"unknown encoder: {encoder}")
        if len(decoder) != 5 or not 1 <= min(decoder) <= max(decoder) <= MOST_CHANNELS:
            raise ValueError(f"a decoder has five blocks of at most {MOST_CHANNELS} channels")
        self.encoder = torchvision.models.get_model(encoder, weights=None)
        del self.encoder.fc, self.encoder.avgpool  # the classifier's alone
        self.decoder = nn.ModuleList()
        below = 512
        for skip, out in zip((256, 128, 64, 64, 0), decoder, strict=True):
            self.decoder.append(_convolve_twice(below + skip, (out, out), bias=False))
            below = out
        self.head = nn.Conv2d(below, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        encoder = self.encoder
        skips = [encoder.relu(encoder.bn1(encoder.conv1(x)))]
        x = encoder.maxpool(skips[0])
        for layer in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
            x = layer(x)
            skips.append(x)
        skips.pop()
        for block in self.decoder:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skips.pop()], dim=1) if skips else x)
        logits: Tensor = self.head(x)
        return logits


def _convolve_twice(inputs: int, block: Sequence[int], bias: bool) -> nn.Sequential:
    middle, outputs = block
    layers: list[nn.Module] = []
    for ins, outs in ((inputs, middle), (middle, outputs)):
        layers += [
            nn.Conv2d(ins, outs, 3, padding=1, bias=bias),
            nn.BatchNorm2d(outs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
