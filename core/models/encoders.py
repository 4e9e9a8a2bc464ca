"""U-Nets on torchvision's encoders, with a slim decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from core.models.unet import UpBlock

DECODER = (128, 64, 32, 16)


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
    """A torchvision encoder and a slim decoder.

    Input: float N x 3 x H x W with H and W multiples of ``stride``. Output: logits
    N x ``outputs`` x H x W (the decoder's last resolution doubled bilinearly where needed).
    """

    def __init__(self, outputs: int, encoder: str) -> None:
        super().__init__()
        self.encoder_name = encoder
        self.stages, channels, self.stride = _cut(
            encoder, torchvision.models.get_model(encoder, weights=None)
        )
        below = channels[-1]
        blocks = []
        for skip, out in zip(channels[-2::-1], DECODER, strict=True):
            blocks.append(UpBlock(below, skip, out))
            below = out
        self.decoder = nn.ModuleList(blocks)
        self.head = nn.Conv2d(below, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        full = 2 if self.stride == 32 else 1
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        x = skips.pop()
        for block in self.decoder:
            x = block(x, skips.pop())
        logits: Tensor = self.head(x)
        if full > 1:
            logits = functional.interpolate(
                logits, scale_factor=full, mode="bilinear", align_corners=False
            )
        return logits

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
        self.stages.load_state_dict(stages.state_dict())


def batch_norms(module: nn.Module) -> list[_BatchNorm]:
    """Every batch norm inside a module."""
    return [m for m in module.modules() if isinstance(m, _BatchNorm)]


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
