"""Procedural "photos" of furry animals, for a demo project that ships no photo.

Every picture is drawn from a seed: a background, clutter, a cat or a dog made of thousands of fur
strands, at times something in front of it, and the imperfections of a camera.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.drawing.background import background
from core.drawing.camera import cast_shadow, defocus, photograph
from core.drawing.canvas import SUPERSAMPLING, as_layer, new_canvas, over
from core.drawing.coat import random_coat
from core.drawing.face import draw_face, whiskers
from core.drawing.fur import Furrier
from core.drawing.maths import unit
from core.drawing.pose import random_placement, random_pose
from core.drawing.things import clutter, occluder

STRANDS = 28_000


def draw_animal(
    seed: int, width: int = 480, height: int = 360
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Draw the animal photo of ``seed``; the same arguments always give the same picture.

    Returns (picture, mask): picture uint8 (height, width, 3) RGB 0..255; mask uint8
    (height, width), 1 where at least half of the pixel is the animal's, otherwise 0.
    """
    rng = np.random.default_rng(seed)
    size = (height, width)
    coat = random_coat(rng)
    pose = random_pose(rng, coat.dog)
    place = random_placement(rng, pose, size)
    light = unit(np.array([rng.choice([-1, 1]) * rng.uniform(0.3, 0.8), -0.75, 0.6]))
    ground = float(place.offset[1]) / SUPERSAMPLING if pose.grounded else height * 1.05
    horizon = float(np.clip(ground - height * rng.uniform(0.16, 0.42), height * 0.12, height * 0.8))

    scene = background(rng, size, horizon)
    scene = over(scene, clutter(rng, coat, size, horizon, ground, light))
    scene = defocus(scene, ground, rng.uniform(0.6, 2.4))

    canvas = new_canvas(size)
    Furrier(rng, canvas, coat, place, light).draw(pose.limbs, STRANDS)
    draw_face(rng, canvas, coat, pose.head, place)
    animal = as_layer(canvas)
    scene = cast_shadow(scene, animal[..., 3], ground, light)
    scene = over(scene, animal)
    scene = over(scene, whiskers(rng, coat, pose.head, place, size))

    body = place.points(pose.limbs[1].spine)  # mostly away from the face
    front = occluder(rng, coat, body, size)
    visible = animal[..., 3] * (1 - front[..., 3])
    picture = photograph(rng, over(scene, front), light)
    return picture, (visible >= 0.5).astype(np.uint8)
