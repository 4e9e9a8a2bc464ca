"""Many images' counts as figures, with their intervals."""

from __future__ import annotations

import numpy as np

from core.evaluation.bootstrap import intervals
from core.evaluation.columns import PER_IMAGE, Columns
from core.evaluation.metrics import (
    accuracies,
    all_foreground,
    class_overlaps,
    mean_present,
    over_classes,
    overlaps,
)
from core.evaluation.result import ClassScores, Floor, Intervals, OverDataSet, PerImage, Summary
from core.labels import LabelScheme

DATA_SET = tuple(OverDataSet.model_fields)
_OVERLAPS = ("iou", "dice", "precision", "recall")


def summarise(columns: Columns) -> Summary:
    """The figures of one or more images."""
    means = {name: columns.means[:, i] for i, name in enumerate(PER_IMAGE)}
    sums = columns.sums
    floor = overlaps(all_foreground(sums[:, :3]))
    whole = dataset_figures(sums.sum(0)[None])
    spread = intervals(means, sums, dataset_figures)
    return Summary(
        images=len(columns),
        per_image=PerImage(**{name: float(values.mean()) for name, values in means.items()}),
        dataset=OverDataSet(**{name: float(value[0]) for name, value in whole.items()}),
        intervals=Intervals(per_image=spread[0], dataset=spread[1]),
        floor=Floor(iou=float(floor.iou.mean()), dice=float(floor.dice.mean())),
        one_empty=int(columns.one_empty.sum()),
    )


def dataset_figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """The figures over the data set (each n) from sums as in ``Columns`` (n x 5 x classes)."""
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


def class_scores(columns: Columns, scheme: LabelScheme) -> list[ClassScores]:
    """Each class's figures over the data set."""
    tally = columns.sums[:, :3]
    whole, each = class_overlaps(tally.sum(0)), class_overlaps(tally)
    image_ious = mean_present(each.iou.T, np.nan)
    boundary = boundary_ious(columns.sums[:, 3:].sum(0))
    scores = []
    for label in scheme.classes:
        hd95, distance = columns.borders[:, :, label.id].T
        found = ~np.isnan(hd95)
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
                hd95=float(hd95[found].mean()) if found.any() else None,
                surface_distance=float(distance[found].mean()) if found.any() else None,
            )
        )
    return scores


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
