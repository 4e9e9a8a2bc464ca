"""The training loop: plain functions over a state that a checkpoint can hold.

Every random choice is made from the seed and the step's number, so that a run that goes on from
a checkpoint sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from core.data.augment import Recipe, apply, draw, draw_donors, paste, shrink
from core.data.samples import Samples
from core.evaluation.metrics import confusion
from core.labels import BorderRule, LabelScheme, apply_border_rule, decide, scheme_under
from core.models.network import SegmentationNet
from core.training.config import TrainConfig
from core.training.estimate import train_size
from core.training.joining import Join
from core.training.losses import segmentation_loss
from core.training.memory import MemoryRanOut
from core.training.optimise import make_optimizer, make_schedule
from core.training.ranks import ALONE, Ranks
from core.training.stopping import Stopping

_PRIME = 1_000_003
# Dropout draws from (seed, step) and, above these bits, the place of its images in the batch.
_PLACE_BITS = 52


@dataclass
class Tally:
    """What was seen of a subset so far: the sum of the losses, the images' confusion counts."""

    loss: float = 0.0
    images: int = 0
    counts: list[np.ndarray] = field(default_factory=list)

    def add(self, loss: float, counts: np.ndarray) -> None:
        self.loss += loss * len(counts)
        self.images += len(counts)
        self.counts += list(counts)


@dataclass
class TrainState:
    """Everything that changes while training, and what was found out when it began.

    step: the steps that were taken. parts: in so many a batch is taken, since memory ran out.
    rescues: how often the run went back after a loss that was no number. weights: of the classes
    in the loss. half: whether a GPU works in half precision. start: the weights it began with,
    where a share of them is in what is kept.
    """

    net: SegmentationNet
    optimizer: Optimizer
    schedule: LRScheduler
    epoch_steps: int
    stopping: Stopping
    step: int = 0
    tally: Tally = field(default_factory=Tally)
    parts: int = 1
    rescues: int = 0
    joined: list[Join] = field(default_factory=list)
    weights: Tensor | None = None
    half: bool = False
    start: dict[str, Tensor] | None = None


@dataclass(frozen=True)
class Scoring:
    """How masks are compared: the classes that are trained, and the border rule of the scores."""

    scheme: LabelScheme
    rule: BorderRule

    def counts(self, probabilities: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Confusion counts of each image: int64, N x classes x classes.

        probabilities: float32 N x C x H x W; masks: uint8 N x H x W.
        """
        said = decide(probabilities, self.scheme, self.rule)
        truth = apply_border_rule(masks, self.scheme, self.rule)
        n = len(scheme_under(self.scheme, self.rule).classes)
        counts = [confusion(t, s, n) for t, s in zip(truth, said, strict=True)]
        return np.array(counts, np.int64).reshape(-1, n, n)


@dataclass(frozen=True)
class Setup:
    """What stays the same over a run's steps."""

    config: TrainConfig
    scoring: Scoring
    device: torch.device
    ranks: Ranks = ALONE

    def at_once(self, parts: int) -> int:
        """So many images a process takes through the network at once."""
        return math.ceil(math.ceil(self.config.batch / self.ranks.size) / parts)


def new_state(net: SegmentationNet, config: TrainConfig, epoch_steps: int) -> TrainState:
    """The state before the first step: optimizer and schedule for a network."""
    optimizer = make_optimizer(net, config)
    schedule = make_schedule(optimizer, config, config.epochs * epoch_steps)
    return TrainState(net, optimizer, schedule, epoch_steps, Stopping(config.patience))


def batches(
    config: TrainConfig, images: int, epoch: int, epoch_steps: int, weights: Tensor | None = None
) -> list[Tensor]:
    """The epoch's batches as image indices (int64), all full: some images may come again.

    weights: float, one an image, how often it comes in relation to the others; None: alike.
    """
    generator = torch.Generator().manual_seed(config.seed * _PRIME + epoch)
    size = min(config.batch, images)
    drawn = epoch_steps * size
    if weights is not None:
        # Systematic sampling: each comes as often as its share says, rounded up or down.
        ends = weights.double().cumsum(0) / weights.double().sum()
        places = (torch.arange(drawn) + torch.rand(1, generator=generator).double()) / drawn
        chosen = torch.searchsorted(ends, places).clamp_max(images - 1)
        return list(torch.split(chosen[torch.randperm(drawn, generator=generator)], size))
    rounds = math.ceil(drawn / images)
    order = torch.cat([torch.randperm(images, generator=generator) for _ in range(rounds)])
    return list(torch.split(order[:drawn], size))


def balanced(groups: Sequence[str]) -> Tensor:
    """How often an image is drawn, by its group: float, one an image, 1 on average.

    A group's share is the square root of its share by number: rare ones come more often, yet not
    as often as if all groups were alike. Images of no group ("") come as often as the average.
    """
    sizes = Counter(group for group in groups if group)
    mean = sizes.total() / sum(map(math.sqrt, sizes.values())) if sizes else 1.0
    return torch.tensor([mean / math.sqrt(sizes[g]) if g else 1.0 for g in groups])


def train_step(state: TrainState, samples: Samples, batch: Tensor, setup: Setup) -> float:
    """One step on the images of ``batch``; tallies its scores and returns its loss.

    Raises MemoryRanOut before anything has changed, so that the step can be taken again.
    """
    ranks = setup.ranks
    state.optimizer.zero_grad(set_to_none=True)
    buffers = [b.clone() for b in state.net.buffers()]
    try:
        with ranks.all_or_none():
            loss, counts = _gradients(state, samples, batch, setup)
    except MemoryRanOut:
        for buffer, before in zip(state.net.buffers(), buffers, strict=True):
            buffer.copy_(before)
        raise
    ranks.add_gradients(list(state.net.parameters()))
    state.optimizer.step()
    state.schedule.step()
    state.step += 1
    state.tally.add(loss, ranks.whole(counts, len(batch)))
    return loss


def _gradients(
    state: TrainState, samples: Samples, batch: Tensor, setup: Setup
) -> tuple[float, np.ndarray]:
    """Leaves the gradients of this rank's share in the network; the loss and the share's counts."""
    config, own = setup.config, setup.ranks.share(len(batch))
    seed = config.seed * _PRIME + state.step
    size = train_size(config, state.stopping.epoch + 1)
    images, masks = augmented(samples, batch, own, config, seed, size, setup.device)
    state.net.train()

    def forward(piece: slice, buffers: dict[str, Tensor] | None = None) -> Tensor:
        torch.manual_seed(seed + (own.start + piece.start << _PLACE_BITS))  # dropout
        return _logits(state.net, images[piece], state.half, buffers)

    pieces = _pieces(len(images), setup.at_once(state.parts))
    if len(pieces) == 1:
        logits = forward(pieces[0])
        loss = _loss(state, logits, masks, setup)
        loss.backward()  # type: ignore[no-untyped-call]
    else:
        # The loss of the whole batch is no sum of its parts' losses. So its gradient is taken at
        # all logits first, and then, part by part, through the network (Gao et al. 2021).
        copies = {name: b.clone() for name, b in state.net.named_buffers()}
        with torch.no_grad():
            logits = torch.cat([forward(piece, copies) for piece in pieces])
        logits.requires_grad_()
        loss = _loss(state, logits, masks, setup)
        (gradient,) = torch.autograd.grad(loss, logits)
        for piece in pieces:
            forward(piece).backward(gradient[piece])  # type: ignore[no-untyped-call]
    return float(loss.detach()), setup.scoring.counts(*_numpy(logits.detach(), masks))


def augmented(
    samples: Samples,
    batch: Tensor,
    own: slice,
    config: TrainConfig,
    seed: int,
    size: int,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """A batch, or this rank's ``own`` part of it, as the network sees it in a step of this seed.

    Returns float n x 3 x size x size, 0 to 255; uint8 n x size x size. What happens to an image
    does not depend on which part it is in.
    """
    generator = torch.Generator().manual_seed(seed)
    recipe = draw(config.augment, len(batch), generator)

    def seen(rows: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
        return apply(*shrink(*_to_device(samples, rows, device), size), recipe)

    images, masks = seen(batch[own], recipe[own])
    if config.paste > 0:
        donors = draw_donors(config.paste, len(batch), generator)[own]
        recipe = draw(config.augment, len(batch), generator)[own]
        some = donors >= 0
        if some.any():
            pasted = seen(batch[donors[some]], recipe[some])
            images[some], masks[some] = paste(images[some], masks[some], *pasted)
    return images, masks


@torch.no_grad()
def kept_network(state: TrainState, config: TrainConfig) -> SegmentationNet:
    """The network that is validated and kept: the one that trains, in eval mode.

    With a ``start_share`` it is another: the mean of its weights and those it began with, which
    keeps what the starting model knew of other pictures (Wortsman et al., "Robust fine-tuning of
    zero-shot models", CVPR 2022, eq. 1).
    """
    if state.start is None:
        return state.net.eval()
    net = copy.deepcopy(state.net)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            value.lerp_(state.start[name].to(value.device), config.start_share)
    return net.eval()


@torch.no_grad()
def validate(state: TrainState, samples: Samples, setup: Setup, alive: Callable[[], None]) -> Tally:
    """Score the kept network on the validation images; ``alive`` is called after each batch.

    Raises MemoryRanOut, and what ``alive`` raises; the state does not change.
    """
    # Batch norm's statistics are each rank's own; those of the first count.
    setup.ranks.take_first(state.net.buffers())
    with setup.ranks.all_or_none():
        net = kept_network(state, setup.config)
    tally = Tally()
    for batch in torch.split(torch.arange(len(samples)), setup.config.batch):
        with setup.ranks.all_or_none():
            own = batch[setup.ranks.share(len(batch))]
            images, masks = _to_device(samples, own, setup.device)
            pieces = _pieces(len(own), setup.at_once(state.parts))
            logits = torch.cat([_logits(net, images[p], state.half) for p in pieces])
            loss = float(_loss(state, logits, masks, setup))
            counts = setup.scoring.counts(*_numpy(logits, masks))
        tally.add(loss, setup.ranks.whole(counts, len(batch)))
        alive()
    return tally


@torch.no_grad()
def predict(net: SegmentationNet, image: Tensor, half: bool) -> np.ndarray:
    """Class probabilities of an image (uint8, 3 x S x S) by a network in eval mode.

    Returns float32, C x S x S.
    """
    logits = _logits(net, image[None].to(net.mean.device).float(), half)
    return _probabilities(logits)[0].cpu().numpy()


def is_sound(loss: float, net: nn.Module) -> bool:
    """Whether a loss and all weights are numbers."""
    weights = [p.detach() for p in net.parameters()]
    return math.isfinite(loss) and math.isfinite(float(nn.utils.get_total_norm(weights)))


def checkpoint(state: TrainState) -> dict[str, Any]:
    """The state as tensors, numbers and lists: what ``torch.load(weights_only=True)`` takes."""
    return {
        "network": state.net.network,
        "net": state.net.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "schedule": state.schedule.state_dict(),
        "epoch_steps": state.epoch_steps,
        "stopping": list(astuple(state.stopping)),
        "step": state.step,
        "tally_loss": state.tally.loss,
        "tally_counts": [c.tolist() for c in state.tally.counts],
        "parts": state.parts,
        "rescues": state.rescues,
        "joined": [list(astuple(j)) for j in state.joined],
        "weights": state.weights,
        "half": state.half,
        "start": state.start,
    }


def restore(state: TrainState, saved: dict[str, Any]) -> None:
    """Go back to a checkpoint. Raises KeyError, ValueError, RuntimeError where it does not fit."""
    state.net.load_state_dict(saved["net"])
    state.optimizer.load_state_dict(saved["optimizer"])
    state.schedule.load_state_dict(saved["schedule"])
    state.epoch_steps = int(saved["epoch_steps"])
    state.stopping = Stopping(*saved["stopping"])
    state.step = int(saved["step"])
    counts = [np.array(c, dtype=np.int64) for c in saved["tally_counts"]]
    state.tally = Tally(float(saved["tally_loss"]), len(counts), counts)
    state.parts = int(saved["parts"])
    state.rescues = int(saved["rescues"])
    state.joined = [Join(*j) for j in saved["joined"]]
    state.weights = saved["weights"]
    state.half = bool(saved["half"])
    state.start = saved.get("start")  # an older PetSeg had none
    if state.start is not None and state.start.keys() != state.net.state_dict().keys():
        raise ValueError("what it began with is another network")


def _loss(state: TrainState, logits: Tensor, masks: Tensor, setup: Setup) -> Tensor:
    """The loss over all ranks' images; the last epochs may follow IoU (Lovász)."""
    config = setup.config
    finishing = state.stopping.epoch + 1 > config.epochs - config.lovasz_epochs
    kind = "lovasz" if finishing else config.loss
    weights = None if state.weights is None else state.weights.to(logits.device)
    return segmentation_loss(logits, masks, kind, weights=weights, total=setup.ranks.total)


def _logits(
    net: SegmentationNet,
    images: Tensor,
    half: bool,
    buffers: dict[str, Tensor] | None = None,
) -> Tensor:
    """Float32 logits; ``buffers`` stand in for the network's own, which then stay as they are."""
    if len(images) == 0:
        shape = (0, int(net.network["outputs"]), *images.shape[2:])
        return images.new_zeros(shape).requires_grad_()
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
        if buffers is None:
            logits: Tensor = net(images)
        else:
            logits = functional_call(net, buffers, images)
    return logits.float()


def _pieces(n: int, at_once: int) -> list[slice]:
    return [slice(a, min(a + at_once, n)) for a in range(0, max(n, 1), at_once)]


def _to_device(samples: Samples, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    images, masks = samples.take(rows)
    return images.to(device).float(), masks.to(device)


def _numpy(logits: Tensor, masks: Tensor) -> tuple[np.ndarray, np.ndarray]:
    return _probabilities(logits).cpu().numpy(), masks.cpu().numpy()


def _probabilities(logits: Tensor) -> Tensor:
    if logits.shape[1] == 1:
        foreground = torch.sigmoid(logits)
        return torch.cat([1 - foreground, foreground], dim=1)
    return torch.softmax(logits, dim=1)
