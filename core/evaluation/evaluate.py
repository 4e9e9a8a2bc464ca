"""Scoring masks against the truth, image by image and over the data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.evaluation.metrics import Scores, class_ious, confusion, score
from core.labels import BorderRule, LabelScheme, apply_border_rule, scheme_under
from core.project.project import Project

Predict = Callable[[str, np.ndarray], np.ndarray]
"""(image name, pixels uint8 RGB) -> mask uint8 in the classes that are scored."""


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
    rule: BorderRule
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
            raise BadInput("No image with a labelled mask could be scored.") from error

    @property
    def floor(self) -> float:
        """The per-image IoU of saying class 1 of every pixel."""
        return score(all_foreground(self.counts)).iou

    @property
    def classes(self) -> dict[str, float | None]:
        """Each class's IoU over the data set; None where it is neither there nor predicted."""
        ious = class_ious(self.counts.sum(0))
        return {
            name: None if np.isnan(iou) else float(iou)
            for name, iou in zip(self.scheme.names, ious, strict=True)
        }

    def to_json(self) -> dict[str, Any]:
        """The fields that ``petseg evaluate --json`` promises."""
        scores = self.scores
        return {
            "images": len(self.counts),
            "skipped": [{"image": i.image, "reason": i.reason} for i in self.skipped],
            "border": self.rule.value,
            "threshold": 0.5 if len(self.scheme.classes) == 2 else None,
            "per_image": {
                "iou": scores.iou,
                "dice": scores.dice,
                "pixel_accuracy": scores.pixel_accuracy,
            },
            "dataset": {
                "iou": scores.dataset_iou,
                "dice": scores.dataset_dice,
                "pixel_accuracy": scores.dataset_pixel_accuracy,
            },
            "classes": self.classes,
            "floor": {"iou": self.floor},
        }


def all_foreground(counts: np.ndarray) -> np.ndarray:
    """The counts (images x classes x classes) if class 1 had been said of every pixel."""
    said = np.zeros_like(counts)
    said[:, :, 1] = counts.sum(2)
    return said


def evaluate(
    project: Project, names: Iterable[str], predict: Predict, rule: BorderRule
) -> Iterator[Scored]:
    """Score images one by one, at their own size. A bad file is skipped with its reason."""
    scheme = project.settings.scheme
    classes = len(scheme_under(scheme, rule).classes)
    for name in names:
        try:
            pixels = project.read_image(name).pixels
            truth = project.read_mask(name, (pixels.shape[1], pixels.shape[0]))
            if truth is None:
                yield Scored(name, None, "it has no mask")
                continue
            predicted = predict(name, pixels)
            if predicted.shape != truth.shape:
                raise BadInput(
                    f"its prediction is {predicted.shape[1]} x {predicted.shape[0]} pixels, "
                    f"the image {truth.shape[1]} x {truth.shape[0]}"
                )
        except BadInput as error:
            yield Scored(name, None, str(error))
            continue
        yield Scored(name, confusion(apply_border_rule(truth, scheme, rule), predicted, classes))
