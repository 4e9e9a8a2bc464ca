"""Shares: each item is exactly one process's, and leftovers spread evenly."""

from __future__ import annotations

import pytest

from core.batch.shares import ALONE, Share, own_share
from core.errors import BadInput

NAMES = [f"photos/{i:05}.jpg" for i in range(6000)] + ["odd-\udcff.jpg"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_each_item_is_exactly_one_processs_and_all_have_about_as_many(size: int):
    counts = [0] * size
    for name in NAMES:
        (holder,) = [rank for rank in range(size) if Share(rank, size).holds(name)]
        counts[holder] += 1
    fair = len(NAMES) / size
    assert all(0.6 * fair < count < 1.4 * fair for count in counts)


def test_what_a_killed_process_left_is_spread_over_another_number_of_them():
    left = [name for name in NAMES if Share(3, 4).holds(name)]
    halves = [sum(Share(rank, 2).holds(name) for name in left) for rank in range(2)]
    assert min(halves) > 0.4 * len(left)


def test_a_schedulers_words_are_understood():
    assert own_share({}) == own_share({"WORLD_SIZE": "1"}) == ALONE
    assert own_share({"RANK": "2", "WORLD_SIZE": "8"}) == Share(2, 8)
    words = {"RANK": "0", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}
    assert own_share(words) == Share(0, 4, beside=2)


@pytest.mark.parametrize(
    "words",
    [
        {"RANK": "1"},
        {"WORLD_SIZE": "4"},
        {"RANK": "4", "WORLD_SIZE": "4"},
        {"RANK": "-1", "WORLD_SIZE": "4"},
        {"RANK": "one", "WORLD_SIZE": "4"},
        {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "0"},
    ],
)
def test_half_a_word_is_refused(words: dict[str, str]):
    with pytest.raises(BadInput, match="set RANK to 0, 1"):
        own_share(words)
