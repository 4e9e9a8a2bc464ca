"""Photos with their truth, and the hundred of them that ``benchmarks.smart`` scores on."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.editing.box import Box, intersection
from core.editing.probability import ProbabilityMap
from core.editing.region import region_of
from core.evaluation.groups import group_of
from core.evaluation.metrics import confusion, score
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP, BorderRule, apply_border_rule
from core.project.project import Project, open_project
from core.project.split import Subset

PHOTOS = 100
_SEED = 0
_TOO_LARGE = 0.05


@dataclass(frozen=True, eq=False)
class TruePhoto:
    """pixels: uint8 RGB; trimap: uint8, ids of TRIMAP."""

    name: str
    group: str
    pixels: np.ndarray
    trimap: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """uint8, 1 the pet; the border is void, so that it is not scored."""
        return apply_border_rule(self.trimap, TRIMAP, BorderRule.IGNORE)

    def iou(self, mask: np.ndarray) -> float:
        """The pet's IoU, the border ignored. mask: height x width, nonzero the pet."""
        counts = confusion(self.truth, (mask != 0).astype(np.uint8), 2)
        return score(counts[None]).iou

    @property
    def box(self) -> Box:
        """The pet's bounding box, border included, drawn 5 % too wide and too high."""
        around = region_of((self.trimap == 1) | (self.trimap == 2))
        assert around is not None
        x0, y0, x1, y1 = around.box
        dx, dy = (x1 - x0) * _TOO_LARGE / 2, (y1 - y0) * _TOO_LARGE / 2
        height, width = self.trimap.shape
        drawn = round(x0 - dx), round(y0 - dy), round(x1 + dx), round(y1 + dy)
        return intersection(drawn, (0, 0, width, height)) or around.box


@dataclass(frozen=True, eq=False)
class Photo(TruePhoto):
    """A photo that a model has seen. mask: uint8, the model's own, 1 the pet."""

    mask: np.ndarray
    probability: ProbabilityMap


def photos(data: Path, predictor: Predictor, count: int) -> Iterator[Photo]:
    """The first ``count`` of the hundred: photos of the val split, which no bundled model learnt.

    A photo without a pet in its trimap is left out.
    """
    project = open_project(data)
    for photo in true_photos(project, _hundred(project)[:count]):
        said = predictor.predict(photo.pixels)
        rule = BorderRule.FOREGROUND
        whole = (0, 0, photo.pixels.shape[1], photo.pixels.shape[0])
        yield Photo(
            photo.name,
            photo.group,
            photo.pixels,
            photo.trimap,
            said.mask(PET, rule),
            ProbabilityMap(whole, said.probability_of(1, PET, rule)),
        )


def true_photos(project: Project, names: Iterable[str]) -> Iterator[TruePhoto]:
    """These photos of Oxford-IIIT Pet, but for those without a pet in their trimap."""
    for name in names:
        trimap = project.read_mask(name)
        if trimap is not None and (trimap == 1).any():
            pixels = project.read_image(name).pixels
            yield TruePhoto(name, group_of(project, name), pixels, trimap)


def _hundred(project: Project) -> list[str]:
    split = project.split(project.names)
    val = sorted(name for name in project.names if split[name] is Subset.VAL)
    return random.Random(_SEED).sample(val, min(PHOTOS, len(val)))
