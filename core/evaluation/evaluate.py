"""Scoring masks against the truth, image by image and over the data set: overlap alone.

All other figures: ``core.evaluation.assess``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.evaluation.metrics import Scores, confusion, score
from core.images import read_image
from core.labels import BorderRule, LabelScheme, apply_border_rule, scheme_under
from core.masks import MaskEncoding, read_mask
from core.project.project import Project

NOTHING_SCORED = "No image with a labelled mask could be scored."

Predict = Callable[[str, np.ndarray], np.ndarray]
"""(image name, pixels uint8 RGB) -> mask uint8 in the classes that are scored."""


@dataclass(frozen=True)
class Pair:
    """The files of an image and of its mask; encoding: of the mask."""

    name: str
    image: Path
    mask: Path | None
    encoding: MaskEncoding


@dataclass(frozen=True)
class Scored:
    """One image: its confusion counts (int64, classes x classes), or why it was skipped."""

    image: str
    counts: np.ndarray | None
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """All images' scores under one border rule."""

    scheme: LabelScheme
    images: tuple[Scored, ...]

    @property
    def skipped(self) -> list[Scored]:
        return [i for i in self.images if i.counts is None]

    @property
    def counts(self) -> np.ndarray:
        """int64, scored images x classes x classes."""
        n = len(self.scheme.classes)
        return np.array([i.counts for i in self.images if i.counts is not None]).reshape(-1, n, n)

    @property
    def scores(self) -> Scores:
        """Raises BadInput where no image could be scored."""
        try:
            return score(self.counts)
        except ValueError as error:
            raise BadInput(NOTHING_SCORED) from error


def evaluate(
    project: Project, names: Iterable[str], predict: Predict, rule: BorderRule
) -> Iterator[Scored]:
    """Score images one by one, at their own size. A bad file is skipped with its reason."""
    scheme = project.settings.scheme
    classes = len(scheme_under(scheme, rule).classes)
    for name in names:
        try:
            pixels, truth = read_pair(pair_of(project, name), scheme)
            predicted = predict(name, pixels)
            require_same_size(predicted, truth)
        except BadInput as error:
            yield Scored(name, None, str(error))
            continue
        yield Scored(name, confusion(apply_border_rule(truth, scheme, rule), predicted, classes))


def pair_of(project: Project, name: str) -> Pair:
    """Where an image and its mask are."""
    mask = project.mask_source(name)
    own = mask is None or project.is_in_encoding(mask)
    encoding = project.settings.mask_encoding if own else MaskEncoding.TRIMAP
    return Pair(name, project.image_path(name), mask, encoding)


def read_pair(pair: Pair, scheme: LabelScheme) -> tuple[np.ndarray, np.ndarray]:
    """An image's pixels (uint8 RGB, height x width x 3) and its mask (uint8, height x width).

    Raises BadInput: one of them cannot be read, there is no mask.
    """
    pixels = read_image(pair.image).pixels
    if pair.mask is None:
        raise BadInput("it has no mask")
    size = (pixels.shape[1], pixels.shape[0])
    return pixels, read_mask(pair.mask, pair.encoding, scheme, size)


def require_same_size(predicted: np.ndarray, truth: np.ndarray) -> None:
    """Raises BadInput."""
    if predicted.shape != truth.shape:
        raise BadInput(
            f"its prediction is {predicted.shape[1]} x {predicted.shape[0]} pixels, "
            f"the image {truth.shape[1]} x {truth.shape[0]}"
        )
