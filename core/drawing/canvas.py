"""Anti-aliased shapes on a canvas, and canvases as layers of a picture.

A canvas is uint8 (h, w, 4), RGB with premultiplied alpha, at ``SUPERSAMPLING`` times the picture's
resolution.  A layer is a canvas at the picture's resolution: RGB 0..255 premultiplied, alpha 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.drawing.maths import Floats, Points, Size

Canvas = npt.NDArray[np.uint8]

SUPERSAMPLING = 2
SUBPIXEL_BITS = 4


def new_canvas(size: Size) -> Canvas:
    """A transparent canvas for a picture of (height, width)."""
    return np.zeros((size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING, 4), np.uint8)


def paint(canvas: Canvas, outline: Points, colour: Floats | Sequence[float]) -> None:
    """Fill a polygon (n, 2)."""
    cv2.fillPoly(canvas, [_fixed(outline)], _opaque(colour), cv2.LINE_AA, SUBPIXEL_BITS)


def stroke(
    canvas: Canvas, line: Points, colour: Floats | Sequence[float], thickness: float
) -> None:
    """Draw an open line through points (n, 2)."""
    width = max(1, round(thickness))
    cv2.polylines(canvas, [_fixed(line)], False, _opaque(colour), width, cv2.LINE_AA, SUBPIXEL_BITS)


def spikes(canvas: Canvas, roots: Floats, half: Floats, tips: Floats, colours: Floats) -> None:
    """Fill triangles, in this order: from ``roots`` -+ ``half`` to ``tips``, each (n, 2)."""
    triangles = _fixed(np.stack([roots - half, roots + half, tips], 1))
    for triangle, (r, g, b) in zip(triangles, np.clip(colours, 4, 252).tolist(), strict=True):
        cv2.fillConvexPoly(canvas, triangle, (r, g, b, 255), cv2.LINE_AA, SUBPIXEL_BITS)


def ellipse(cx: float, cy: float, rx: float, ry: float, squareness: float = 2) -> Floats:
    """The outline (40, 2) of an ellipse, or with more ``squareness`` of a rounded rectangle."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cos, sin = np.cos(t), np.sin(t)
    power = 2 / squareness
    x = np.sign(cos) * np.abs(cos) ** power
    y = np.sign(sin) * np.abs(sin) ** power
    return np.stack([cx + rx * x, cy + ry * y], 1)


def as_layer(canvas: Canvas) -> Floats:
    """The canvas at the picture's resolution, float32 (h, w, 4)."""
    h, w = canvas.shape[0] // SUPERSAMPLING, canvas.shape[1] // SUPERSAMPLING
    small = cv2.resize(canvas, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
    return small * np.array([1, 1, 1, 1 / 255], np.float32)


def over(scene: Floats, layer: Floats) -> Floats:
    """A layer over an opaque picture (h, w, 3)."""
    return np.asarray(scene * (1 - layer[..., 3:]) + layer[..., :3])


def blur(image: Floats, sigma: float) -> Floats:
    """The image, Gaussian-blurred."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma, 0.05)), image.dtype)


def _fixed(points: Points) -> npt.NDArray[np.int32]:
    return np.round(np.asarray(points, float) * (1 << SUBPIXEL_BITS)).astype(np.int32)


def _opaque(colour: Floats | Sequence[float]) -> tuple[float, float, float, float]:
    """Blending (colour, 255) keeps the alpha of a canvas premultiplied."""
    r, g, b = np.clip(np.asarray(colour, float), 0, 255).tolist()
    return r, g, b, 255.0
