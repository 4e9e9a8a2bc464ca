"""What is behind everything: a room, a sofa, or the outdoors.

Pictures here are float (h, w, 3), RGB 0..255; ``horizon`` is the row where the floor begins.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from core.drawing.canvas import (
    SUPERSAMPLING,
    Canvas,
    as_layer,
    blur,
    ellipse,
    new_canvas,
    over,
    paint,
    spikes,
)
from core.drawing.colours import jitter, near, paint_colour
from core.drawing.maths import Floats, Rng, Size, fractal, mix, pick, step

BLADES = 3500  # of grass


def background(rng: Rng, size: Size, horizon: float) -> Floats:
    """Any background, float32 (h, w, 3)."""
    build = pick(rng, (_room, _room, _sofa, _outdoors, _outdoors))
    return build(rng, size, horizon).astype(np.float32)


def _room(rng: Rng, size: Size, horizon: float) -> Floats:
    """Wall, pictures, skirting board, and a floor with perhaps a rug."""
    h, w = size
    scene = _wall(rng, size)
    for _ in range(int(rng.integers(0, 3))):
        x, y = int(rng.uniform(0, w * 0.85)), int(rng.uniform(-0.1, 0.25) * h)
        side = int(rng.uniform(0.15, 0.35) * h)
        frame = scene[max(y, 0) : max(min(y + side, int(horizon)), 0), x : x + side]
        frame[:] = paint_colour(rng)
        inside = frame[4:-4, 4:-4]
        if inside.size:
            inside[:] = _textured(rng, _plain(inside.shape, paint_colour(rng)), 0.3, 24)
    scene[max(int(horizon - h * 0.05), 0) : int(horizon)] = rng.uniform(90, 235)
    scene[max(int(horizon) - 2, 0) : int(horizon)] *= 0.5
    scene = _with_floor(scene, pick(rng, (_planks, _planks, _carpet))(rng, size), horizon)
    if rng.random() < 0.5:
        centre = (rng.uniform(0.3, 0.7) * w, (horizon + 1.1 * h) / 2)
        rug = ellipse(*centre, w * rng.uniform(0.35, 0.6), (h - horizon) * 0.42, 3)
        scene = mix(scene, _carpet(rng, size), _shape_layer(size, rug, (0, 0, 0))[..., 3])
    return scene


def _sofa(rng: Rng, size: Size, horizon: float) -> Floats:
    """A backrest of cushions behind a seat, perhaps covered with a blanket."""
    h, w = size
    names = ("cream", "grey", "brown")
    fabric = paint_colour(rng) if rng.random() < 0.4 else near(rng, pick(rng, names))
    scene = _wall(rng, size)
    count = int(rng.integers(2, 4))
    for index in range(count):
        centre = (w * (index + 0.5) / count, horizon - h * 0.05)
        back = ellipse(*centre, w * 0.51 / count, h * rng.uniform(0.36, 0.42), 6)
        layer = _shape_layer(size, back, fabric)
        layer[..., :3] *= 0.45 + 0.5 * blur(layer[..., 3], w * 0.03)[..., None] ** 2
        scene = over(scene, layer)
    seat = _carpet(rng, size) if rng.random() < 0.6 else _plain(size, fabric)
    scene = _with_floor(scene, _textured(rng, seat, 0.1, 30), horizon)
    below = np.maximum(np.arange(h) - horizon, 0)[:, None, None] / h
    fold = 1 - 0.5 * np.exp(-((below * 14) ** 2)) * (below > 0)
    return _textured(rng, scene * fold, 0.07, 2)


def _outdoors(rng: Rng, size: Size, horizon: float) -> Floats:
    """Sky with clouds, hills or hedges, and grass with blades."""
    h, w = size
    zenith = np.array([rng.uniform(90, 170), rng.uniform(140, 190), rng.uniform(190, 235)])
    rise = np.linspace(np.zeros(w), np.ones(w), h)
    sky = mix(zenith, np.array([222.0, 222, 216]), rise)
    cloud = step(0.0, 0.9, fractal(rng, size, 90, 2))
    scene = mix(sky, np.full(3, 240.0), cloud * 0.8)
    for depth in range(int(rng.integers(2, 5))):
        ridge = horizon - h * (0.3 - 0.08 * depth) * rng.uniform(0.5, 1.5)
        ridges = ridge + fractal(rng, (2, w), rng.uniform(12, 160))[0] * h * 0.06
        green = jitter(rng, np.array([96.0, 122, 88]) - 14 * depth, 10)
        leaves = _textured(rng, _plain(size, green), 0.3, rng.uniform(6, 30))
        scene = mix(scene, leaves, np.clip(np.arange(h)[:, None] - ridges, 0, 1))
    scene = _with_floor(scene, _turf(rng, size), horizon)
    blades = new_canvas(size)
    _draw_grass(rng, blades, horizon)
    return over(scene, as_layer(blades))


def _shape_layer(size: Size, outline: Floats, colour: Floats | Sequence[float]) -> Floats:
    """A layer with one polygon, given in the picture's pixels."""
    canvas = new_canvas(size)
    paint(canvas, outline * SUPERSAMPLING, colour)
    return as_layer(canvas)


def _with_floor(scene: Floats, texture: Floats, horizon: float) -> Floats:
    """The texture laid in perspective below the horizon."""
    h, w = texture.shape[:2]
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    floor = [(0, horizon), (w, horizon), (w * 1.7, h * 1.02), (-w * 0.7, h * 1.02)]
    warp = cv2.getPerspectiveTransform(source, np.array(floor, np.float32))
    laid = cv2.warpPerspective(texture, warp, (w, h), borderMode=cv2.BORDER_REFLECT)
    below = np.clip(np.arange(h) - horizon + 0.5, 0, 1)
    return mix(scene, np.asarray(laid, texture.dtype), below[:, None])


def _plain(size: Sequence[int], colour: Floats) -> Floats:
    return np.tile(colour.astype(np.float32), (size[0], size[1], 1))


def _textured(rng: Rng, base: Floats, amount: float, cell: float, stretch: float = 1) -> Floats:
    noise = fractal(rng, (base.shape[0], base.shape[1]), cell, stretch)
    return np.asarray(base * (1 + amount * noise[..., None]))


def _wall(rng: Rng, size: Size) -> Floats:
    """Plain, striped, dotted, or of bricks."""
    warm = np.array([1.0, rng.uniform(0.9, 1.02), rng.uniform(0.75, 1.0)])
    image = _textured(rng, _plain(size, jitter(rng, rng.uniform(95, 225) * warm, 8)), 0.05, 80)
    style = pick(rng, ("stripes", "dots", "bricks", "plain"))
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    if style == "stripes":
        image *= 1 - 0.14 * (np.sin(x / rng.uniform(4, 14)) > 0.2)[..., None]
    elif style == "dots":
        cell = rng.uniform(18, 36)
        left = (x + cell / 2 * (y // cell % 2)) % cell
        image *= (
            1 - 0.22 * (np.hypot(left - cell / 2, y % cell - cell / 2) < cell * 0.22)[..., None]
        )
    elif style == "bricks":
        mortar = (y % 22 < 3) | ((x + 24 * (y // 22 % 2)) % 48 < 3)
        image = _textured(rng, image * (0.72 + 0.3 * mortar[..., None]), 0.12, 24)
    return image


def _planks(rng: Rng, size: Size) -> Floats:
    h, w = size
    wood = near(rng, pick(rng, ("golden", "brown", "cream", "ginger", "grey")))
    image = _plain(size, wood * 0.85)
    rows = int(rng.integers(7, 14))
    for row in range(rows):
        plank = image[row * h // rows : (row + 1) * h // rows]
        cut = int(rng.integers(w))
        plank[:, :cut] *= rng.uniform(0.85, 1.12)
        plank[:, cut:] *= rng.uniform(0.85, 1.12)
        plank[:2] *= 0.55
        plank[:, cut : cut + 2] *= 0.6
    return _textured(rng, image, 0.16, 14, 12)


def _carpet(rng: Rng, size: Size) -> Floats:
    first, second = paint_colour(rng), paint_colour(rng)
    y, x = np.mgrid[0 : size[0], 0 : size[1]] / rng.uniform(14, 40)
    motif = pick(rng, (np.sin(x) * np.sin(y), np.sin(x + y) * np.sin(x - y), np.sin(y * 2)))
    image = mix(first, second, step(0.1, 0.3, motif) * 0.8)
    return _textured(rng, _textured(rng, image, 0.22, 2), 0.08, 60)


def _turf(rng: Rng, size: Size) -> Floats:
    green = np.array([rng.uniform(70, 120), rng.uniform(110, 150), rng.uniform(40, 70)])
    image = _textured(rng, _textured(rng, _plain(size, green), 0.2, 90), 0.25, 6)
    dry = step(0.1, 0.9, fractal(rng, size, 70)) * 0.6
    return mix(image, np.array([168.0, 146, 92]), dry)


def _draw_grass(rng: Rng, canvas: Canvas, horizon: float) -> None:
    """Draw blades of grass from the horizon to the viewer."""
    h, w = canvas.shape[:2]
    top = horizon * SUPERSAMPLING
    near = np.sort(rng.uniform(0, 1, BLADES)) ** 1.3
    roots = np.column_stack([rng.uniform(0, w, BLADES), top + near * (h * 1.1 - top)])
    length = h * (0.012 + 0.06 * near) * rng.uniform(0.5, 1.4, BLADES)
    tips = roots + np.column_stack([rng.normal(0, 0.4, BLADES), -np.ones(BLADES)]) * length[:, None]
    half = np.column_stack([1 + 1.6 * near, np.zeros(BLADES)])
    green = np.array([92, 124, 52]) * rng.uniform(0.55, 1.45, (BLADES, 1))
    spikes(canvas, roots, half, tips, green + rng.normal(0, 12, (BLADES, 3)))
