"""Colours (RGB 0..255, float) of coats, wood and manufactured things."""

from __future__ import annotations

import numpy as np

from core.drawing.maths import Floats, Rng

PALETTE = {
    "ginger": (205, 128, 62),
    "black": (46, 42, 42),
    "grey": (124, 124, 130),
    "white": (236, 231, 222),
    "cream": (226, 200, 160),
    "brown": (118, 82, 55),
    "chocolate": (78, 54, 42),
    "golden": (206, 158, 92),
    "silver": (172, 171, 170),
}


def jitter(rng: Rng, colour: Floats, amount: float = 14) -> Floats:
    """The colour, a little lighter or darker and a little off its hue."""
    moved = colour * rng.uniform(0.85, 1.15) + rng.normal(0, amount, 3)
    return np.asarray(np.clip(moved, 8, 248))


def near(rng: Rng, name: str, amount: float = 14) -> Floats:
    """A colour like the palette's ``name``."""
    return jitter(rng, np.array(PALETTE[name], float), amount)


def paint_colour(rng: Rng) -> Floats:
    """The colour of a manufactured thing: any hue, seldom garish."""
    vivid = rng.uniform(30, 225, 3)
    return np.asarray(vivid + (vivid.mean() - vivid) * rng.uniform(0.1, 0.85))
