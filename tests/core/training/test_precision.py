"""Half precision: who decides, and that its arithmetic trains."""

from __future__ import annotations

import pytest
import torch

from core.models.network import build_network
from core.training.precision import choose_half, step_seconds

from .conftest import tiny_config

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def never(_half: bool) -> float:
    raise AssertionError("nothing is to be measured")


@pytest.mark.parametrize(("half", "full", "chosen"), [(1.0, 2.0, True), (2.0, 1.0, False)])
def test_a_gpu_works_in_half_precision_where_that_is_faster(
    monkeypatch: pytest.MonkeyPatch, half: float, full: float, chosen: bool
):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert choose_half(tiny_config(), CUDA, lambda h: half if h else full) == chosen


def test_where_there_is_nothing_to_choose_nothing_is_measured(monkeypatch: pytest.MonkeyPatch):
    assert not choose_half(tiny_config(), CPU, never)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert not choose_half(tiny_config(), CUDA, never)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert not choose_half(tiny_config(precision="full"), CUDA, never)


@pytest.mark.parametrize("half", [False, True])
def test_measuring_leaves_the_network_as_it_is(half: bool):
    net = build_network({"outputs": 1, "width": 4, "depth": 1})
    before = {k: v.clone() for k, v in net.state_dict().items()}
    assert step_seconds(net, tiny_config(), CPU, half) > 0
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())
