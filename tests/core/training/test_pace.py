"""How long a run still takes."""

from __future__ import annotations

import time

import pytest

from core.training.config import TrainConfig
from core.training.estimate import step_costs
from core.training.pace import Pace


def test_the_time_left_knows_how_large_the_later_pictures_are(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    costs = step_costs(TrainConfig(size=128, first_size=64, epochs=3))
    assert costs == [0.25, 0.5625, 1]
    told: list[float] = []
    pace = Pace(lambda event: told.append(event.seconds_left), costs, epoch_steps=4)
    for step in range(1, 5):
        now += 1
        pace.stepped(2, step, 1, 0.5)
    # A step of the first epoch takes a second, so one at the full size takes four.
    assert told == pytest.approx([3 + 9 + 16, 2 + 9 + 16, 1 + 9 + 16, 9 + 16])
    now += 5  # at the epoch's end, as at both that are left
    pace.epoch_ended()
    assert pace.seconds_left(4) == pytest.approx(9 + 16 + 2 * 5)
    assert pace.seconds_left(12) == 0
