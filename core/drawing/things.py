"""Things behind or before an animal: boxes, balls, plants, cushions and furry pillows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.drawing.anatomy import limb
from core.drawing.canvas import (
    SUPERSAMPLING,
    Canvas,
    as_layer,
    blur,
    ellipse,
    new_canvas,
    paint,
)
from core.drawing.coat import Coat, random_coat
from core.drawing.colours import jitter, paint_colour
from core.drawing.fur import Furrier
from core.drawing.maths import Floats, Placement, Rng, Size, fractal, pick, rotation, unit

PILLOW_STRANDS = 9_000
#: An outline (n, 2) in units of its thing, which stands on (0, 0), and its colour.
Shape = tuple[Floats, Floats]


def clutter(
    rng: Rng, coat: Coat, size: Size, horizon: float, ground: float, light: Floats
) -> Floats:
    """A layer of things on the floor behind the animal, the farther the smaller."""
    h, w = size
    canvas, shadows = new_canvas(size), new_canvas(size)
    nearest = min(ground, h * 0.95)
    for depth in np.sort(rng.uniform(0.05, 0.9, int(rng.integers(2, 6)))):
        x, y = rng.uniform(0.02, 0.98) * w, horizon + depth * max(nearest - horizon, 4)
        unit_px = h * rng.uniform(0.2, 0.34) * (0.7 + 0.6 * depth)
        place = _standing(x * SUPERSAMPLING, y * SUPERSAMPLING, unit_px * SUPERSAMPLING)
        paint(shadows, place.points(ellipse(-0.3 * light[0], 0, 0.62, 0.1)), (0, 0, 0))
        _draw_thing(rng, canvas, coat, place)
    layer = as_layer(canvas)
    layer[..., :3] *= 1 + 0.08 * fractal(rng, size, 5)[..., None]
    shadow = blur(as_layer(shadows), h * 0.012) * np.float32(0.55)
    return np.asarray(shadow * (1 - layer[..., 3:]) + layer)


def occluder(rng: Rng, coat: Coat, hide: Floats, size: Size) -> Floats:
    """A layer that has, in a quarter of the pictures, a thing before the animal.

    ``hide`` (n, 2) are canvas points that are worth hiding.
    """
    canvas = new_canvas(size)
    bottom, right = canvas.shape[:2]
    if rng.random() < 0.25:
        x = float(rng.choice(hide)[0]) + rng.normal(0, 0.12) * right
        y, unit_px = bottom * rng.uniform(0.98, 1.06), bottom * rng.uniform(0.22, 0.36)
        _draw_thing(rng, canvas, coat, _standing(x, y, unit_px))
    return blur(as_layer(canvas), rng.uniform(0.4, 1.0))


def _standing(x: float, y: float, size: float) -> Placement:
    """On canvas point (x, y), a unit being ``size`` pixels."""
    return Placement(np.eye(2) * size, np.array([x, y]))


def _draw_thing(rng: Rng, canvas: Canvas, coat: Coat, place: Placement) -> None:
    """Draw any thing, often in the animal's colours: colour alone does not tell it from them."""
    colour = paint_colour(rng)
    if rng.random() < 0.55:
        colour = jitter(rng, pick(rng, (coat.base, coat.base, coat.marking, coat.pale)), 8)
    kinds = (_box, _ball, _plant, _cushion)
    kind = int(rng.integers(len(kinds) + 1))
    if kind == len(kinds):
        _draw_pillow(rng, canvas, place, colour)
    else:
        for outline, tint in kinds[kind](rng, colour):
            paint(canvas, place.points(outline), tint)


def _draw_pillow(rng: Rng, canvas: Canvas, place: Placement, colour: Floats) -> None:
    """A furry pillow in a coat's colour: fur alone does not make a pet."""
    length = rng.uniform(0.1, 0.22)
    coat = replace(random_coat(rng), base=colour, pattern="solid", length=length)
    blob = limb([(-0.3, -0.36, 0.36), (0.0, -0.38, 0.4), (0.3, -0.36, 0.36)])
    Furrier(rng, canvas, coat, place, unit(np.array([0.2, -0.7, 0.6]))).draw([blob], PILLOW_STRANDS)


def _slab(y: float, top: float, bottom: float, height: float) -> Floats:
    """A trapezoid standing at ``y``: half widths at its top and bottom, and its height."""
    return np.array([(-top, y - height), (top, y - height), (bottom, y), (-bottom, y)])


def _box(rng: Rng, colour: Floats) -> list[Shape]:
    w, h, depth = rng.uniform(0.4, 0.7), rng.uniform(0.5, 1.0), rng.uniform(0.15, 0.35)
    return [
        (_slab(0, w, w, h), colour * 0.85),
        (_slab(-h, w - depth, w, depth), colour * 1.12),
        (_slab(-h * 0.7, w * 0.12, w * 0.1, h * 0.3), colour * 0.6 + 60),
        (_slab(-h, w, w, 0.015), colour * 0.5),
    ]


def _ball(rng: Rng, colour: Floats) -> list[Shape]:
    r, thick = 0.42, 0.42 * rng.uniform(0.05, 0.16)
    shapes: list[Shape] = []
    for ring in np.linspace(0, 1, 14):
        shift, inner = r * 0.3 * ring, r * (1 - ring * 0.93)
        shapes.append((ellipse(-shift, -r - shift, inner, inner), colour * (0.5 + 0.75 * ring)))
    seam = ellipse(0, -r, r * 0.4, r * 0.97)[10:31]
    return [*shapes, (np.concatenate([seam, seam[::-1] + np.array([thick, 0])]), 255 - colour)]


def _plant(rng: Rng, colour: Floats) -> list[Shape]:
    pot, green = 0.32, np.array([70.0, 112, 56])
    t = np.linspace(0, 1, 9)[:, None]
    shapes: list[Shape] = []
    for angle in rng.uniform(-1.2, 1.2, int(rng.integers(14, 30))):
        reach = rng.uniform(0.5, 1.3)
        along = np.array([np.sin(angle), -np.cos(angle)])
        droop = t**2 * np.array([0, 0.25 * abs(angle) * reach])
        curve = np.array([0, -pot]) + t * along * reach + droop
        side = np.array([-along[1], along[0]]) * np.sin(np.pi * t**0.8) * reach * 0.09
        leaf = np.concatenate([curve - side, (curve + side)[::-1]])
        shapes.append((leaf, green * rng.uniform(0.5, 1.5)))
    shapes.append((_slab(0, pot, pot * 0.7, pot * 1.2), colour * 0.85))
    return [*shapes, (_slab(-pot * 1.05, pot * 1.1, pot * 1.1, pot * 0.35), colour)]


def _cushion(rng: Rng, colour: Floats) -> list[Shape]:
    r, tilt = 0.55, rng.normal(0, 0.3)
    shapes: list[Shape] = []
    for ring in np.linspace(0, 1, 8):
        half = r * (1 - 0.35 * ring)
        shapes.append((ellipse(0, 0, half, half, 4 - ring), colour * (0.68 + 0.4 * ring)))
    for row in np.linspace(-0.6, 0.6, int(rng.integers(3, 7))):
        shapes.append((_slab(row * r, r * 0.85, r * 0.85, r * 0.06), colour * 0.6 + 50))
    return [(outline @ rotation(tilt) - np.array([0, r * 0.9]), tint) for outline, tint in shapes]
