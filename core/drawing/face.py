"""An animal's face: eyes, nose, mouth and whiskers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.drawing.anatomy import Head
from core.drawing.canvas import Canvas, as_layer, ellipse, new_canvas, paint, stroke
from core.drawing.coat import Coat
from core.drawing.maths import Floats, Placement, Rng, Size

DARK = (38, 28, 28)
NOSE_Y = 0.26


def draw_face(rng: Rng, canvas: Canvas, coat: Coat, head: Head, place: Placement) -> None:
    """Draw eyes, mouth and nose on a furry head; a dog may show its tongue."""
    face = head.place.on(place)
    line = 0.03 * face.scale
    apart, eye_y, eye_size = (0.31, -0.16, 0.15) if coat.dog else (0.36, 0.0, 0.19)
    for side in (-1, 1):
        _draw_eye(canvas, face, coat, head.nose * 0.6 + apart * side, eye_y, eye_size)
    if coat.dog:
        size, mouth = 0.2, np.array([(0.3, 0.42), (0.15, 0.5), (0, 0.42)])
    else:
        size, mouth = 0.12, np.array([(0.2, 0.22), (0.1, 0.26), (0, 0.18)])
    under = np.array([head.nose, NOSE_Y])
    if coat.dog and rng.random() < 0.6:
        tongue = ellipse(head.nose, NOSE_Y + 0.58, 0.13, 0.2, 2.4)
        paint(canvas, face.points(tongue), (205, 98, 104))
    for side in (-1, 1):
        stroke(canvas, face.points(mouth * [side, 1] + under), DARK, line)
    stroke(canvas, face.points(np.stack([under, mouth[-1] + under])), DARK, line)
    _draw_nose(canvas, face, np.array(coat.nose, float), head.nose, size)


def _draw_eye(canvas: Canvas, face: Placement, coat: Coat, x: float, y: float, size: float) -> None:
    iris = np.array(coat.iris, float)
    tall, pupil_width, pupil_height = (0.9, 0.6, 0.58) if coat.dog else (0.84, 0.42, 0.74)

    def disc(dx: float, dy: float, rx: float, ry: float, colour: Floats | Sequence[float]) -> None:
        outline = ellipse(x + dx * size, y + dy * size, rx * size, ry * size)
        paint(canvas, face.points(outline), colour)

    disc(0, 0, 1.18, tall * 1.18, (26, 20, 20))
    disc(0, 0, 1, tall, iris * 0.7)
    disc(0, 0.1, 0.86, tall * 0.8, iris)
    disc(0, 0.35, 0.6, 0.4, iris * 1.18)
    disc(0, 0, pupil_width, pupil_height, (12, 10, 12))
    disc(-0.32, -0.36, 0.17, 0.17, (250, 250, 250))
    disc(0.3, 0.3, 0.1, 0.1, (190, 190, 190))


def _draw_nose(canvas: Canvas, face: Placement, colour: Floats, x: float, size: float) -> None:
    """A rounded triangle, wide at the top, with a shine and nostrils."""
    shape = ellipse(0, 0, size, size * 0.7, 2.6)
    shape[:, 0] *= 1 - 0.45 * np.clip(shape[:, 1] / size, 0, 1)
    shine = ellipse(0, -size * 0.22, size * 0.5, size * 0.2)
    nose = Placement(np.eye(2), np.array([x, NOSE_Y])).on(face)
    paint(canvas, nose.points(shape), colour * 0.85)
    paint(canvas, nose.points(shine), colour * 0.7 + 70)
    for side in (-1, 1):
        nostril = ellipse(side * size * 0.42, size * 0.12, size * 0.17, size * 0.12)
        paint(canvas, nose.points(nostril), (19, 14, 14))


def whiskers(rng: Rng, coat: Coat, head: Head, place: Placement, size: Size) -> Floats:
    """Whiskers as their own layer: too thin to cover half a pixel, they are never in the mask."""
    canvas = new_canvas(size)
    face = head.place.on(place)
    reach = 0.55 if coat.dog else 1.0
    t = np.linspace(0, 1, 9)[:, None]
    for side in (-1, 1):
        for row in range(4):
            start = np.array([head.nose + 0.2 * side, 0.36 + 0.05 * row])
            rise = rng.normal(0.1 - 0.1 * row, 0.06)
            middle = start + np.array([0.45 * side * reach, -rise])
            end = start + np.array([0.95 * side * reach, 0.08 - rise])
            curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
            stroke(canvas, face.points(curve), (244, 240, 232), 1)
    return as_layer(canvas) * np.float32(0.75)
