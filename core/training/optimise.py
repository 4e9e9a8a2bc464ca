"""The optimizer and how its learning rate goes over a run's steps."""

from __future__ import annotations

import math

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from core.models.encoders import EncoderUNet
from core.models.network import SegmentationNet
from core.training.config import TrainConfig

# What schedules remember of a group's learning rate, in the optimizer: the rate now, the first,
# OneCycle's highest and lowest.
_RATES = ("lr", "initial_lr", "max_lr", "min_lr")


def make_optimizer(net: SegmentationNet, config: TrainConfig) -> Optimizer:
    """AdamW, Adam or SGD with momentum 0.9; an encoder's weights are a group of their own."""
    rate = config.learning_rate
    encoder = list(net.body.stages.parameters()) if isinstance(net.body, EncoderUNet) else []
    known = {id(p) for p in encoder}
    groups = [{"params": [p for p in net.parameters() if id(p) not in known], "lr": rate}]
    if encoder:
        groups.append({"params": encoder, "lr": rate * config.encoder_rate})
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, weight_decay=config.weight_decay)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=rate, weight_decay=config.weight_decay)


def make_schedule(optimizer: Optimizer, config: TrainConfig, total_steps: int) -> LRScheduler:
    """Constant; a cosine from the learning rate to 0, without warm-up; or OneCycle (Smith 2018).

    OneCycle takes the momentum (Adam's first beta) from 0.95 to 0.85 and back while the rate rises
    and falls. total_steps: those of the whole run; ``step`` is called after each.
    """
    if config.schedule == "onecycle":
        peaks = [group["lr"] for group in optimizer.param_groups]
        # One step more than are taken: OneCycle refuses to be asked for a step after its last.
        return OneCycleLR(optimizer, max_lr=peaks, total_steps=total_steps + 1)

    def cosine(step: int) -> float:
        return (1 + math.cos(math.pi * min(step / total_steps, 1))) / 2

    def constant(_step: int) -> float:
        return 1.0

    return LambdaLR(optimizer, cosine if config.schedule == "cosine" else constant)


def scale_rate(optimizer: Optimizer, schedule: LRScheduler, factor: float) -> None:
    """Multiply the learning rate by ``factor`` for good: now and at every later step.

    The state dicts of both carry it.
    """
    for group in optimizer.param_groups:
        group.update({name: group[name] * factor for name in _RATES if name in group})
    schedule.base_lrs = [rate * factor for rate in schedule.base_lrs]
