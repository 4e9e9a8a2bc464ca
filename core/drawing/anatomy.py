"""Limbs, of which everything furry is made, and the limbs of a head.

A *limb* is a smooth spine with a radius at each of its points, i.e. a union of discs.  The disc a
point belongs to tells at once how the fur lies there (along the spine, outwards near the rim),
which way the surface faces (for light and pale bellies) and how far along the limb it is (for
stripes and white paws).  An animal's own space has x right, y down, and the ground at y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.drawing.maths import Floats, Placement, Points, rotation

SPINE_SAMPLES = 28
INNER_EAR = (164, 118, 108)


@dataclass(frozen=True)
class Limb:
    """Discs of ``radii`` (k,) around ``spine`` (k, 2), with the fur that grows on them."""

    spine: Floats
    radii: Floats
    fur: float = 1.0  # the fur's length, relative to the coat's
    shade: float = 1.0
    pale: tuple[float, float, float] | None = None  # the direction of the light-furred side
    tip: float = 0.0  # how much the far end counts as an extremity (paw, ear, tail tip)
    whorl: Floats | None = None  # the fur radiates from here (heads)
    skin: tuple[int, int, int] | None = None  # a colour instead of the coat's (inner ears)


@dataclass(frozen=True)
class Head:
    """Head coordinates (the skull's radius is ~0.8) in the animal's, and the nose's x in them."""

    place: Placement
    nose: float


def turned_head(x: float, y: float, size: float, roll: float, turn: float) -> Head:
    """A head around (x, y), rolled by radians and turned to a side (-1..1)."""
    return Head(Placement(rotation(roll) * size, np.array([x, y])), 0.26 * turn)


def place_limb(limb: Limb, place: Placement) -> Limb:
    """The limb in the coordinates that it is placed in."""
    whorl = None if limb.whorl is None else place.points(limb.whorl)
    return replace(
        limb, spine=place.points(limb.spine), radii=limb.radii * place.scale, whorl=whorl
    )


def limb(points: Points, **kind: Any) -> Limb:
    """A limb through (x, y, radius) points, smoothed; ``kind`` are the other fields of Limb."""
    knots = np.asarray(points, float)
    t = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(knots[:, :2], axis=0).T))])
    fine = np.linspace(0, t[-1], SPINE_SAMPLES)
    curve = np.stack([np.interp(fine, t, column) for column in knots.T], 1)
    padded = np.pad(curve, ((3, 3), (0, 0)), mode="reflect", reflect_type="odd")
    weights = np.array([1, 2, 3, 4, 3, 2, 1]) / 16
    smooth = np.stack([np.convolve(column, weights, "valid") for column in padded.T], 1)
    return Limb(smooth[:, :2], np.maximum(smooth[:, 2], 0.012), **kind)


def head_limbs(head: Head, dog: bool, floppy: bool) -> list[Limb]:
    """Skull, muzzle and ears; pointed ears behind the skull, floppy ones in front of it."""
    nose = head.nose
    if dog:
        skull = [(-0.16, -0.2, 0.66), (0.0, -0.16, 0.7), (0.16, -0.2, 0.66)]
        jaw = [(nose * 0.5, 0.1, 0.56), (nose * 0.8, 0.42, 0.46)]
        muzzle = [(nose * 0.6, 0.0, 0.2), (nose, 0.3, 0.36), (nose * 1.1, 0.5, 0.36)]
    else:
        skull = [(-0.32, 0.1, 0.62), (0.0, -0.04, 0.74), (0.32, 0.1, 0.62)]
        jaw = [(nose * 0.6 - 0.2, 0.3, 0.5), (nose * 0.6 + 0.2, 0.3, 0.5)]
        muzzle = [(nose - 0.17, 0.4, 0.22), (nose, 0.42, 0.24), (nose + 0.17, 0.4, 0.22)]
    whorl = head.place.points((nose, 0.22))
    behind = [
        _on_head(head, jaw, whorl=whorl, tip=0.9, fur=0.9, pale=(0.0, 0.9, 0.3), shade=0.92),
        _on_head(head, skull, whorl=whorl, tip=0.9, fur=0.8),
    ]
    front = (0.0, 0.5, 0.6)
    snout = _on_head(head, muzzle, whorl=whorl, tip=1.0, fur=0.4, pale=front, shade=1.04)
    ears = _ears(head, dog, floppy)
    return [*behind, *ears, snout] if floppy else [*ears, *behind, snout]


def _ears(head: Head, dog: bool, floppy: bool) -> list[Limb]:
    shift = np.array([-0.4 * head.nose, 0, 0])
    tall = 1.45 if dog else 1.3
    flap = [(0.38, -0.6, 0.16), (0.74, -0.46, 0.27), (0.9, 0.0, 0.29), (0.9, 0.5, 0.17)]
    outer = [(0.42, -0.42, 0.38), (0.56, -0.86, 0.23), (0.68, -tall, 0.02)]
    inner = [(0.47, -0.5, 0.2), (0.57, -0.84, 0.12), (0.66, -tall + 0.16, 0.02)]
    ears = []
    for side in (np.array([1, 1, 1]), np.array([-1, 1, 1])):
        if floppy:
            ears.append(_on_head(head, flap * side + shift, tip=0.7, shade=0.86, fur=1.1))
        else:
            ears.append(_on_head(head, outer * side + shift, tip=0.9, shade=0.92, fur=0.5))
            ears.append(_on_head(head, inner * side + shift, skin=INNER_EAR, shade=0.85, fur=0.45))
    return ears


def _on_head(head: Head, points: Points, **kind: Any) -> Limb:
    """A limb through (x, y, radius) points given in head coordinates."""
    knots = np.asarray(points, float)
    radii = knots[:, 2] * head.place.scale
    return limb(np.column_stack([head.place.points(knots[:, :2]), radii]), **kind)
