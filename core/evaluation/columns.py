"""Many images' rows as arrays: what is summed and averaged over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from core.evaluation.metrics import tallies
from core.evaluation.result import ImageScores, PerImage

PER_IMAGE = tuple(PerImage.model_fields)


@dataclass(frozen=True)
class Columns:
    """One row an image, in order.

    means: float64 n x 8, the figures of PER_IMAGE. sums: int64 n x 5 x classes, all that sums over
    images: right, the truth's and the prediction's pixels of each class, then shared and either of
    its border. borders: float64 n x 2 x classes, HD95 and surface distance of each class, NaN
    where nobody has it. one_empty: bool n, only one of truth and prediction holds any object.
    """

    means: np.ndarray
    sums: np.ndarray
    borders: np.ndarray
    one_empty: np.ndarray

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, which: np.ndarray | slice) -> Columns:
        return Columns(*(getattr(self, field.name)[which] for field in fields(self)))


def columns_of(rows: Sequence[ImageScores], classes: int) -> Columns:
    """The columns of some rows, each looked at once."""
    found = empty_columns(len(rows), classes)
    for i, row in enumerate(rows):
        put_row(found, i, row)
    return found


def empty_columns(images: int, classes: int) -> Columns:
    """Columns of so many images, to be filled by ``put_row``."""
    return Columns(
        np.zeros((images, len(PER_IMAGE))),
        np.zeros((images, 5, classes), np.int64),
        np.full((images, 2, classes), np.nan),
        np.zeros(images, bool),
    )


def put_row(columns: Columns, i: int, row: ImageScores) -> None:
    """Fill in an image."""
    classes = columns.sums.shape[2]
    columns.means[i] = [getattr(row, name) for name in PER_IMAGE]
    columns.sums[i, :3] = tallies(confusion_of(row, classes))
    for border in row.borders:
        columns.sums[i, 3:, border.class_id] = border.shared, border.either
        columns.borders[i, :, border.class_id] = border.hd95, border.distance
    columns.one_empty[i] = (row.truth_share == 0) != (row.predicted_share == 0)


def confusion_of(row: ImageScores, classes: int) -> np.ndarray:
    """A row's confusion counts: int64, classes x classes, rows truth."""
    counts = np.zeros((classes, classes), np.int64)
    for truth, said, pixels in row.cells:
        counts[truth, said] = pixels
    return counts
