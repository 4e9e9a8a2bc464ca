"""Fur: limbs covered with thousands of strands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.drawing.anatomy import Limb, place_limb
from core.drawing.canvas import Canvas, blur, spikes
from core.drawing.coat import Coat, fur_colours
from core.drawing.maths import Floats, Indices, Placement, Rng, unit


@dataclass(frozen=True)
class Furrier:
    """Draws furry limbs of one coat on a canvas, at a place, in a light (unit vector)."""

    rng: Rng
    canvas: Canvas
    coat: Coat
    place: Placement
    light: Floats

    def draw(self, limbs: Sequence[Limb], strands: int) -> None:
        """Draw the limbs, back to front, with about this many strands however large they are."""
        area = sum(map(_area, limbs)) * self.place.scale**2
        spacing = max(float(np.sqrt(area / strands)), 2.0)
        for limb in limbs:
            pixels = place_limb(limb, self.place)
            _shade_around(self.canvas, pixels)
            # Skin and a dark, coarse undercoat close the gaps between the fine guard hairs.
            self._draw_skin(pixels)
            self._draw_strands(limb, pixels, spacing * 1.9, 0.72)
            self._draw_strands(limb, pixels, spacing, 1.0)

    def _draw_skin(self, pixels: Limb) -> None:
        r, g, b = (self.coat.base * 0.45 * pixels.shade).tolist()
        for (x, y), radius in zip(pixels.spine, pixels.radii * 0.88, strict=True):
            cv2.circle(self.canvas, (round(x), round(y)), round(radius), (r, g, b, 255), -1)

    def _draw_strands(self, limb: Limb, pixels: Limb, spacing: float, tone: float) -> None:
        """Cover a limb with tapering strands, about one every ``spacing`` pixels."""
        rng, coat, place = self.rng, self.coat, self.place
        fur = coat.length * place.scale
        roots, k = self._roots(pixels, spacing, 2 * fur)
        out = (roots - pixels.spine[k]) / pixels.radii[k, None]
        rim = np.hypot(out[:, 0], out[:, 1])
        normals = np.column_stack([out, np.sqrt(np.maximum(1 - rim**2, 0))])

        flow, reach = _flow(pixels, roots, k)
        sway = coat.noise_at(roots / 7)
        bend = 0.5 * sway + rng.normal(0, 0.22, len(k))
        across = np.column_stack([-flow[:, 1], flow[:, 0]])
        direction = unit(flow + out * (0.1 + 0.6 * rim**4)[:, None] + across * bend[:, None])
        length = np.maximum(fur * limb.fur * reach * rng.uniform(0.45, 1.2, len(k)), spacing * 3)
        tips = roots + direction * length[:, None]
        width = spacing * rng.uniform(0.36, 0.66, (len(k), 1))
        half = direction[:, ::-1] * np.array([-1, 1]) * width

        own = (roots - place.offset) @ np.linalg.inv(place.matrix)
        mirror = np.array([np.sign(np.linalg.det(place.matrix)), 1, 1])
        colours = fur_colours(coat, limb, own, k, normals * mirror)
        lit = 0.56 + 0.62 * np.clip(normals @ self.light, 0, 1) - 0.12 * rim**6
        shine = rng.normal(1, 0.13, len(k)) * (1 + 0.16 * sway) * lit * limb.shade * tone
        colours = colours * shine[:, None] + rng.normal(0, 3, (len(k), 1))

        # Strands further along the fur go first: the tips of others lie over their roots.
        along = (roots * flow).sum(1) / place.scale + k * 0.05
        order = np.argsort(rng.normal(0, 0.1, len(k)) - along)
        spikes(self.canvas, roots[order], half[order], tips[order], colours[order])

    def _roots(self, pixels: Limb, spacing: float, margin: float) -> tuple[Floats, Indices]:
        """Random points (n, 2) of a limb near the canvas, and the disc (n,) each belongs to."""
        radii = pixels.radii[:, None]
        frame = np.array(self.canvas.shape[1::-1]) + margin
        low = np.maximum((pixels.spine - radii).min(0), -margin)
        high = np.maximum(np.minimum((pixels.spine + radii).max(0), frame), low)
        points = self.rng.uniform(low, high, (int(np.prod(high - low) / spacing**2), 2))
        dx, dy = points.T[..., None] - pixels.spine.T[:, None]
        depth = (dx**2 + dy**2) / pixels.radii**2
        nearest = depth.argmin(1)
        inside = depth[np.arange(len(points)), nearest] < 1
        return points[inside], nearest[inside]


def _area(limb: Limb) -> float:
    steps = np.hypot(*np.diff(limb.spine, axis=0).T)
    width = limb.radii[1:] + limb.radii[:-1]
    return float((steps * width).sum() + np.pi * limb.radii.mean() ** 2)


def _shade_around(canvas: Canvas, pixels: Limb) -> None:
    """Darken what is already drawn around a limb that will lie in front of it."""
    step, h, w = 8, canvas.shape[0], canvas.shape[1]
    reach = pixels.radii.max() * 2.4  # as far as the blur below
    left, top = np.maximum((pixels.spine - reach).min(0), 0).astype(int)
    right, bottom = np.minimum((pixels.spine + reach).max(0), [w, h]).astype(int)
    if right - left < step or bottom - top < step:
        return
    near = np.zeros(((bottom - top) // step, (right - left) // step), np.float32)
    for (x, y), r in zip((pixels.spine - [left, top]) / step, pixels.radii / step, strict=True):
        cv2.circle(near, (round(x), round(y + r / 3)), max(1, round(r * 1.07)), 1.0, -1)
    soft = 1 - 0.42 * blur(near, float(pixels.radii.max()) / 28)
    region = canvas[top:bottom, left:right, :3]
    factor = cv2.resize(soft, (int(right - left), int(bottom - top)))
    region[:] = cv2.multiply(region, cv2.merge([factor] * 3), dtype=cv2.CV_8U)


def _flow(pixels: Limb, roots: Floats, k: Indices) -> tuple[Floats, Floats]:
    """The way the fur lies (n, 2) and its relative length (n,) at the roots."""
    if pixels.whorl is None:
        return unit(np.gradient(pixels.spine, axis=0))[k], np.ones(len(k))
    from_nose = roots - pixels.whorl
    distance = np.hypot(from_nose[:, 0], from_nose[:, 1]) / pixels.radii.max()
    return unit(from_nose), np.clip(distance, 0.25, 0.9)
