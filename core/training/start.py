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
from core.training.ranks import ALONE, Ranks

NORM_IMAGES = 64
"""So many images tell a network with frozen norms what its encoder sees."""


def start_network(options: TrainConfig, outputs: int, images: Tensor) -> SegmentationNet:
    """The network with its starting weights.

    images: uint8 N x 3 x S x S, NORM_IMAGES of those that will be trained on. Raises BadInput,
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
            sample = images[:NORM_IMAGES].float()
            restore_norms(net.body.stages, (sample - net.mean) / net.std)
    return net


def _network(options: TrainConfig, outputs: int) -> dict[str, object]:
    if options.encoder:
        return {"encoder": options.encoder, "decoder": options.decoder, "outputs": outputs}
    return {
        "outputs": outputs,
        "width": options.width,
        "depth": options.depth,
        "norm": options.norm,
        "dropout": options.dropout,
        "upsampling": options.upsampling,
        "attention": options.attention,
    }


def choose_device(wanted: str, ranks: Ranks = ALONE) -> torch.device:
    """The device of that name; ``auto`` is the fastest there is. Each rank takes its own GPU.

    Raises BadInput.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available() and ranks.size == 1
    if wanted == "auto":
        wanted = "cuda" if cuda else "mps" if mps else "cpu"
    if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps):
        raise BadInput(f"This machine has no {wanted} device that torch can use: --device auto.")
    if wanted != "cuda":
        return torch.device(wanted)
    if ranks.local >= torch.cuda.device_count():
        raise BadInput(
            f"{ranks.beside} processes need as many GPUs, this machine has "
            f"{torch.cuda.device_count()}: torchrun --nproc-per-node {torch.cuda.device_count()}."
        )
    torch.cuda.set_device(ranks.local)
    return torch.device("cuda", ranks.local)


def be_polite(threads: int) -> None:
    """Leave the machine usable: lowest reasonable priority, no more threads than these."""
    if hasattr(os, "nice"):
        os.nice(10)
    torch.set_num_threads(threads)
