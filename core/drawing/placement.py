"""Where on the canvas an animal or a thing stands, and how large."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.drawing.anatomy import Limb
from core.drawing.canvas import SUPERSAMPLING
from core.drawing.maths import Floats, Points, Rng, Size
from core.drawing.pose import Pose

ROUGH = 4 * SUPERSAMPLING  # canvas pixels to a pixel of a silhouette


@dataclass(frozen=True)
class Placement:
    """Own coordinates to canvas pixels: ``points @ matrix + offset``; ``scale`` px a unit."""

    matrix: Floats
    offset: Floats
    scale: float

    def points(self, points: Points) -> Floats:
        """Own coordinates (n, 2) to canvas pixels."""
        return np.asarray(np.asarray(points, float) @ self.matrix + self.offset)

    def limb(self, limb: Limb) -> Limb:
        """The limb in canvas pixels."""
        whorl = None if limb.whorl is None else self.points(limb.whorl)
        spine, radii = self.points(limb.spine), limb.radii * self.scale
        return replace(limb, spine=spine, radii=radii, whorl=whorl)


def standing_at(x: float, y: float, size: float) -> Placement:
    """Upright at canvas point (x, y), a unit being ``size`` pixels."""
    return Placement(np.eye(2) * size, np.array([x, y]), size)


def random_placement(rng: Rng, pose: Pose, size: Size) -> Placement:
    """Scale, rotate, mirror and shift so that the pose covers about what it asks for."""
    target = rng.uniform(*pose.coverage)
    angle, mirror = np.deg2rad(rng.normal(0, 4)), rng.choice([-1.0, 1.0])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[mirror, 0], [0, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    spine = np.concatenate([limb.spine for limb in pose.limbs]) @ turn
    middle = (spine.min(0) + spine.max(0)) / 2
    frame = SUPERSAMPLING * np.array(size[::-1], float)
    spot = frame * np.array([rng.normal(0.5, 0.08), rng.normal(0.54, 0.05)])
    largest = float((frame / np.ptp(spine, axis=0)).min())
    if not pose.grounded:
        spot[1], middle = frame[1] * rng.uniform(0.44, 0.54), np.array(pose.head.centre) @ turn
        largest = float(frame[1])
    scale = largest * 0.7
    for _ in range(4):
        place = Placement(turn * scale, spot - middle * scale, scale)
        scale = min(scale * float(np.sqrt(target / _covered(pose, place, size))), largest)
    # The picture's edge may cut the animal, but not through the face.
    face = place.points(pose.head.centre)
    inset = min(0.95 * pose.head.size * scale, 0.45 * frame.min())
    return replace(place, offset=place.offset + np.clip(face, inset, frame - inset) - face)


def _covered(pose: Pose, place: Placement, size: Size) -> float:
    """About the share of the picture that a pose covers, never 0."""
    mask = np.zeros((size[0] // 4, size[1] // 4), np.uint8)
    for limb in map(place.limb, pose.limbs):
        for (x, y), r in zip(limb.spine / ROUGH, limb.radii / ROUGH, strict=True):
            cv2.circle(mask, (round(x), round(y)), max(1, round(r)), 1, -1)
    return max(float(mask.mean()), 1e-3)
