from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.cleanup import CLEAN_UPS
from core.editing.region import Region, region_of

BY_ID = {c.id: c for c in CLEAN_UPS}
NAMES = {".": 0, "a": 1, "b": 2, "c": 3, "v": 255}


def read(*rows: str) -> np.ndarray:
    return np.array([[NAMES[letter] for letter in row] for row in rows], np.uint8)


def clean(
    id: str, mask: np.ndarray, value: int | None, amount: int = 0, selection: Region | None = None
) -> np.ndarray:
    """The whole mask after a clean-up."""
    (x0, y0, x1, y1), pixels = BY_ID[id].apply(mask, value, amount, selection)
    after = mask.copy()
    after[y0:y1, x0:x1] = pixels
    return after


def patches(seed: int, side: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.choice(np.array([0, 1, 2, 255], np.uint8), (9, 11), p=[0.4, 0.4, 0.15, 0.05])
    return coarse.repeat(side, axis=0).repeat(side, axis=1)


masks = st.builds(patches, st.integers(0, 9999), st.integers(1, 3))
cleanups = st.sampled_from(CLEAN_UPS)


@settings(deadline=None)
@given(masks, cleanups, st.sampled_from([0, 1, 2, 7, 255, None]), st.integers(1, 30), st.data())
def test_nothing_changes_outside_the_selection_and_the_mask_itself_never(
    mask: np.ndarray, cleanup: object, value: int | None, amount: int, data: st.DataObject
) -> None:
    before = mask.copy()
    mask.flags.writeable = False
    seed = data.draw(st.integers(0, 999))
    chosen = np.random.default_rng(seed).random(mask.shape) < data.draw(
        st.sampled_from([0.01, 0.6])
    )
    selection = region_of(chosen)
    if selection is None:
        return
    assert isinstance(cleanup, type(CLEAN_UPS[0]))
    after = clean(cleanup.id, mask, value, amount, selection)
    assert np.array_equal(mask, before)
    assert np.array_equal(after[~chosen], before[~chosen])


@settings(deadline=None)
@given(masks, cleanups, st.integers(1, 30))
def test_a_class_that_is_not_there_changes_nothing(
    mask: np.ndarray, cleanup: object, amount: int
) -> None:
    assert isinstance(cleanup, type(CLEAN_UPS[0]))
    if cleanup.id != "invert":
        assert np.array_equal(clean(cleanup.id, mask, 9, amount), mask)


def test_holes_up_to_the_size_are_filled_and_what_is_open_is_not() -> None:
    mask = read(
        "aaaaaaaaaa.",
        "a.aa..aaaa.",
        "aaaa..aa.aa",
        "aaaaaaaaa.a",
        ".aaaaaaaaaa",
        "..aaaaaaaaa",
    )
    filled = clean("fill_holes", mask, 1, 3)
    assert np.array_equal(
        filled,
        read(
            "aaaaaaaaaa.",
            "aaaa..aaaa.",
            "aaaa..aaaaa",
            "aaaaaaaaaaa",
            ".aaaaaaaaaa",
            "..aaaaaaaaa",
        ),
    )
    assert np.array_equal(clean("fill_holes", mask, 1, 4)[1:3, 4:6], read("aa", "aa"))


def test_a_class_or_void_that_lies_in_a_class_by_itself_is_no_hole() -> None:
    mask = read(
        "aaaaaaaaaaaaaa",
        "ab.avvaavvvaaa",
        "abbavvaav.vaaa",
        "aaaaaaaavvvabb",
        "aaaaaaaaaaaabb",
    )
    filled = clean("fill_holes", mask, 1, 50)
    assert np.array_equal(
        filled,
        read(
            "aaaaaaaaaaaaaa",
            "aaaavvaaaaaaaa",
            "aaaavvaaaaaaaa",
            "aaaaaaaaaaaabb",
            "aaaaaaaaaaaabb",
        ),
    )
    assert np.array_equal(clean("fill_holes", mask, 0, 50), mask)


def test_holes_of_every_class_are_filled_with_what_encloses_them() -> None:
    mask = read(
        "aaaa.bbbb",
        "a.aa.b.bb",
        "aaaa.bbbb",
    )
    assert np.array_equal(
        clean("fill_holes", mask, None, 5),
        read(
            "aaaa.bbbb",
            "aaaa.bbbb",
            "aaaa.bbbb",
        ),
    )


def test_a_class_that_was_all_in_the_hole_of_another_is_no_error() -> None:
    mask = read(
        "aaaaa",
        "a.b.a",
        "aaaaa",
    )
    assert (clean("fill_holes", mask, None, 5) == 1).all()


def test_void_is_smoothed_by_name_only() -> None:
    mask = np.ones((30, 40), np.uint8)
    mask[:, 20:] = 2
    mask[5:25, 18:22] = 255  # nobody knows where the border is
    mask[10:12, 5:7] = 255
    mask[20, 30] = 1
    smoothed = clean("smooth", mask, None, 6)
    assert np.array_equal(smoothed == 255, mask == 255)
    assert smoothed[20, 30] == 2
    assert not (clean("smooth", mask, 255, 6)[:, :15] == 255).any()


def test_islands_below_the_size_become_what_they_lie_in() -> None:
    mask = read(
        "a..bbbbbbb",
        "...bbabbbb",
        ".aabbbabbb",
        ".aabbbbbbv",
        "....bbbvva",
    )
    assert np.array_equal(
        clean("remove_islands", mask, 1, 4),
        read(
            "...bbbbbbb",
            "...bbbbbbb",
            ".aabbbbbbb",
            ".aabbbbbbv",
            "....bbbvvv",
        ),
    )
    assert np.array_equal(clean("remove_islands", mask, 1, 5)[2:4, 1:3], read("..", ".."))
    assert not (clean("remove_islands", mask, None, 5) == 1).any()
    assert (clean("remove_islands", mask, None, 5) == 255).sum() >= 3  # void is no island


def test_a_mask_of_one_class_has_no_island_whatever_the_size() -> None:
    for mask in (np.full((4, 5), 3, np.uint8), np.full((1, 1), 3, np.uint8)):
        for value in (3, None):
            assert np.array_equal(clean("remove_islands", mask, value, 1000), mask)
            assert np.array_equal(clean("keep_largest", mask, value), mask)


@settings(deadline=None)
@given(masks, st.integers(1, 60))
def test_no_small_island_of_the_class_is_left_and_no_other_pixel_changed(
    mask: np.ndarray, size: int
) -> None:
    after = clean("remove_islands", mask, 1, size)
    assert not ((after == 1) & (mask != 1)).any()
    assert np.array_equal(after[mask != 1], mask[mask != 1])
    assert np.array_equal(clean("remove_islands", after, 1, size), after)


def test_the_largest_piece_is_kept_and_touching_corners_count_as_one() -> None:
    mask = read(
        "aa...aaa",
        "aa...aaa",
        "..a.....",
        "...aa..a",
    )
    kept = clean("keep_largest", mask, 1)
    assert np.array_equal(
        kept,
        read(
            "aa......",
            "aa......",
            "..a.....",
            "...aa...",
        ),
    )


def test_keeping_the_largest_in_a_selection_looks_at_the_pieces_there() -> None:
    mask = read(
        "aaaa...aa.a",
        "aaaa...aa..",
        "aaaa.......",
    )
    right = region_of(np.ones((3, 5), bool), 6, 0)
    assert np.array_equal(
        clean("keep_largest", mask, 1, 0, right),
        read(
            "aaaa...aa..",
            "aaaa...aa..",
            "aaaa.......",
        ),
    )
    # A piece that only reaches into the selection counts at its full size.
    wide = region_of(np.ones((1, 8), bool), 3, 0)
    assert np.array_equal(
        clean("keep_largest", mask, 1, 0, wide),
        read(
            "aaaa.......",
            "aaaa...aa..",
            "aaaa.......",
        ),
    )


def test_the_largest_of_each_class_is_kept_and_background_and_void_stay() -> None:
    mask = read("aa.a.bb.b", "v...v...v")
    assert np.array_equal(
        clean("keep_largest", mask, None),
        read("aa...bb..", "v...v...v"),
    )


def test_invert_swaps_the_class_and_the_background_only() -> None:
    mask = read("a.bv")
    assert np.array_equal(clean("invert", mask, 1), read(".abv"))
    assert np.array_equal(clean("invert", mask, 0), mask)


@given(masks)
def test_inverting_twice_changes_nothing(mask: np.ndarray) -> None:
    assert np.array_equal(clean("invert", clean("invert", mask, 2), 2), mask)


def test_clear_takes_a_class_or_everything() -> None:
    mask = read("a.bv")
    assert np.array_equal(clean("clear", mask, 1), read("..bv"))
    assert np.array_equal(clean("clear", mask, None), read("...."))
    right = region_of(np.ones((1, 1), bool), 3, 0)
    assert np.array_equal(clean("clear", mask, None, 0, right), read("a.b."))


def test_what_needs_a_class_says_so() -> None:
    assert {c.id for c in CLEAN_UPS if not c.whole} == {"grow", "shrink", "invert"}
    mask = read("a.bv")
    for cleanup in CLEAN_UPS:
        if not cleanup.whole:
            assert np.array_equal(clean(cleanup.id, mask, None, 2), mask)


@pytest.mark.parametrize("cleanup", CLEAN_UPS, ids=lambda c: c.id)
def test_the_default_lies_in_the_range(cleanup: object) -> None:
    assert isinstance(cleanup, type(CLEAN_UPS[0]))
    assert cleanup.range[0] <= cleanup.default <= cleanup.range[1]
    assert bool(cleanup.parameter) == (cleanup.range != (0, 0))
