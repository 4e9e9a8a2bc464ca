"""Confidence intervals: what the figures would be with other images of the same kind.

Percentile bootstrap over images (Efron 1979): images are drawn with replacement, as many as there
are, and the figures taken anew of each draw. All pixels of an image come along together: they are
no independent samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

RESAMPLES = 2000
SEED = 0
_LEVEL = 0.95
_WEIGHTS = 1 << 20  # so many numbers are held at a time


def draws(images: int) -> Iterator[np.ndarray]:
    """How often each image is in each draw: float64, some draws x images at a time, always the
    same for as many images, so that figures of the same images stay paired."""
    random = np.random.default_rng(SEED)
    step = max(1, _WEIGHTS // images)
    for first in range(0, RESAMPLES, step):
        count = min(step, RESAMPLES - first)
        drawn = random.integers(0, images, (count, images))
        drawn += np.arange(count)[:, None] * images
        yield np.bincount(drawn.ravel(), minlength=count * images).reshape(count, images) * 1.0


def intervals(
    means: dict[str, np.ndarray],
    sums: np.ndarray,
    figures_of: Callable[[np.ndarray], dict[str, np.ndarray]],
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """95 % intervals of means over images, and of figures of summed counts.

    means: name -> a number an image; sums: images x ..., counts; figures_of: summed counts (draws
    x ...) -> name -> a number a draw. Both empty for fewer than two images.
    """
    images = len(sums)
    if images < 2:
        return {}, {}
    names = list(means)
    values = np.stack([means[name] for name in names], axis=-1)
    flat = sums.reshape(images, -1).astype(np.float64)
    drawn_means, drawn_figures = [], []
    for weights in draws(images):
        drawn_means.append(weights @ values / images)
        drawn_figures.append(figures_of((weights @ flat).reshape(-1, *sums.shape[1:])))
    each = np.concatenate(drawn_means)
    return (
        {name: interval(each[:, i]) for i, name in enumerate(names)},
        {
            name: interval(np.concatenate([figures[name] for figures in drawn_figures]))
            for name in drawn_figures[0]
        },
    )


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of what was drawn."""
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
