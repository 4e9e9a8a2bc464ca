"""An evaluation as files for people and for other programs: one HTML page, a CSV table."""

from __future__ import annotations

import csv
import hashlib
import io
from base64 import b64encode
from datetime import datetime
from importlib.resources import files as resource_files
from pathlib import Path

import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from core import files
from core.evaluation import pictures as drawn
from core.evaluation.columns import confusion_of
from core.evaluation.comparison import Comparison
from core.evaluation.figures import plots_of
from core.evaluation.result import Evaluation, OverDataSet, worst_of
from core.evaluation.terms import FIGURES, NOTES, SEEN
from core.spreadsheet import cell

_MOST_ROWS = 2000
_MOST_EXTRAS = 200
_CLASS_KEYS = ("iou", "dice", "precision", "recall", "boundary_iou")
_SUBSETS = {"all": "all of them with an approved mask"}
_MOST_CONFUSED = 12  # classes whose table still fits a page
_COLOURS = {
    "agreed": drawn.AGREED,
    "missed": drawn.MISSED,
    "invented": drawn.INVENTED,
    "other": drawn.OTHER,
}
_COLUMNS = (
    "image",
    "width",
    "height",
    "iou",
    "dice",
    "precision",
    "recall",
    "pixel_accuracy",
    "boundary_iou",
    "hd95",
    "surface_distance",
    "truth_share",
    "predicted_share",
    "uncertainty",
)


def write_report(
    path: Path,
    evaluation: Evaluation,
    pictures: dict[str, bytes],
    comparison: Comparison | None = None,
) -> None:
    """One HTML file that needs no other. pictures: image -> JPEG. Raises WriteError."""
    files.write_bytes(path, render(evaluation, pictures, comparison).encode())


def render(
    evaluation: Evaluation, pictures: dict[str, bytes], comparison: Comparison | None = None
) -> str:
    """The page of ``write_report``. Everything in it is escaped; it loads nothing and runs only
    the script that stands in it (by its hash)."""
    script = _resource("report.js")
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_resource),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # JPEGs as base64 and matplotlib's SVG are ours; all other text goes through autoescape.
    return environment.get_template("report.html").render(
        e=evaluation,
        comparison=comparison,
        confusion=_confusion(evaluation),
        rows=worst_of(evaluation.rows, _MOST_ROWS),
        plots={name: Markup(svg) for name, svg in plots_of(evaluation).items()},  # noqa: S704
        pictures={name: b64encode(data).decode() for name, data in pictures.items()},
        terms=FIGURES,
        class_keys=_CLASS_KEYS,
        dataset_keys=list(OverDataSet.model_fields),
        notes=NOTES,
        seen=SEEN,
        rule=evaluation.border.words,
        subset=_SUBSETS.get(evaluation.subset, evaluation.subset),
        made=f"{datetime.fromisoformat(evaluation.made):%d %B %Y, %H:%M} UTC",
        colours=_COLOURS,
        most_extras=_MOST_EXTRAS,
        count=_count,
        style=Markup(_resource("report.css")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash="sha256-" + b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def write_csv(path: Path, evaluation: Evaluation) -> None:
    """One line an image. Raises WriteError."""
    groupings = list(evaluation.groupings)
    with files.writing(path) as file:
        table = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(table)
        writer.writerow([*_COLUMNS, *groupings])
        for row in evaluation.rows:
            values = [getattr(row, column) for column in _COLUMNS[1:]]
            writer.writerow(
                [cell(row.image), *values, *(cell(row.groups.get(g, "")) for g in groupings)]
            )
        table.flush()
        table.detach()


def _confusion(evaluation: Evaluation) -> list[list[float | None]] | None:
    """Of each class's pixels the share that was called each class; None of two classes, whose
    precision and recall say it all, and of very many."""
    classes = len(evaluation.per_class)
    if not 2 < classes <= _MOST_CONFUSED:
        return None
    counts = np.zeros((classes, classes), np.int64)
    for row in evaluation.rows:
        counts += confusion_of(row, classes)
    return [[n / row.sum() if row.sum() else None for n in row] for row in counts]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _resource(name: str) -> str:
    return (resource_files("resources") / "report" / name).read_text(encoding="utf-8")
