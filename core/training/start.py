"""Where a training begins: its network with the starting weights, its device."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from core.errors import BadInput
from core.models.encoders import EncoderUNet
from core.models.network import SegmentationNet, build_network
from core.models.weights import (
    has_identity_norms,
    load_imagenet,
    load_model,
    restore_norms,
    take_over,
)
from core.training.config import Start, TrainConfig, start_model

_NORM_IMAGES = 64


def start_network(options: TrainConfig, outputs: int, images: Tensor) -> SegmentationNet:
    """The network with its starting weights.

    images: uint8 N x 3 x S x S, some of those that will be trained on. Raises BadInput,
    PetSegError (a download that failed).
    """
    torch.manual_seed(options.seed)
    model = start_model(options.start)
    if model is not None:
        # A model brings its own network; the preset's is for weights that have none yet.
        old = load_model(model)
        net = build_network(old.network | {"outputs": outputs})
        take_over(net, old)
        return net
    net = build_network(_network(options, outputs))
    if options.start == Start.IMAGENET:
        load_imagenet(net, options.weights)
        if isinstance(net.body, EncoderUNet) and has_identity_norms(net.body.stages):
            sample = images[:_NORM_IMAGES].float()
            restore_norms(net.body.stages, (sample - net.mean) / net.std)
    return net


def _network(options: TrainConfig, outputs: int) -> dict[str, object]:
    if options.encoder:
        return {"encoder": options.encoder, "outputs": outputs}
    return {
        "outputs": outputs,
        "width": options.width,
        "depth": options.depth,
        "norm": options.norm,
        "dropout": options.dropout,
        "upsampling": options.upsampling,
        "attention": options.attention,
    }


def choose_device(wanted: str) -> torch.device:
    """The device of that name; ``auto`` is the fastest there is. Raises BadInput."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps):
        raise BadInput(f"This machine has no {wanted} device that torch can use: --device auto.")
    return torch.device(wanted)


def be_polite(threads: int) -> None:
    """Leave the machine usable: lowest reasonable priority, one core left free."""
    if hasattr(os, "nice"):
        os.nice(10)
    torch.set_num_threads(threads or max(1, (os.cpu_count() or 2) - 1))
