from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.editing import pieces
from core.editing.box import Box
from core.editing.pieces import Pieces


@pytest.fixture(autouse=True)
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_BAND", 4)


def noise(seed: int, height: int, width: int, share: float) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width)) < share


masks = st.builds(
    noise, st.integers(0, 9999), st.integers(1, 25), st.integers(1, 25), st.floats(0, 1)
)


def find(inside: np.ndarray, neighbours: int, at: tuple[int, int] = (0, 0)) -> Pieces:
    left, top = at

    def kind(box: Box) -> np.ndarray:
        x0, y0, x1, y1 = box
        return inside[y0 - top : y1 - top, x0 - left : x1 - left]

    height, width = inside.shape
    return Pieces(kind, (left, top, left + width, top + height), neighbours)


@settings(deadline=None)
@given(masks, st.sampled_from([4, 8]), st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_pieces_over_bands_are_those_of_the_whole(
    inside: np.ndarray, neighbours: int, at: tuple[int, int]
) -> None:
    found = find(inside, neighbours, at)
    numbers = np.zeros(inside.shape, int)
    for (x0, y0, x1, y1), part in found.bands(np.arange(len(found.areas)) > 0):
        numbers[y0 - at[1] : y1 - at[1], x0 - at[0] : x1 - at[0]] = part
    count, labels = cv2.connectedComponents(inside.view(np.uint8), connectivity=neighbours)
    assert len(found.areas) == count
    # The same partition, whatever the numbers.
    pairs = {(int(a), int(b)) for a, b in zip(numbers.ravel(), labels.ravel(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    for number, label in pairs:
        piece = labels == label
        if label:
            assert found.areas[number] == piece.sum()
            rim = piece[0].any() or piece[-1].any() or piece[:, 0].any() or piece[:, -1].any()
            assert found.at_edge[number] == rim
    assert found.areas[0] == 0
    assert not found.at_edge[0]


def test_only_bands_with_wanted_pieces_are_looked_at() -> None:
    inside = np.zeros((20, 9), bool)
    inside[1, 1] = inside[10, 3:6] = True
    found = find(inside, 4)
    (band,) = found.bands(found.areas == 3)
    box, numbers = band
    assert box == (0, 8, 9, 12)
    assert np.count_nonzero(numbers) == 3
    assert list(found.bands(found.areas == 7)) == []
