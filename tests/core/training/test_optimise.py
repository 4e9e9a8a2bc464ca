"""Optimizers and the learning rate's curves; halving the rate for good."""

from __future__ import annotations

import io
import math

import pytest
import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from core.models.network import SegmentationNet, build_network
from core.training.config import TrainConfig
from core.training.optimise import make_optimizer, make_schedule, scale_rate

STEPS = 20
SCHEDULES = ["constant", "cosine", "onecycle"]
OPTIMIZERS = ["adam", "adamw", "sgd"]


def plain_net() -> SegmentationNet:
    torch.manual_seed(0)
    return build_network({"outputs": 1, "width": 4, "depth": 1})


def encoder_net() -> SegmentationNet:
    torch.manual_seed(0)
    return build_network({"outputs": 1, "encoder": "mobilenet_v3_small"})


def made(net: SegmentationNet, **options) -> tuple[Optimizer, LRScheduler]:
    config = TrainConfig(learning_rate=0.01, **options)
    optimizer = make_optimizer(net, config)
    return optimizer, make_schedule(optimizer, config, STEPS)


def rates(optimizer: Optimizer, schedule: LRScheduler, steps: int) -> list[list[float]]:
    """Each group's learning rate at each of the next steps."""
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return seen


def onecycle(step: int, peak: float) -> float:
    """Smith & Topin's policy with cosine arms: from a 25th to the peak, to a 250,000th."""
    first, last, top = peak / 25, peak / 25 / 1e4, 0.3 * (STEPS + 1) - 1
    if step <= top:
        return first + (peak - first) * (1 - math.cos(math.pi * step / top)) / 2
    return last + (peak - last) * (1 + math.cos(math.pi * (step - top) / (STEPS - top))) / 2


CURVES = {
    "constant": lambda step, rate: rate,
    "cosine": lambda step, rate: rate * (1 + math.cos(math.pi * step / STEPS)) / 2,
    "onecycle": onecycle,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rate_goes_its_curve_from_the_first_step_to_the_last(schedule: str):
    optimizer, steps = made(encoder_net(), schedule=schedule, encoder_rate=0.3)
    expected = [[CURVES[schedule](i, 0.01), CURVES[schedule](i, 0.003)] for i in range(STEPS)]
    assert rates(optimizer, steps, STEPS) == [pytest.approx(row) for row in expected]


def test_an_encoder_is_a_group_of_its_own_and_no_weight_is_left_out():
    net = encoder_net()
    optimizer, _ = made(net)
    rest, encoder = (group["params"] for group in optimizer.param_groups)
    assert {id(p) for p in encoder} == {id(p) for p in net.body.stages.parameters()}
    assert sorted(map(id, rest + encoder)) == sorted(map(id, net.parameters()))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_are_those_that_they_are_called(name: str):
    optimizer, _ = made(plain_net(), optimizer=name, weight_decay=0.25)
    assert type(optimizer).__name__.lower() == name
    assert optimizer.param_groups[0]["weight_decay"] == 0.25
    assert optimizer.param_groups[0].get("momentum", 0.9) == 0.9


@pytest.mark.parametrize(
    ("schedule", "lowest", "highest"),
    [("constant", 0.9, 0.9), ("cosine", 0.9, 0.9), ("onecycle", 0.85, 0.95)],
)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_momentum_is_as_the_tips_say(name: str, schedule: str, lowest: float, highest: float):
    optimizer, steps = made(plain_net(), schedule=schedule, optimizer=name)
    (group,) = optimizer.param_groups
    seen = []
    for _ in range(STEPS):
        seen.append(group["momentum"] if name == "sgd" else group["betas"][0])
        optimizer.step()
        steps.step()
    assert (min(seen), max(seen)) == pytest.approx((lowest, highest), abs=2e-3)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_halved_the_rate_stays_half_of_what_it_would_have_been_also_after_a_checkpoint(
    schedule: str, name: str
):
    options = {"schedule": schedule, "optimizer": name, "encoder_rate": 0.3}
    expected = rates(*made(encoder_net(), **options), STEPS)

    optimizer, steps = made(encoder_net(), **options)
    # Within OneCycle's first arm, then in its second.
    assert rates(optimizer, steps, 2) == expected[:2]
    scale_rate(optimizer, steps, 0.5)
    assert rates(optimizer, steps, 8) == [[r / 2 for r in row] for row in expected[2:10]]
    scale_rate(optimizer, steps, 0.5)

    buffer = io.BytesIO()
    torch.save([optimizer.state_dict(), steps.state_dict()], buffer)
    buffer.seek(0)
    resumed, resumed_steps = made(encoder_net(), **options)
    for part, saved in zip(
        (resumed, resumed_steps), torch.load(buffer, weights_only=True), strict=True
    ):
        part.load_state_dict(saved)
    quarter = [[r / 4 for r in row] for row in expected[10:]]
    assert rates(resumed, resumed_steps, 10) == quarter
    assert rates(optimizer, steps, 10) == quarter


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resumed_the_weights_go_the_same_way(schedule: str, name: str):
    def train(net: SegmentationNet, pair: tuple[Optimizer, LRScheduler], steps: range) -> None:
        for seed in steps:
            generator = torch.Generator().manual_seed(seed)
            image = torch.rand(2, 3, 32, 32, generator=generator) * 255
            net(image).square().mean().backward()
            pair[0].step()
            pair[0].zero_grad()
            pair[1].step()

    options = {"schedule": schedule, "optimizer": name}
    straight = plain_net()
    train(straight, made(straight, **options), range(8))

    first = plain_net()
    pair = made(first, **options)
    train(first, pair, range(4))
    second = plain_net()
    second.load_state_dict(first.state_dict())
    again = made(second, **options)
    for part, old in zip(again, pair, strict=True):
        part.load_state_dict(old.state_dict())
    train(second, again, range(4, 8))
    for name_, value in straight.state_dict().items():
        assert torch.equal(value, second.state_dict()[name_]), name_
