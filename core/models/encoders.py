"""U-Nets on torchvision's encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from core.models.unet import UpBlock


@dataclass(frozen=True)
class Decoder:
    """What an encoder's features become a mask with.

    stages: so many of the encoder's five are used; channels: of each block upwards. context:
    channels of the spatial pyramid at the bottom, 0 for none. subpixel: the last doubling is
    learnt (Shi et al. 2016), else bilinear.
    """

    channels: tuple[int, ...]
    stages: int = 5
    context: int = 0
    subpixel: bool = False


DECODERS = {
    "slim": Decoder((128, 64, 32, 16)),
    "fine": Decoder((128, 64, 32, 16), context=128, subpixel=True),
    "light": Decoder((64, 32, 16), stages=4, context=64, subpixel=True),
}


@dataclass(frozen=True)
class _Taps:
    """Where an encoder's ``features`` are cut, and the channels that leave each cut."""

    ends: tuple[int, ...]
    channels: tuple[int, ...]
    stride: int = 32


# Each stage halves the resolution; the last layers before the classifier are left out, since
# they serve only the 1,000 classes. VGG is cut before its poolings, so its first stage is whole.
_FEATURES = {
    "mobilenet_v2": _Taps((2, 4, 7, 14, 18), (16, 24, 32, 96, 320)),
    "mobilenet_v3_small": _Taps((1, 2, 4, 9, 12), (16, 16, 24, 48, 96)),
    "mobilenet_v3_large": _Taps((2, 4, 7, 13, 16), (16, 24, 40, 112, 160)),
    "efficientnet_b0": _Taps((2, 3, 4, 6, 8), (16, 24, 40, 112, 320)),
    "vgg11_bn": _Taps((3, 7, 14, 21, 28), (64, 128, 256, 512, 512), stride=16),
}
_RESNETS = {"resnet18": (64, 64, 128, 256, 512), "resnet34": (64, 64, 128, 256, 512)}
ENCODERS = (*_FEATURES, *_RESNETS)


class EncoderUNet(nn.Module):
    """A torchvision encoder and one of DECODERS.

    Input: float N x 3 x H x W with H and W multiples of ``stride``. Output: logits
    N x ``outputs`` x H x W. Raises ValueError: no such encoder or decoder.
    """

    def __init__(self, outputs: int, encoder: str, decoder: str = "slim") -> None:
        super().__init__()
        if encoder not in ENCODERS:
            raise ValueError(f"unknown encoder: {encoder}")
        if decoder not in DECODERS:
            raise ValueError(f"unknown decoder: {decoder}")
        plan = DECODERS[decoder]
        self.encoder_name = encoder
        stages, channels, stride = _cut(
            encoder, torchvision.models.get_model(encoder, weights=None)
        )
        self.stages, channels = stages[: plan.stages], channels[: plan.stages]
        for module in self.stages.modules():
            if isinstance(module, nn.ReLU6):
                module.inplace = False  # in place it copies its input first: a tenth of a step
        self.stride = stride >> (len(stages) - plan.stages)
        below = channels[-1]
        self.context = SpatialPyramid(below, plan.context) if plan.context else None
        below = plan.context or below
        blocks = []
        for skip, out in zip(channels[-2::-1], plan.channels, strict=True):
            blocks.append(UpBlock(below, skip, out))
            below = out
        self.decoder = nn.ModuleList(blocks)
        # How much larger the logits are than the last features: VGG's have the picture's size.
        self.enlarged = 2 if stride == 32 else 1
        self.subpixel = plan.subpixel
        self.head = (
            nn.Conv2d(below, outputs * self.enlarged**2, 3, padding=1)
            if plan.subpixel
            else nn.Conv2d(below, outputs, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        x = skips.pop()
        if self.context is not None:
            x = self.context(x)
        for block in self.decoder:
            x = block(x, skips.pop())
        logits: Tensor = self.head(x)
        if self.enlarged == 1:
            return logits
        if self.subpixel:
            return functional.pixel_shuffle(logits, self.enlarged)
        return functional.interpolate(
            logits, scale_factor=self.enlarged, mode="bilinear", align_corners=False
        )

    def load_encoder(self, state: dict[str, Tensor]) -> None:
        """Take the encoder's weights from a whole torchvision classifier's state dict.

        Raises ValueError where they do not fit.
        """
        classifier = torchvision.models.get_model(self.encoder_name, weights=None)
        wanted = classifier.state_dict()
        # The classifier's head is not used, so it may be missing or of other classes.
        fitting = {k: v for k, v in state.items() if k in wanted and v.shape == wanted[k].shape}
        missing = [
            k
            for k in wanted
            if k not in fitting
            and not k.startswith(("classifier", "fc"))
            and not k.endswith("num_batches_tracked")
        ]
        if missing:
            raise ValueError(
                f"not the weights of {self.encoder_name} ({len(missing)} are missing or of "
                f"another shape, such as {missing[0]})"
            )
        classifier.load_state_dict(fitting, strict=False)
        stages, _, _ = _cut(self.encoder_name, classifier)
        self.stages.load_state_dict(stages[: len(self.stages)].state_dict())


class SpatialPyramid(nn.Module):
    """What lies further around each place, and in the whole picture, joined to what is there.

    Atrous spatial pyramid pooling with separable convolutions (Chen et al. 2018, DeepLabv3+).
    Input: N x ``inputs`` x H x W; output: N x ``outputs`` x H x W.
    """

    def __init__(self, inputs: int, outputs: int, rates: tuple[int, ...] = (1, 2, 4)) -> None:
        super().__init__()
        self.narrow = _pointwise(inputs, outputs)
        self.around = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(
                    outputs, outputs, 3, padding=rate, dilation=rate, groups=outputs, bias=False
                ),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            )
            for rate in rates
        )
        # Without a norm: over one place a picture its statistics would be a few numbers'.
        self.whole = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(outputs, outputs, 1), nn.ReLU(inplace=True)
        )
        self.join = _pointwise(outputs * (2 + len(rates)), outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.narrow(x)
        whole = self.whole(x).expand_as(x)
        joined: Tensor = self.join(torch.cat([x, *(a(x) for a in self.around), whole], dim=1))
        return joined


def batch_norms(module: nn.Module) -> list[_BatchNorm]:
    """Every batch norm inside a module."""
    return [m for m in module.modules() if isinstance(m, _BatchNorm)]


def _pointwise(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _cut(encoder: str, classifier: Any) -> tuple[nn.Sequential, tuple[int, ...], int]:
    if encoder in _RESNETS:
        stages = [
            nn.Sequential(classifier.conv1, classifier.bn1, classifier.relu),
            nn.Sequential(classifier.maxpool, classifier.layer1),
            classifier.layer2,
            classifier.layer3,
            classifier.layer4,
        ]
        return nn.Sequential(*stages), _RESNETS[encoder], 32
    taps = _FEATURES[encoder]
    layers = list(classifier.features)
    starts = (0, *taps.ends[:-1])
    stages = [nn.Sequential(*layers[a:b]) for a, b in zip(starts, taps.ends, strict=True)]
    return nn.Sequential(*stages), taps.channels, taps.stride
