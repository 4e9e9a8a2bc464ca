"""Points, vectors, smooth steps, noise and chance: what every drawing module computes with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.intp]
Points = Floats | Sequence[float] | Sequence[Sequence[float]]
Rng = np.random.Generator
Size = tuple[int, int]  # height, width
T = TypeVar("T")


@dataclass(frozen=True)
class Placement:
    """Own coordinates (x right, y down) to others': ``points @ matrix + offset``."""

    matrix: Floats
    offset: Floats

    @property
    def scale(self) -> float:
        """The length of an own unit there."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    def points(self, points: Points) -> Floats:
        """Own coordinates (..., 2) to the others'."""
        return np.asarray(np.asarray(points, float) @ self.matrix + self.offset)

    def on(self, base: Placement) -> Placement:
        """Own coordinates to those that ``base`` places its own in."""
        return Placement(self.matrix @ base.matrix, base.points(self.offset))


def rotation(angle: float) -> Floats:
    """The (2, 2) matrix that turns points (n, 2) clockwise by radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, sin], [-sin, cos]])


def unit(vectors: Floats) -> Floats:
    """The vectors (..., k) at length 1."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))


def step(low: float, high: float, values: Floats) -> Floats:
    """Smoothstep: 0 below ``low``, 1 above ``high``."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def mix(first: Floats, second: Floats, share: Floats) -> Floats:
    """Colours (..., 3): ``first`` where ``share`` (...) is 0, ``second`` where it is 1."""
    return np.asarray(first + (second - first) * share[..., None].astype(np.float32))


def pick(rng: Rng, options: Sequence[T]) -> T:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def fractal(rng: Rng, size: Size, cell: float, stretch: float = 1.0) -> Floats:
    """Smooth noise (h, w), mean 0, roughly -1..1, with details from ``cell`` pixels downwards."""
    h, w = size
    total = np.zeros(size, np.float32)
    for octave in range(4):
        grain = max(cell / 2**octave, 1.0)
        rows, cols = max(2, int(h / grain)), max(2, int(w / (grain * stretch)))
        coarse = rng.normal(0, 0.48, (rows, cols)).astype(np.float32)
        total += cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC) / 2**octave
    return total
