"""An animal's pose (standing, sitting, lying, a portrait) and its place on the canvas."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.drawing.anatomy import Head, Limb, head_limbs, limb, place_limb, turned_head
from core.drawing.canvas import SUPERSAMPLING
from core.drawing.maths import Placement, Rng, Size, pick, rotation

ROUGH = 4 * SUPERSAMPLING  # canvas pixels to a pixel of a silhouette


@dataclass(frozen=True)
class Pose:
    """An animal's limbs from back to front, its head, and whether it stands on a ground."""

    limbs: list[Limb]
    head: Head
    grounded: bool = True
    coverage: tuple[float, float] = (0.14, 0.35)  # the share of the picture it may cover


def random_pose(rng: Rng, dog: bool) -> Pose:
    """Any pose of a dog or a cat; most dogs' ears are floppy."""
    floppy = dog and rng.random() < 0.65
    build = pick(rng, (_standing, _standing, _sitting, _sitting, _lying, _portrait))
    return build(rng, dog, floppy)


def random_placement(rng: Rng, pose: Pose, size: Size) -> Placement:
    """Scale, rotate, mirror and shift so that the pose covers about what it asks for."""
    target = rng.uniform(*pose.coverage)
    angle, mirror = np.deg2rad(rng.normal(0, 4)), rng.choice([-1.0, 1.0])
    turn = np.diag([mirror, 1.0]) @ rotation(angle)
    spine = np.concatenate([own.spine for own in pose.limbs]) @ turn
    middle = (spine.min(0) + spine.max(0)) / 2
    frame = SUPERSAMPLING * np.array(size[::-1], float)
    spot = frame * np.array([rng.normal(0.5, 0.08), rng.normal(0.54, 0.05)])
    largest = float((frame / np.ptp(spine, axis=0)).min())
    if not pose.grounded:
        spot[1], middle = frame[1] * rng.uniform(0.44, 0.54), pose.head.place.offset @ turn
        largest = float(frame[1])
    scale = largest * 0.7
    for _ in range(4):
        place = Placement(turn * scale, spot - middle * scale)
        scale = min(scale * float(np.sqrt(target / _covered(pose, place, size))), largest)
    # The picture's edge may cut the animal, but not through the face.
    face = place.points(pose.head.place.offset)
    inset = min(0.95 * pose.head.place.scale * scale, 0.45 * frame.min())
    return replace(place, offset=place.offset + np.clip(face, inset, frame - inset) - face)


def _covered(pose: Pose, place: Placement, size: Size) -> float:
    """About the share of the picture that a pose covers, never 0."""
    mask = np.zeros((size[0] // 4, size[1] // 4), np.uint8)
    for own in pose.limbs:
        moved = place_limb(own, place)
        for (x, y), r in zip(moved.spine / ROUGH, moved.radii / ROUGH, strict=True):
            cv2.circle(mask, (round(x), round(y)), max(1, round(r)), 1, -1)
    return max(float(mask.mean()), 1e-3)


def _standing(rng: Rng, dog: bool, floppy: bool) -> Pose:
    leg = 1.2 if dog else 1.02
    stride = rng.uniform(-0.2, 0.2, 4)
    head = turned_head(1.5, -leg - 0.95, 0.55, rng.normal(0, 0.12), rng.uniform(-0.3, 0.9))

    def front(x: float, step: float, shade: float) -> Limb:
        knots = [(x, -leg, 0.24), (x + step * 0.4, -leg * 0.55, 0.15), (x + step, -0.16, 0.115)]
        return limb([*knots, (x + step + 0.1, -0.09, 0.12)], tip=1.0, fur=0.5, shade=shade)

    def hind(x: float, step: float, shade: float) -> Limb:
        knots = [(x, -leg * 1.05, 0.36), (x + 0.1 + step * 0.3, -leg * 0.62, 0.21)]
        hock = [(x - 0.14 + step, -leg * 0.36, 0.12), (x - 0.06 + step, -0.12, 0.11)]
        foot = (x + 0.08 + step, -0.09, 0.12)
        return limb([*knots, *hock, foot], tip=1.0, fur=0.55, shade=shade)

    lift = rng.uniform(0.1, 1.0)
    tail = [(-1.3, -leg - 0.2, 0.15), (-1.65, -leg - 0.25 * lift, 0.13)]
    tail.append((-1.95, -leg - 0.7 * lift + 0.15, 0.14))
    tail.append((-2.0 + 0.15 * lift, -leg - 1.2 * lift + 0.3, 0.1))
    torso = [(0.72, -leg - 0.05, 0.46), (-0.1, -leg - 0.02, 0.41), (-0.9, -leg - 0.06, 0.42)]
    neck = [(1.4, -leg - 0.8, 0.32), (1.15, -leg - 0.5, 0.36), (0.85, -leg - 0.15, 0.42)]
    limbs = [
        limb(tail, tip=0.8, fur=1.5),
        hind(-0.75, stride[0] + 0.1, 0.66),
        front(0.88, stride[1] + 0.1, 0.66),
        limb(torso, pale=(0.0, 1.0, 0.15)),
        hind(-0.95, stride[2], 1.0),
        front(0.7, stride[3], 1.0),
        limb(neck, pale=(0.5, 0.8, 0.3), fur=1.2),
        *head_limbs(head, dog, floppy),
    ]
    return Pose(limbs, head)


def _sitting(rng: Rng, dog: bool, floppy: bool) -> Pose:
    lean = rng.uniform(-0.12, 0.2)
    head = turned_head(
        lean, -2.1, 0.62 if dog else 0.6, rng.normal(0, 0.14), rng.uniform(-0.6, 0.6)
    )
    curl = rng.uniform(-0.3, 0.4)
    tail = [(0.4, -0.16, 0.15), (0.95, -0.12, 0.14), (1.3, -0.2 - curl * 0.3, 0.14)]
    tail.append((1.35 - curl * 0.4, -0.5 - curl, 0.1))
    torso = [(lean, -1.72, 0.36), (lean * 0.6, -1.2, 0.5), (0.0, -0.55, 0.6)]
    hind, front = [], []
    for side in (-1, 1):
        thigh = [(0.42 * side, -0.62, 0.34), (0.52 * side, -0.36, 0.34), (0.5 * side, -0.14, 0.16)]
        foot = [(0.5 * side, -0.12, 0.12), (0.62 * side, -0.07, 0.12)]
        hind.append(limb([*thigh, *foot], tip=0.6, fur=0.8, shade=0.92))
        shoulder = [(0.24 * side + lean, -1.35, 0.2), (0.21 * side, -0.7, 0.16)]
        paw = [(0.2 * side, -0.2, 0.14), (0.22 * side, -0.06, 0.15)]
        front.append(limb([*shoulder, *paw], tip=1.0, fur=0.55))
    chest = [(lean, -1.7, 0.34), (lean * 0.7, -1.3, 0.33), (0.0, -0.95, 0.16)]
    limbs = [
        limb(tail, tip=0.8, fur=1.4),
        limb(torso, shade=0.95),
        *hind,
        *front,
        limb(chest, pale=(0.0, 0.1, 1.0), fur=1.3),
        *head_limbs(head, dog, floppy),
    ]
    return Pose(limbs, head)


def _lying(rng: Rng, dog: bool, floppy: bool) -> Pose:
    rise = rng.uniform(-0.1, 0.25)
    head = turned_head(1.2, -1.2 - rise, 0.56, rng.normal(0, 0.16), rng.uniform(-0.4, 0.9))
    torso = [(0.85, -0.52, 0.5), (0.0, -0.5, 0.47), (-1.0, -0.45, 0.45)]
    tail = [(-1.3, -0.25, 0.15), (-1.75, -0.13, 0.14), (-2.1, -0.12, 0.13)]
    tail.append((-2.35, -0.2 - rng.uniform(-0.05, 0.3), 0.1))
    reach = rng.uniform(0.0, 0.35)

    def arm(x: float, y: float, shade: float) -> Limb:
        knots = [(x, -0.36, 0.25), (x + 0.35, -0.16 + y, 0.16), (x + 0.75 + reach, -0.1 + y, 0.13)]
        return limb(knots, tip=1.0, fur=0.55, shade=shade)

    haunch = [(-0.75, -0.5, 0.38), (-0.82, -0.4, 0.4), (-0.6, -0.16, 0.16), (-0.25, -0.08, 0.12)]
    neck = [(1.15, -1.0 - rise, 0.36), (1.05, -0.8, 0.42), (0.9, -0.52, 0.44)]
    limbs = [
        limb(tail, tip=0.8, fur=1.4),
        arm(1.05, -0.05, 0.72),
        limb(torso, pale=(0.0, 1.0, 0.1)),
        limb(haunch, tip=0.8, fur=0.8),
        arm(0.75, 0.0, 1.0),
        limb(neck, pale=(0.4, 0.6, 0.7), fur=1.3),
        *head_limbs(head, dog, floppy),
    ]
    return Pose(limbs, head)


def _portrait(rng: Rng, dog: bool, floppy: bool) -> Pose:
    head = turned_head(0.0, -2.4, 1.0, rng.normal(0, 0.14), rng.uniform(-0.7, 0.7))
    lean = rng.uniform(-0.4, 0.4)
    body = [(0.0, -2.1, 0.6), (lean * 0.5, -1.4, 0.85), (lean, -0.4, 1.2), (lean, 0.6, 1.35)]
    chest = [(0.0, -1.95, 0.55), (lean * 0.4, -1.3, 0.6), (lean * 0.8, -0.2, 0.5)]
    limbs = [
        limb(body, shade=0.92, fur=1.4),
        limb(chest, pale=(0.0, 0.2, 1.0), fur=1.8),
        *head_limbs(head, dog, floppy),
    ]
    return Pose(limbs, head, grounded=False, coverage=(0.3, 0.54))
