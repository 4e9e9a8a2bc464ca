from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing.box import Box
from core.editing.draft import Draft
from core.editing.snapshot import Snapshot

SHAPE = (700, 520)  # no multiple of a tile


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    height, width = SHAPE
    x0 = draw(st.integers(0, width - 1))
    y0 = draw(st.integers(0, height - 1))
    return x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, SHAPE, dtype=np.uint8)


def change(mask: np.ndarray, box: Box, value: int, *guards: Snapshot | Draft) -> None:
    for guard in guards:
        guard.protect(box)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = value


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes(), max_size=4), st.lists(boxes(), max_size=4))
def test_it_stays_the_mask_as_it_was_when_it_was_made(earlier: list[Box], later: list[Box]) -> None:
    mask = noise()
    for box in earlier:
        change(mask, box, 7)
    before = mask.copy()
    snapshot = Snapshot(mask)
    for value, box in enumerate(later):
        change(mask, box, 10 + value, snapshot)
    after = mask.copy()
    assert np.array_equal(snapshot.pixels(), before)
    assert np.array_equal(mask, after)  # reading changes nothing


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes(), max_size=4), st.lists(boxes(), max_size=4), st.booleans())
def test_during_an_edit_it_is_the_mask_before_that_edit(
    earlier: list[Box], later: list[Box], cancelled: bool
) -> None:
    mask = noise()
    before = mask.copy()
    draft = Draft(mask)
    for box in earlier:
        change(mask, box, 7, draft)
    snapshot = Snapshot(mask, draft.kept)
    for box in later:
        change(mask, box, 8, draft, snapshot)
    if cancelled:
        draft.restore()
    assert np.array_equal(snapshot.pixels(), before)


def test_a_thread_reads_it_while_another_paints() -> None:
    mask = np.zeros((6000, 900), np.uint8)
    rng = np.random.default_rng(1)
    with ThreadPoolExecutor(1) as thread:
        for value in range(1, 9):
            before = mask.copy()
            snapshot = Snapshot(mask)
            read = thread.submit(snapshot.pixels)
            strokes = 0
            while not read.done() or strokes < 5:
                x, y = int(rng.integers(0, 800)), int(rng.integers(0, 5900))
                change(mask, (x, y, x + 90, y + 70), value, snapshot)
                strokes += 1
            assert np.array_equal(read.result(), before)


def test_once_read_it_stays_and_keeps_nothing_of_later_changes() -> None:
    mask = np.zeros(SHAPE, np.uint8)
    snapshot = Snapshot(mask)
    assert not snapshot.taken
    pixels = snapshot.pixels()
    assert snapshot.taken
    change(mask, (0, 0, 300, 300), 3, snapshot)
    assert snapshot.pixels() is pixels
    assert not pixels.any()
    assert not pixels.flags.writeable
    assert not snapshot._kept
