"""Cutting a picture in two along its edges: colour models and a minimum cut.

GrabCut (Rother, Kolmogorov, Blake 2004) with histograms for colour models, as Boykov and Jolly
(2001) had them, and a prior for every pixel: histograms of a few thousand pixels are quicker than
Gaussian mixtures, and mixing in what a model thinks was better by half a point of IoU than using
it for the seeds alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from cv2.typing import MatLike

OUT, IN, FREE = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD
"""What is known of a pixel before the cut (values of uint8 arrays)."""

_BINS = 16
_FLOOR = 2.5e-5  # of a histogram's share: a colour never seen says nothing
_PRIOR = 0.5
"""How much the prior's log odds count beside the colours': pixels are not independent."""
_STRENGTH = 15.0  # of the evidence, against grabCut's fixed weight of 50 for edges
_MOST = 10.0
_NO_BOX = (0, 0, 0, 0)
_LEVELS = 60  # grey levels that the evidence takes in the picture which grabCut sees


def log_odds(probability: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)) of a float array, kept within +-9.2."""
    odds: np.ndarray = np.log((probability + 1e-4) / (1 - probability + 1e-4))
    return odds


@dataclass(frozen=True, eq=False)
class Problem:
    """What to cut and what is known of it; every array h x w.

    pixels: uint8 RGB; prior: float32, log odds of being inside; fixed: uint8 of OUT, IN and FREE;
    seeds: bool, fixed pixels that a person pointed at, whose colours count as much as all others
    of their side together.
    """

    pixels: np.ndarray
    prior: np.ndarray
    fixed: np.ndarray
    seeds: np.ndarray


def solve(problem: Problem) -> np.ndarray:
    """Which pixels are inside: bool, h x w. One cut: more rounds made it no better."""
    fixed = problem.fixed
    weight = np.where(fixed == FREE, 1 / (1 + np.exp(-problem.prior)), fixed == IN)
    evidence = _colour_evidence(problem.pixels, weight, problem.seeds)
    return _minimum_cut(problem.pixels, evidence + _PRIOR * problem.prior, fixed)


def solve_band(problem: Problem, coarse: np.ndarray, width: float) -> np.ndarray:
    """The border of a coarser solution drawn again on finer pixels: bool, h x w.

    coarse: bool, of a smaller shape; width: how far the border may move, in its pixels.
    """
    height, across = problem.fixed.shape
    reach = 2 * max(1, round(width * across / coarse.shape[1])) + 1
    guess = enlarge(coarse, (across, height)).astype(np.uint8)
    band = cv2.morphologyEx(guess, cv2.MORPH_GRADIENT, np.ones((reach, reach), np.uint8)) > 0
    fixed = np.where(band | (problem.fixed != FREE), problem.fixed, guess)
    return solve(replace(problem, fixed=fixed))


def bounded(width: int, height: int, longest: int) -> tuple[int, int]:
    """(width, height) of a picture fitted into ``longest`` pixels; never larger than it is."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An array (h x w, or h x w x 3) at (width, height), which is no larger: averages.

    Of much larger ones some rows and columns are looked at only, so that it takes milliseconds.
    """
    height, width = pixels.shape[:2]
    rows, columns = max(1, height // (4 * size[1])), max(1, width // (4 * size[0]))
    thinned = np.ascontiguousarray(pixels[::rows, ::columns])
    return cv2.resize(thinned, size, interpolation=cv2.INTER_AREA)


def enlarge(inside: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A bool array at (width, height), which is no smaller, its border smoothed."""
    grown = cv2.resize(inside.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    bigger: np.ndarray = grown >= 128
    return bigger


def _colour_evidence(pixels: np.ndarray, weight: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """log P(colour | inside) / P(colour | outside) of each pixel: float32, h x w.

    weight: float, h x w, 0 to 1, how much each pixel belongs inside.
    """
    step = 256 // _BINS
    levels = (pixels // step).astype(np.int32)
    index = (levels[..., 0] * _BINS + levels[..., 1]) * _BINS + levels[..., 2]
    inside = _histogram(index, weight, seeds) + _FLOOR
    outside = _histogram(index, 1 - weight, seeds) + _FLOOR
    evidence: np.ndarray = np.log(inside / outside).astype(np.float32)[index]
    return evidence


def _histogram(index: np.ndarray, weight: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Shares of the colours, blurred by a bin: float64, _BINS ** 3."""
    seeded = np.where(seeds, weight, 0)
    weight = weight + seeded * (weight.sum() / max(float(seeded.sum()), 1e-6))
    cube = np.bincount(index.ravel(), weight.ravel(), _BINS**3).reshape((_BINS,) * 3)
    for axis in range(3):
        low, high = np.roll(cube, 1, axis), np.roll(cube, -1, axis)
        np.moveaxis(low, axis, 0)[0] = 0
        np.moveaxis(high, axis, 0)[-1] = 0
        cube = 0.5 * cube + 0.25 * (low + high)
    shares: np.ndarray = cube.ravel() / max(float(cube.sum()), 1e-6)
    return shares


def _minimum_cut(pixels: np.ndarray, evidence: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """The cut that agrees with the evidence and costs least along the picture's edges.

    OpenCV's one minimum cut is inside grabCut, with its own colour models. So it is shown a
    picture of our own: two channels with most of the colours, a third with the evidence, and
    frozen models that look at the third alone. The log ratio of two Gaussians of one variance is
    linear: their means lie at the channel's ends, and the variance sets the strength.
    """
    if evidence.size < 2:
        return np.where(fixed == FREE, evidence > 0, fixed == IN)
    share = np.clip(evidence / _MOST, -1, 1) * 0.5 + 0.5
    picture = np.dstack([_two_channels(pixels), share * _LEVELS])
    variance = _LEVELS**2 / (2 * _MOST * _STRENGTH)
    models = _frozen_model(0, variance), _frozen_model(_LEVELS, variance)
    seen = picture.round().clip(0, 255).astype(np.uint8)
    labels, *_ = cv2.grabCut(seen, fixed.copy(), _NO_BOX, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
    return is_inside(labels)


def is_inside(labels: MatLike) -> np.ndarray:
    """What grabCut's labels say: bool, of their shape."""
    inside: np.ndarray = (np.asarray(labels, np.uint8) & 1) > 0
    return inside


def _two_channels(pixels: np.ndarray) -> np.ndarray:
    """The two principal components of the colours, about 128: float32, h x w x 2."""
    colours = pixels.reshape(-1, 3).astype(np.float32)
    colours -= colours.mean(0)
    _, axes = np.linalg.eigh(colours.T @ colours)
    two: np.ndarray = (colours @ axes[:, 1:] + 128).reshape(*pixels.shape[:2], 2)
    return two


def _frozen_model(mean: float, variance: float) -> np.ndarray:
    """A Gaussian over the third channel alone, laid out as grabCut keeps its mixtures."""
    model = np.zeros((1, 65))
    model[0, 0] = 1
    model[0, 5:8] = 128, 128, mean
    model[0, 20:29] = np.diag([1e6, 1e6, variance]).ravel()
    return model
