from __future__ import annotations

import numpy as np
import pytest

from core.editing.graphcut import (
    FREE,
    IN,
    OUT,
    Problem,
    bounded,
    enlarge,
    shrink,
    solve,
    solve_band,
)

HEIGHT, WIDTH = 40, 60
LEFT = np.arange(WIDTH) < 25


def problem(prior: float | np.ndarray = 0.0, noise: int = 20) -> Problem:
    """A red and a green half, grainy, with some of each known."""
    rng = np.random.default_rng(0)
    pixels = np.where(LEFT[:, None], (200, 60, 60), (60, 200, 60)) * np.ones((HEIGHT, 1, 1))
    pixels = pixels + rng.integers(-noise, noise + 1, pixels.shape)
    fixed = np.full((HEIGHT, WIDTH), FREE, np.uint8)
    fixed[15:20, 4:9], fixed[15:20, 50:55] = IN, OUT
    return Problem(
        pixels.clip(0, 255).astype(np.uint8),
        np.broadcast_to(np.asarray(prior, np.float32), fixed.shape),
        fixed,
        np.zeros(fixed.shape, bool),
    )


def test_colours_that_are_known_tell_the_rest():
    np.testing.assert_array_equal(solve(problem()), np.broadcast_to(LEFT, (HEIGHT, WIDTH)))


def test_without_an_edge_the_prior_decides():
    flat = problem(np.where(np.arange(HEIGHT) < 20, 6.0, -6.0)[:, None])
    flat.pixels[:] = 128
    flat.fixed[:] = FREE
    np.testing.assert_array_equal(solve(flat)[:, 0], np.arange(HEIGHT) < 20)


def test_what_is_known_stays_whatever_all_else_says():
    against = problem(-9.0)
    assert solve(against)[against.fixed == IN].all()
    assert not solve(problem(9.0))[against.fixed == OUT].any()


@pytest.mark.parametrize("value", [IN, OUT, FREE])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (4, 4)])
def test_nothing_to_decide_is_no_error(shape: tuple[int, int], value: int):
    same = Problem(
        np.zeros((*shape, 3), np.uint8),
        np.zeros(shape, np.float32),
        np.full(shape, value, np.uint8),
        np.zeros(shape, bool),
    )
    found = solve(same)
    assert found.shape == shape
    if value != FREE:
        assert (found == (value == IN)).all()


def test_a_person_s_own_pixels_outweigh_many_others():
    """Grey is rarer inside than outside, until a person points at some of it."""
    picture = problem(noise=0)
    picture.pixels[:] = (60, 60, 200)
    picture.pixels[:, :20] = (200, 60, 60)
    picture.pixels[25:, 20:] = 90
    picture.fixed[:] = OUT
    picture.fixed[:, :20] = IN
    picture.fixed[30:, 20:] = FREE
    picture.fixed[33:37, 30:34] = IN
    assert solve(picture)[30:, 20:].mean() < 0.1
    picture.seeds[33:37, 30:34] = True
    assert solve(picture)[30:, 20:].mean() > 0.9


def test_the_band_follows_the_finer_edge_and_leaves_the_rest():
    coarse = np.zeros((10, 15), bool)
    coarse[:, :6] = True  # to column 24; the edge is at 25
    coarse[2, 12] = True  # far from the edge of colours
    fine = solve_band(problem(), coarse, 1.0)
    assert fine[:, :25].all()
    assert not fine[20:, 25:].any()
    assert fine[:, :20].all()


def test_pictures_are_fitted_but_never_enlarged():
    assert bounded(4000, 3000, 200) == (200, 150)
    assert bounded(30, 20, 200) == (30, 20)
    assert bounded(10000, 1, 200) == (200, 1)


def test_a_small_picture_of_a_large_one_has_its_colours():
    large = np.zeros((900, 1300, 3), np.uint8)
    large[:, 650:] = 200
    small = shrink(large, (13, 9))
    assert small.shape == (9, 13, 3)
    assert (small[:, :6] == 0).all()
    assert (small[:, 7:] == 200).all()
    assert enlarge(small[..., 0] > 100, (1300, 900)).mean() == pytest.approx(0.5, abs=0.05)
