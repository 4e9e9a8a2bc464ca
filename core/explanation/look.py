"""What an explanation looks at: what the network saw of an image, and the place asked about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.editing.box import Box, intersection
from core.editing.region import Region
from core.errors import BadInput
from core.inference.prediction import mask_rule
from core.inference.view import fit_whole
from core.labels import BorderRule, LabelScheme
from core.modelfile import ModelDescription


class Detail(StrEnum):
    """How fine an explanation is; what is finer is also noisier."""

    COARSE = "coarse"
    MEDIUM = "medium"
    FINE = "fine"


@dataclass(frozen=True)
class Question:
    """Why is there this class? value: its id in the project's classes, which ``wanted`` are."""

    value: int
    wanted: LabelScheme
    rule: BorderRule

    @property
    def name(self) -> str:
        return self.wanted.classes[self.value].name

    def members(self, scheme: LabelScheme) -> tuple[int, ...]:
        """The classes of a model that together are this one of the project.

        Raises BadInput where the model does not know it.
        """
        rule = mask_rule(scheme, self.wanted, self.rule)
        if scheme.border_id is not None and rule is not BorderRule.CLASS:
            joins = {BorderRule.FOREGROUND: 1, BorderRule.BACKGROUND: 0}.get(rule)
            return (self.value, scheme.border_id) if joins == self.value else (self.value,)
        if self.value >= len(scheme.classes):
            raise BadInput(f"This model does not know {self.name}: choose another class.")
        return (self.value,)


@dataclass(frozen=True, eq=False)
class Look:
    """What a network is shown: pixels (uint8 RGB, h x w x 3) of a box of the image.

    region: bool, h x w, the place that is asked about; None: wherever the model sees the class.
    """

    pixels: np.ndarray
    box: Box
    region: np.ndarray | None


def look_at(pixels: np.ndarray, description: ModelDescription, region: Region | None) -> Look:
    """The part of an image (uint8 RGB) that a model sees when it is asked about a region.

    A model of the view ``crops`` sees a window around the region. Raises BadInput where that
    leaves open which.
    """
    height, width = pixels.shape[:2]
    box = (0, 0, width, height)
    if description.view == "crops" and max(height, width) > description.size:
        if region is None:
            raise BadInput(
                "This model looks at a photo part by part: choose a place to ask about first."
            )
        box = _window(region.box, (width, height), description.size)
    x0, y0, x1, y1 = box
    part = pixels[y0:y1, x0:x1]
    if description.view == "whole":
        part = fit_whole(height, width, description.size).scaled(part)
    inside = None if region is None else _sampled(region, box, part.shape[:2])
    return Look(np.ascontiguousarray(part), box, inside)


def asked_about(look: Look, plane: np.ndarray, name: str) -> tuple[np.ndarray, str]:
    """The place that is asked about (bool, h x w), and what to call it.

    plane: float, h x w, the probability of the class; name: of the class.
    """
    if look.region is not None:
        return look.region, "the place you chose"
    seen = plane >= 0.5
    if seen.any():
        return seen, f"where the model sees {name}"
    return np.ones_like(seen), f"the whole photo, for the model sees no {name}"


def _window(box: Box, image: tuple[int, int], side: int) -> Box:
    """A square around the middle of a box, moved into the image."""

    def span(start: int, end: int, length: int) -> tuple[int, int]:
        low = min(max((start + end - side) // 2, 0), max(length - side, 0))
        return low, min(low + side, length)

    (x0, x1), (y0, y1) = span(box[0], box[2], image[0]), span(box[1], box[3], image[1])
    return x0, y0, x1, y1


def _sampled(region: Region, box: Box, shape: tuple[int, int]) -> np.ndarray:
    """A region as seen in a box at a resolution: bool, shape; never empty where they meet.

    Raises BadInput where they do not.
    """
    shared = intersection(region.box, box)
    if shared is None:
        raise BadInput("The place to ask about lies outside the photo.")
    x0, y0, x1, y1 = box
    rows, columns = shape
    down, across = (y1 - y0) / rows, (x1 - x0) / columns
    ys = (y0 + (np.arange(rows) + 0.5) * down).astype(np.intp) - region.box[1]
    xs = (x0 + (np.arange(columns) + 0.5) * across).astype(np.intp) - region.box[0]
    height, width = region.inside.shape
    within = (ys >= 0) & (ys < height), (xs >= 0) & (xs < width)
    found = np.zeros(shape, bool)
    found[np.ix_(*within)] = region.inside[np.ix_(ys[within[0]], xs[within[1]])]
    if not found.any():  # smaller than a pixel of what the network sees
        middle_x, middle_y = (shared[0] + shared[2]) / 2, (shared[1] + shared[3]) / 2
        row, column = int((middle_y - y0) / down), int((middle_x - x0) / across)
        found[min(row, rows - 1), min(column, columns - 1)] = True
    return found
