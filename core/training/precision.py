"""Whether a GPU trains in half precision (bfloat16): where a short test finds it faster."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import torch

from core.models.network import SegmentationNet
from core.training.config import TrainConfig

_STEPS = 3


def choose_half(
    config: TrainConfig, device: torch.device, seconds: Callable[[bool], float]
) -> bool:
    """Half precision only on a CUDA device that has bfloat16, and is faster with it.

    seconds: the time of a few steps with half precision, or without.
    """
    if config.precision == "full" or device.type != "cuda" or not torch.cuda.is_bf16_supported():
        return False
    return seconds(True) < seconds(False)


def step_seconds(
    net: SegmentationNet, config: TrainConfig, device: torch.device, half: bool
) -> float:
    """The time of three steps forward and back on a copy of the network, after one to warm up."""
    trial = copy.deepcopy(net).train()
    images = torch.rand(config.batch, 3, config.size, config.size, device=device) * 255
    images = images.contiguous(memory_format=torch.channels_last)
    begun = 0.0
    for step in range(_STEPS + 1):
        if step == 1:
            _finish(device)
            begun = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = trial(images)
        logits.float().mean().backward()
    _finish(device)
    return time.perf_counter() - begun


def _finish(device: torch.device) -> None:
    """Wait for what the device was given to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
