"""A grid of trainings."""

from __future__ import annotations

import pytest

from core.errors import BadInput
from core.training.compare import differences
from core.training.grid import MOST, make_grid, parse_values
from core.training.presets import make_config

CONFIG = make_config("baseline")


def test_every_combination_is_a_training_and_nothing_else_changes():
    cells = make_grid(CONFIG, {"learning_rate": ["1e-3", "3e-4"], "size": ["96", "160"]})
    assert [(c.config.learning_rate, c.config.size) for c in cells] == [
        (1e-3, 96),
        (1e-3, 160),
        (3e-4, 96),
        (3e-4, 160),
    ]
    assert cells[2].name == "Baseline: learning rate 0.0003, size 96"
    assert len({c.name for c in cells}) == 4
    changed = {d.option for d in differences([CONFIG, *(c.config for c in cells)])}
    assert changed == {"learning_rate", "size"}


def test_values_that_mean_the_same_train_once():
    assert parse_values("batch", " 8, 16 ,8,") == ["8", "16"]
    assert len(make_grid(CONFIG, {"learning_rate": ["1e-3", "0.001"]})) == 1


@pytest.mark.parametrize(
    ("option", "text", "reason"),
    [("depth", "1,2", "not of 'depth'"), ("size", " , ", "no value for size")],
)
def test_what_is_no_grid_is_refused(option: str, text: str, reason: str):
    with pytest.raises(BadInput, match=reason):
        parse_values(option, text)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0", "must be at least 1"),
        ("many", "must be a whole number"),
        ("1.5", "must be a whole number"),
        ("1000000", "must be at most 1024"),
    ],
)
def test_a_value_that_the_option_does_not_take_is_named(value: str, reason: str):
    with pytest.raises(BadInput, match=rf"option batch: {reason}\.$"):
        make_grid(CONFIG, {"batch": ["8", value]})


def test_a_grid_has_an_end():
    sizes = [str(64 + i) for i in range(MOST)]
    assert len(make_grid(CONFIG, {"size": sizes})) == MOST
    with pytest.raises(BadInput, match=f"means {2 * MOST} trainings; at most {MOST}"):
        make_grid(CONFIG, {"size": sizes, "epochs": ["1", "2"]})
