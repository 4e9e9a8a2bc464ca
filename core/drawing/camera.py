"""Shadows, depth of field, and the imperfections of a camera."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from core.drawing.canvas import blur
from core.drawing.maths import Floats, Rng


def defocus(scene: Floats, ground: float, strength: float) -> Floats:
    """Blur by the distance from the animal's ground line; the far end of the scene most."""
    h = scene.shape[0]
    far = np.clip((ground - np.arange(h)) / (0.5 * h), 0, 1).astype(np.float32)[:, None, None]
    slight, strong = blur(scene, 0.35 * strength), blur(scene, strength * h / 300)
    return np.asarray(slight + (strong - slight) * far)


def cast_shadow(scene: Floats, alpha: Floats, ground: float, light: Floats) -> Floats:
    """Darken by a flattened, sheared, soft copy of the animal, and where it touches the ground."""
    h, w = alpha.shape
    flat, shear = 0.16, float(light[0]) * 0.55
    lean = np.array([[1, shear, -shear * ground], [0, flat, ground * (1 - flat) + h * 0.012]])
    soft = blur(np.asarray(cv2.warpAffine(alpha, lean, (w, h)), np.float32), h * 0.02)
    rows = np.exp(-(((np.arange(h) - ground) / (0.06 * h)) ** 2)).astype(np.float32)[:, None]
    contact = blur(alpha * rows, h * 0.014)
    shade = np.clip(0.5 * soft + 0.6 * contact + 0.25 * blur(alpha, h * 0.05), 0, 0.75)
    return np.asarray(scene * (1 - shade[..., None]))


def photograph(rng: Rng, scene: Floats, light: Floats) -> npt.NDArray[np.uint8]:
    """Light fall-off, exposure, white balance, vignette, a soft lens and sensor noise."""
    h, w = scene.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    u, v = x / w - 0.5, y / h - 0.5
    gradient = 1 + rng.uniform(0.1, 0.45) * (u * float(light[0]) - v * 0.5)
    vignette = 1 - rng.uniform(0.2, 0.6) * (u**2 + v**2)
    balance = (rng.normal(1, 0.035, 3) * rng.uniform(0.85, 1.15)).astype(np.float32)
    exposed = blur(scene, rng.uniform(0.3, 0.55)) * (gradient * vignette)[..., None] * balance
    exposed = 255 * np.clip(exposed / 255, 0, 1.3) ** rng.uniform(0.85, 1.15)
    grain = rng.standard_normal((h, w, 3), np.float32) * rng.uniform(1.0, 4.0)
    return np.asarray(np.clip(exposed + grain, 0, 255), np.uint8)
