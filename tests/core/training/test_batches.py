"""Which images a step sees, and how often."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.training.config import TrainConfig
from core.training.estimate import steps_per_epoch
from core.training.trainer import balanced, batches


def drawn(config: TrainConfig, groups: list[str], epoch: int = 1) -> list[int]:
    steps = steps_per_epoch(config, len(groups))
    weights = balanced(groups) if config.balance else None
    found = batches(config, len(groups), epoch, steps, weights)
    assert {len(batch) for batch in found} == {min(config.batch, len(groups))}
    return torch.cat(found).tolist()


@pytest.mark.parametrize("balance", [False, True])
@given(
    images=st.integers(1, 60),
    dogs=st.integers(0, 60),
    batch=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_every_epoch_draws_full_batches_of_all_that_there_is(
    balance: bool, images: int, dogs: int, batch: int, seed: int
):
    groups = ["dogs" if i < dogs else "cats" for i in range(images)]
    config = TrainConfig(balance=balance, batch=batch, seed=seed)
    order = drawn(config, groups)
    assert order == drawn(config, groups)
    assert set(order) <= set(range(images))
    if not balance or dogs == 0 or dogs >= images:
        assert set(order) == set(range(images))


def test_images_of_a_rare_group_come_more_often_and_alike():
    groups = ["cats"] * 900 + ["dogs"] * 100 + [""] * 200
    counts = Counter(drawn(TrainConfig(balance=True, batch=16), groups))
    shares = [sum(counts[i] for i in range(a, b)) for a, b in ((0, 900), (900, 1000), (1000, 1200))]
    # The square roots of 900 and 100 are as 3 to 1; the others come as they are.
    assert shares == pytest.approx([750, 250, 200], abs=4)
    assert {counts[i] for i in range(900, 1000)} == {2, 3}


def test_another_epoch_has_another_order():
    groups = ["cats"] * 30 + ["dogs"] * 10
    config = TrainConfig(balance=True)
    assert drawn(config, groups, epoch=1) != drawn(config, groups, epoch=2)
