"""From a description to a network that takes RGB 0 to 255 of any size and gives logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.models.encoders import EncoderUNet
from core.models.foreign import PlainUNet, ResnetUNet
from core.models.unet import UNet

Body = UNet | EncoderUNet | PlainUNet | ResnetUNet

# torchvision's, for pixel values of 0 to 255
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


class SegmentationNet(nn.Module):
    """A network with everything around it inside: normalisation, padding, cutting back.

    Input: float N x 3 x H x W, RGB 0 to 255, any H and W >= 1. Output: logits N x C x H x W.
    ``network``: the description from which ``build_network`` makes it again.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, body: Body, network: dict[str, Any]) -> None:
        super().__init__()
        self.body = body
        self.network = network
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def set_normalisation(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Mean and standard deviation of the input, RGB 0 to 255."""
        self.mean.copy_(torch.tensor(mean).view(1, 3, 1, 1))
        self.std.copy_(torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2], x.shape[3]
        stride = self.body.stride
        # Replicated edges, not mirrored ones: those fail on an image of 1 pixel.
        x = functional.pad(
            (x - self.mean) / self.std,
            (0, (stride - width % stride) % stride, 0, (stride - height % stride) % stride),
            mode="replicate",
        )
        logits: Tensor = self.body(x)
        return logits[:, :, :height, :width]


def build_network(network: dict[str, Any]) -> SegmentationNet:
    """The network of a description: ``outputs`` and either ``encoder`` (with ``decoder``, slim
    where none is named) or the U-Net's arguments.

    Networks that were imported name their ``layout`` (plain, resnet). Weights are random. Raises
    ValueError or TypeError for a description that fits no network.
    """
    values = dict(network)
    encoder = values.pop("encoder", "")
    layout = values.pop("layout", "")
    body: Body
    if layout == "plain":
        body = PlainUNet(**values)
    elif layout == "resnet":
        body = ResnetUNet(**values, encoder=encoder)
    elif layout:
        raise ValueError(f"unknown layout: {layout}")
    elif encoder:
        body = EncoderUNet(values.pop("outputs"), encoder, values.pop("decoder", "slim"))
        if values:
            raise ValueError(f"unknown network options: {', '.join(values)}")
    else:
        body = UNet(**values)
    return SegmentationNet(body, network)


def build_to_fit(network: dict[str, Any], state: Mapping[str, Tensor]) -> SegmentationNet:
    """The network of a description that a stranger may have written, with the weights ``state``.

    In eval mode. Raises ValueError or TypeError for a description that fits no network or other
    weights: both are known before memory is asked for, since a few bytes can describe a network
    of any size.
    """
    with torch.device("meta"):
        wanted = {k: v.shape for k, v in build_network(network).state_dict().items()}
    if wanted != {k: v.shape for k, v in state.items()}:
        raise ValueError("the weights are of another network")
    net = build_network(network)
    net.load_state_dict(state)
    return net.eval()


def parameter_count(module: nn.Module) -> int:
    """How many trainable numbers a network has."""
    return sum(p.numel() for p in module.parameters())
