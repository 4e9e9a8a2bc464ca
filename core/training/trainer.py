"""The training loop: plain functions over a state that a checkpoint can hold.

Every random choice is made from the seed and the step's number, so that a run that goes on from
a checkpoint sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from core.data.augment import augment
from core.data.samples import Samples
from core.evaluation.metrics import confusion
from core.labels import BorderRule, LabelScheme, apply_border_rule, decide, scheme_under
from core.models.encoders import EncoderUNet
from core.models.network import SegmentationNet
from core.training.config import TrainConfig
from core.training.losses import segmentation_loss

_PRIME = 1_000_003


@dataclass
class Tally:
    """What was seen of a subset so far: the sum of the losses, the images' confusion counts."""

    loss: float = 0.0
    images: int = 0
    counts: list[np.ndarray] = field(default_factory=list)

    def add(self, loss: float, counts: list[np.ndarray]) -> None:
        self.loss += loss * len(counts)
        self.images += len(counts)
        self.counts += counts


@dataclass
class TrainState:
    """Everything that changes while training. ``step`` counts the steps that were taken."""

    net: SegmentationNet
    optimizer: Optimizer
    schedule: LRScheduler
    step: int = 0
    best_iou: float = -1.0
    best_epoch: int = 0
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Scoring:
    """How masks are compared: the classes that are trained, and the border rule of the scores."""

    scheme: LabelScheme
    rule: BorderRule

    def counts(self, probabilities: np.ndarray, masks: np.ndarray) -> list[np.ndarray]:
        """Confusion counts of each image. float32 N x C x H x W; uint8 N x H x W."""
        said = decide(probabilities, self.scheme, self.rule)
        truth = apply_border_rule(masks, self.scheme, self.rule)
        classes = len(scheme_under(self.scheme, self.rule).classes)
        return [confusion(t, s, classes) for t, s in zip(truth, said, strict=True)]


def new_state(net: SegmentationNet, config: TrainConfig, total_steps: int) -> TrainState:
    """Optimizer and schedule for a network."""
    optimizer = _optimizer(net, config)
    return TrainState(net, optimizer, _schedule(optimizer, config, total_steps))


def steps_per_epoch(config: TrainConfig, images: int) -> int:
    """Steps of one epoch: every image once, and at least ``min_steps``."""
    return max(config.min_steps, math.ceil(images / config.batch))


def batches(config: TrainConfig, images: int, epoch: int) -> list[Tensor]:
    """The epoch's batches as image indices (int64), all full: some images may come again."""
    generator = torch.Generator().manual_seed(config.seed * _PRIME + epoch)
    size = min(config.batch, images)
    drawn = steps_per_epoch(config, images) * size
    rounds = math.ceil(drawn / images)
    order = torch.cat([torch.randperm(images, generator=generator) for _ in range(rounds)])
    return list(torch.split(order[:drawn], size))


def train_step(
    state: TrainState,
    samples: Samples,
    batch: Tensor,
    config: TrainConfig,
    scoring: Scoring,
    device: torch.device,
) -> float:
    """One step on the images of ``batch``; tallies its scores and returns its loss."""
    torch.manual_seed(config.seed * _PRIME + state.step)  # dropout
    generator = torch.Generator().manual_seed(config.seed * _PRIME + state.step)
    images, masks = _to_device(samples, batch, device)
    images, masks = augment(images, masks, config.augment, generator)
    state.net.train()
    logits = state.net(images.contiguous(memory_format=torch.channels_last))
    loss = segmentation_loss(logits, masks, config.loss)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    state.schedule.step()
    state.step += 1
    value = float(loss.detach())
    state.tally.add(value, scoring.counts(*_numpy(logits.detach(), masks)))
    return value


@torch.no_grad()
def validate(
    net: nn.Module,
    samples: Samples,
    config: TrainConfig,
    scoring: Scoring,
    device: torch.device,
    alive: Callable[[], None],
) -> Tally:
    """Score the validation images in eval mode; ``alive`` is called after each batch."""
    net.eval()
    tally = Tally()
    for batch in torch.split(torch.arange(len(samples)), config.batch):
        images, masks = _to_device(samples, batch, device)
        logits = net(images.contiguous(memory_format=torch.channels_last))
        loss = float(segmentation_loss(logits, masks, config.loss))
        tally.add(loss, scoring.counts(*_numpy(logits, masks)))
        alive()
    return tally


def checkpoint(state: TrainState) -> dict[str, Any]:
    """The state as tensors, numbers and lists: what ``torch.load(weights_only=True)`` takes."""
    return {
        "net": state.net.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "schedule": state.schedule.state_dict(),
        "step": state.step,
        "best_iou": state.best_iou,
        "best_epoch": state.best_epoch,
        "tally_loss": state.tally.loss,
        "tally_counts": [c.tolist() for c in state.tally.counts],
    }


def restore(state: TrainState, saved: dict[str, Any]) -> None:
    """Go back to a checkpoint. Raises KeyError, ValueError, RuntimeError where it does not fit."""
    state.net.load_state_dict(saved["net"])
    state.optimizer.load_state_dict(saved["optimizer"])
    state.schedule.load_state_dict(saved["schedule"])
    state.step = int(saved["step"])
    state.best_iou = float(saved["best_iou"])
    state.best_epoch = int(saved["best_epoch"])
    counts = [np.array(c, dtype=np.int64) for c in saved["tally_counts"]]
    state.tally = Tally(float(saved["tally_loss"]), len(counts), counts)


def _to_device(samples: Samples, batch: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    return samples.images[batch].to(device).float(), samples.masks[batch].to(device)


def _numpy(logits: Tensor, masks: Tensor) -> tuple[np.ndarray, np.ndarray]:
    if logits.shape[1] == 1:
        foreground = torch.sigmoid(logits)
        probabilities = torch.cat([1 - foreground, foreground], dim=1)
    else:
        probabilities = torch.softmax(logits, dim=1)
    return probabilities.cpu().numpy(), masks.cpu().numpy()


def _optimizer(net: SegmentationNet, config: TrainConfig) -> Optimizer:
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


def _schedule(optimizer: Optimizer, config: TrainConfig, total_steps: int) -> LRScheduler:
    if config.schedule == "constant":
        return LambdaLR(optimizer, _always)
    peaks = [group["lr"] for group in optimizer.param_groups]
    # One step more than are taken: OneCycle refuses to be asked for a step after its last.
    return OneCycleLR(optimizer, max_lr=peaks, total_steps=total_steps + 1)


def _always(_step: int) -> float:
    return 1.0
