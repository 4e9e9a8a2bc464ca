from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.editing.region import Region
from core.editing.wand import wand

SHAPE = (12, 17)
WHOLE = (0, 0, SHAPE[1], SHAPE[0])


def noise(seed: int, colours: int) -> np.ndarray:
    """A photo of few colours in patches, so that some are connected and some are not."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    patches: np.ndarray = palette[rng.integers(0, colours, (SHAPE[0] // 2 + 1, SHAPE[1] // 2 + 1))]
    return patches.repeat(2, axis=0).repeat(2, axis=1)[: SHAPE[0], : SHAPE[1]].copy()


def seen(region: Region | None) -> np.ndarray:
    assert region is not None
    return region.within(WHOLE)


photos = st.builds(noise, st.integers(0, 999), st.integers(1, 6))
seeds = st.tuples(st.integers(0, SHAPE[1] - 1), st.integers(0, SHAPE[0] - 1))


@given(photos, seeds, st.integers(0, 255))
def test_what_is_chosen_is_like_the_point_and_holds_it(
    pixels: np.ndarray, seed: tuple[int, int], tolerance: int
) -> None:
    pixels.flags.writeable = False
    x, y = seed
    everywhere = seen(wand(pixels, (x + 0.7, y + 0.2), tolerance, contiguous=False))
    assert everywhere[y, x]
    colours = pixels[everywhere].astype(int)
    assert (np.ptp(colours, axis=0) <= 2 * tolerance).all()
    # Like colours are chosen wherever they are: none is both in and out.
    inside = {tuple(c) for c in colours.tolist()}
    assert not inside & {tuple(c) for c in pixels[~everywhere].tolist()}
    connected = seen(wand(pixels, (x + 0.7, y + 0.2), tolerance, contiguous=True))
    assert np.array_equal(connected, _connected(everywhere, x, y))


def _connected(inside: np.ndarray, x: int, y: int) -> np.ndarray:
    reached = np.zeros_like(inside)
    waiting = [(x, y)]
    while waiting:
        a, b = waiting.pop()
        if 0 <= a < SHAPE[1] and 0 <= b < SHAPE[0] and inside[b, a] and not reached[b, a]:
            reached[b, a] = True
            waiting += [(a + 1, b), (a - 1, b), (a, b + 1), (a, b - 1)]
    return reached


@given(photos, seeds, st.integers(0, 254))
def test_more_tolerance_never_takes_pixels_away_in_a_flat_place(
    pixels: np.ndarray, seed: tuple[int, int], tolerance: int
) -> None:
    x, y = seed
    pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = pixels[y, x]
    point = (float(x), float(y))
    less = seen(wand(pixels, point, tolerance, contiguous=True))
    assert seen(wand(pixels, point, tolerance + 1, contiguous=True))[less].all()


def test_the_mean_of_the_neighbours_makes_up_for_a_noisy_pixel() -> None:
    pixels = np.full((*SHAPE, 3), 100, np.uint8)
    pixels[5, 5] = 118
    assert seen(wand(pixels, (5.5, 5.5), 20, contiguous=True)).all()
    pixels[4, 8] = 122
    assert not seen(wand(pixels, (5.5, 5.5), 19, contiguous=False))[4, 8]


def test_what_lies_beyond_the_first_window_is_found() -> None:
    pixels = np.zeros((30, 4000, 3), np.uint8)
    pixels[10, 100:3900] = 200
    pixels[20, :] = 200
    region = wand(pixels, (101.0, 10.5), 5, contiguous=True)
    assert region is not None
    assert region.box == (100, 10, 3900, 11)
    assert region.count == 3800


@pytest.mark.parametrize("point", [(-0.1, 3.0), (3.0, -1e300), (17.0, 3.0), (1e12, 5.0)])
def test_a_point_outside_chooses_nothing(point: tuple[float, float]) -> None:
    assert wand(noise(0, 3), point, 30, contiguous=True) is None
    assert wand(noise(0, 3), point, 30, contiguous=False) is None


def test_an_image_of_one_pixel_is_chosen() -> None:
    for contiguous in (True, False):
        region = wand(np.full((1, 1, 3), 9, np.uint8), (0.5, 0.5), 0, contiguous)
        assert region is not None
        assert region.box == (0, 0, 1, 1)
