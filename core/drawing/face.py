"""An animal's face: eyes, nose, mouth and whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.drawing.anatomy import Head
from core.drawing.canvas import Canvas, as_layer, ellipse, new_canvas, paint, stroke
from core.drawing.coat import Coat
from core.drawing.maths import Floats, Points, Rng, Size
from core.drawing.placement import Placement

DARK = (38, 28, 28)
NOSE_Y = 0.26


@dataclass(frozen=True)
class Face:
    """Paints in head coordinates."""

    canvas: Canvas
    head: Head
    place: Placement

    def paint(self, outline: Points, colour: Floats | Sequence[float]) -> None:
        """Fill a polygon (n, 2)."""
        paint(self.canvas, self.place.points(self.head.points(outline)), colour)

    def stroke(self, line: Points, colour: Sequence[float], thickness: float) -> None:
        """Draw an open line (n, 2)."""
        line = self.place.points(self.head.points(line))
        stroke(self.canvas, line, colour, thickness * self.place.scale * self.head.size)


def draw_face(rng: Rng, canvas: Canvas, coat: Coat, head: Head, place: Placement) -> None:
    """Draw eyes, mouth and nose on a furry head; a dog may show its tongue."""
    face = Face(canvas, head, place)
    apart, eye_y, eye_size = (0.31, -0.16, 0.15) if coat.dog else (0.36, 0.0, 0.19)
    for side in (-1, 1):
        _draw_eye(face, coat, head.nose * 0.6 + apart * side, eye_y, eye_size)
    if coat.dog:
        size, mouth = 0.2, np.array([(0.3, 0.42), (0.15, 0.5), (0, 0.42)])
    else:
        size, mouth = 0.12, np.array([(0.2, 0.22), (0.1, 0.26), (0, 0.18)])
    under = np.array([head.nose, NOSE_Y])
    if coat.dog and rng.random() < 0.6:
        face.paint(ellipse(head.nose, NOSE_Y + 0.58, 0.13, 0.2, 2.4), (205, 98, 104))
    for side in (-1, 1):
        face.stroke(mouth * [side, 1] + under, DARK, 0.03)
    face.stroke([under, mouth[-1] + under], DARK, 0.03)
    _draw_nose(face, np.array(coat.nose, float), head.nose, size)


def _draw_eye(face: Face, coat: Coat, x: float, y: float, size: float) -> None:
    iris = np.array(coat.iris, float)
    tall, pupil_width, pupil_height = (0.9, 0.6, 0.58) if coat.dog else (0.84, 0.42, 0.74)

    def disc(dx: float, dy: float, rx: float, ry: float, colour: Floats | Sequence[float]) -> None:
        face.paint(ellipse(x + dx * size, y + dy * size, rx * size, ry * size), colour)

    disc(0, 0, 1.18, tall * 1.18, (26, 20, 20))
    disc(0, 0, 1, tall, iris * 0.7)
    disc(0, 0.1, 0.86, tall * 0.8, iris)
    disc(0, 0.35, 0.6, 0.4, iris * 1.18)
    disc(0, 0, pupil_width, pupil_height, (12, 10, 12))
    disc(-0.32, -0.36, 0.17, 0.17, (250, 250, 250))
    disc(0.3, 0.3, 0.1, 0.1, (190, 190, 190))


def _draw_nose(face: Face, colour: Floats, x: float, size: float) -> None:
    """A rounded triangle, wide at the top, with a shine and nostrils."""
    shape = ellipse(0, 0, size, size * 0.7, 2.6)
    shape[:, 0] *= 1 - 0.45 * np.clip(shape[:, 1] / size, 0, 1)
    face.paint(shape + [x, NOSE_Y], colour * 0.85)
    face.paint(ellipse(x, NOSE_Y - size * 0.22, size * 0.5, size * 0.2), colour * 0.7 + 70)
    for side in (-1, 1):
        nostril = x + side * size * 0.42, NOSE_Y + size * 0.12
        face.paint(ellipse(*nostril, size * 0.17, size * 0.12), (19, 14, 14))


def whiskers(rng: Rng, coat: Coat, head: Head, place: Placement, size: Size) -> Floats:
    """Whiskers as their own layer: too thin to cover half a pixel, they are never in the mask."""
    canvas = new_canvas(size)
    face = Face(canvas, head, place)
    reach = 0.55 if coat.dog else 1.0
    t = np.linspace(0, 1, 9)[:, None]
    for side in (-1, 1):
        for row in range(4):
            start = np.array([head.nose + 0.2 * side, 0.36 + 0.05 * row])
            rise = rng.normal(0.1 - 0.1 * row, 0.06)
            middle = start + [0.45 * side * reach, -rise]
            end = start + [0.95 * side * reach, 0.08 - rise]
            curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
            face.stroke(curve, (244, 240, 232), 0)
    return as_layer(canvas) * np.float32(0.75)
