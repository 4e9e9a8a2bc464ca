"""The split: decided once for each image, by its name alone, and never reshuffled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.project.split import Subset, assign, position

NAMES = st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=30)
SHARES = st.floats(0.05, 0.95)


@given(st.lists(NAMES, max_size=6), SHARES)
def test_an_image_keeps_its_subset_however_the_folder_grows(batches: list[list[str]], share: float):
    split: dict[str, Subset] = {}
    for batch in batches:
        grown = assign(batch, split, share)
        assert {n: grown[n] for n in split} == split
        assert set(grown) == set(split) | set(batch)
        split = grown


@given(NAMES, SHARES, st.randoms())
def test_the_order_of_the_images_is_of_no_matter(names: list[str], share: float, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert assign(shuffled, {}, share) == assign(names, {}, share)


@given(NAMES, SHARES)
def test_two_images_are_enough_to_learn_and_to_check(names: list[str], share: float):
    subsets = list(assign(names, {}, share).values())
    assert Subset.TEST not in subsets
    if names:
        assert Subset.TRAIN in subsets
    if len(names) >= 2:
        assert Subset.VAL in subsets


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, min_size=2, max_size=12), SHARES)
def test_one_by_one_the_second_image_brings_a_val_image(names: list[str], share: float):
    split: dict[str, Subset] = {}
    for count, name in enumerate(names, 1):
        split = assign([name], split, share)
        assert Subset.TRAIN in split.values()
        assert count < 2 or Subset.VAL in split.values()


# Some names with the group that each belongs to; a batch is what is assigned at one time.
GROUPED = st.dictionaries(st.text(min_size=1, max_size=12), st.integers(0, 9), max_size=30)


def by_group(numbers: dict[str, int]) -> dict[str, str]:
    """Name -> its group's name, as ``groups_of`` gives it: those that are alone have none."""
    members = [sorted(n for n in numbers if numbers[n] == number) for number in range(10)]
    return {n: group[0] for group in members if len(group) > 1 for n in group}


@given(GROUPED, SHARES, st.integers(1, 5))
def test_near_duplicates_stay_together_however_the_folder_grows(
    numbers: dict[str, int], share: float, batch: int
):
    split: dict[str, Subset] = {}
    names = list(numbers)
    for end in range(batch, len(names) + batch, batch):
        there = {n: numbers[n] for n in names[:end]}
        grown = assign(names[end - batch : end], split, share, groups=by_group(there))
        assert {n: grown[n] for n in split} == split
        split = grown
        sides: dict[int, set[Subset]] = {}
        for name, number in there.items():
            sides.setdefault(number, set()).add(split[name])
        assert all(len(side) == 1 for side in sides.values())
        # From the second group on there is something to learn from and something to check on.
        assert Subset.TRAIN in split.values()
        assert (Subset.VAL in split.values()) == (len(sides) > 1)


@given(GROUPED, SHARES, st.randoms())
def test_with_groups_the_order_is_of_no_matter_either(
    numbers: dict[str, int], share: float, random
):
    names = list(numbers)
    random.shuffle(names)
    groups = by_group(numbers)
    assert assign(names, {}, share, groups=groups) == assign(numbers, {}, share, groups=groups)


def test_pairs_are_shared_out_as_single_photos_are():
    groups = {f"{i}{side}.jpg": f"{i}a.jpg" for i in range(1500) for side in "ab"}
    val = list(assign(groups, {}, 0.75, groups=groups).values()).count(Subset.VAL)
    assert 0.22 < val / 3000 < 0.28


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"a": Subset.TRAIN}, Subset.TRAIN),
        ({"a": Subset.VAL}, Subset.VAL),
        ({"a": Subset.TEST}, Subset.TEST),
        ({"a": Subset.TRAIN, "b": Subset.VAL}, Subset.VAL),
        ({"a": Subset.VAL, "b": Subset.TEST}, Subset.VAL),
        ({"a": Subset.TEST, "b": Subset.TRAIN}, Subset.TEST),
    ],
)
def test_a_copy_follows_its_photo(known: dict[str, Subset], expected: Subset):
    others = {f"t{i}": Subset.TRAIN for i in range(20)} | {f"v{i}": Subset.VAL for i in range(5)}
    groups = dict.fromkeys([*known, "copy"], "a")
    assert assign(["copy"], others | known, groups=groups)["copy"] is expected


def test_the_official_list_outweighs_a_likeness():
    official = {"a": "test", "b": "trainval", "c": "trainval"}
    split = assign("abcd", {}, official=official, groups=dict.fromkeys("abd", "a"))
    assert split["a"] is split["d"] is Subset.TEST
    assert {split["b"], split["c"]} == {Subset.TRAIN, Subset.VAL}


def test_images_that_are_gone_leave_their_place_in_val_to_others():
    known = {"gone": Subset.VAL, "a": Subset.TRAIN, "b": Subset.TRAIN}
    new = next(n for n in map(str, range(100)) if position(n) < 0.8)
    assert assign([new], known)[new] is Subset.TRAIN
    assert assign([new], known, counted=["a", "b"])[new] is Subset.VAL


@given(NAMES, NAMES, SHARES)
def test_the_official_test_images_stay_test(names: list[str], listed: list[str], share: float):
    official = {n: "test" if i % 2 else "trainval" for i, n in enumerate(listed)}
    split = assign(names, {}, share, official)
    for name in names:
        assert (split[name] is Subset.TEST) == (official.get(name) == "test")


def test_a_large_folder_is_split_by_its_share():
    names = [f"photos/{i}.jpg" for i in range(3000)]
    val = sum(s is Subset.VAL for s in assign(names, {}, 0.75).values())
    assert 0.22 < val / 3000 < 0.28


@given(
    st.lists(st.text(min_size=1, max_size=12), unique=True, min_size=4, max_size=40),
    st.sampled_from([0.5, 0.75, 0.8]),
)
def test_a_few_images_are_shared_out_fairly(names: list[str], share: float):
    fair = (1 - share) * len(names)
    val = list(assign(names, {}, share).values()).count(Subset.VAL)
    assert fair / 2 - 1 < val < fair * 1.5 + 1


def test_a_neighbour_does_not_move_an_image():
    names = [f"{i}.jpg" for i in range(200)]
    alone = assign(names, {})
    some = assign(names[::2], {})
    assert all(some[n] is alone[n] for n in names[::2])


def test_the_hash_is_the_one_that_was_published():
    # Another hash would move the images of every folder that has no split.json yet.
    assert position("a.jpg") == 0.3148659035229278
