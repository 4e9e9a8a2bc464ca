"""Many images' counts as figures, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.evaluation.bootstrap import intervals
from core.evaluation.metrics import (
    accuracies,
    all_foreground,
    class_overlaps,
    mean_present,
    over_classes,
    overlaps,
    tallies,
)
from core.evaluation.result import (
    ClassScores,
    Floor,
    ImageScores,
    Intervals,
    OverDataSet,
    PerImage,
    Summary,
    counts_of,
)
from core.labels import LabelScheme

PER_IMAGE = tuple(PerImage.model_fields)
DATA_SET = tuple(OverDataSet.model_fields)
_OVERLAPS = ("iou", "dice", "precision", "recall")


def summarise(rows: Sequence[ImageScores], classes: int) -> Summary:
    """The figures of one or more images. classes: how many are scored."""
    means = {name: np.array([getattr(row, name) for row in rows]) for name in PER_IMAGE}
    sums = sums_of(rows, classes)
    floor = overlaps(tallies(all_foreground(counts_of(rows, classes))))
    whole = dataset_figures(sums.sum(0)[None])
    spread = intervals(means, sums, dataset_figures)
    return Summary(
        images=len(rows),
        per_image=PerImage(**{name: float(values.mean()) for name, values in means.items()}),
        dataset=OverDataSet(**{name: float(value[0]) for name, value in whole.items()}),
        intervals=Intervals(per_image=spread[0], dataset=spread[1]),
        floor=Floor(iou=float(floor.iou.mean()), dice=float(floor.dice.mean())),
        one_empty=sum((r.truth_share == 0) != (r.predicted_share == 0) for r in rows),
    )


def sums_of(rows: Sequence[ImageScores], classes: int) -> np.ndarray:
    """All that sums over images: int64, images x 5 x classes. Right, the truth's and the
    prediction's pixels of each class, then shared and either of its border."""
    return np.concatenate([tallies(counts_of(rows, classes)), borders_of(rows, classes)], axis=1)


def dataset_figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """The figures over the data set (each n) from sums of ``sums_of`` (n x 5 x classes)."""
    tally = sums[:, :3]
    each = overlaps(tally)
    return {name: getattr(each, name) for name in _OVERLAPS} | {
        "pixel_accuracy": accuracies(tally),
        "boundary_iou": over_classes(boundary_ious(sums[:, 3:])),
    }


def boundary_ious(counts: np.ndarray) -> np.ndarray:
    """Each class's Boundary IoU (... x classes) from shared and either (... x 2 x classes).

    NaN where nobody has the class; so always of the background, whose border is the others'.
    """
    shared, either = (counts[..., i, :].astype(np.float64) for i in range(2))
    ious: np.ndarray = np.divide(
        shared, either, out=np.full(shared.shape, np.nan), where=either > 0
    )
    return ious


def borders_of(rows: Sequence[ImageScores], classes: int) -> np.ndarray:
    """The rows' counts of border pixels: int64, images x 2 (shared, either) x classes."""
    counts = np.zeros((len(rows), 2, classes), np.int64)
    for i, row in enumerate(rows):
        for border in row.borders:
            counts[i, :, border.class_id] = border.shared, border.either
    return counts


def class_scores(rows: Sequence[ImageScores], scheme: LabelScheme) -> list[ClassScores]:
    """Each class's figures over the data set."""
    classes = len(scheme.classes)
    tally = tallies(counts_of(rows, classes))
    whole, each = class_overlaps(tally.sum(0)), class_overlaps(tally)
    image_ious = mean_present(each.iou.T, np.nan)
    boundary = boundary_ious(borders_of(rows, classes).sum(0))
    scores = []
    for label in scheme.classes:
        found = [b for row in rows for b in row.borders if b.class_id == label.id]
        scores.append(
            ClassScores(
                id=label.id,
                name=label.name,
                colour=label.colour,
                images=int((tally[:, 1, label.id] > 0).sum()),
                pixels=int(tally[:, 1, label.id].sum()),
                **{name: _known(getattr(whole, name)[label.id]) for name in _OVERLAPS},
                image_iou=_known(image_ious[label.id]),
                boundary_iou=_known(boundary[label.id]),
                hd95=float(np.mean([b.hd95 for b in found])) if found else None,
                surface_distance=float(np.mean([b.distance for b in found])) if found else None,
            )
        )
    return scores


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
