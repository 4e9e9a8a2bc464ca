"""``python -m core.evaluation``: one evaluation for the window, in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from core.child import Tell, run_child
from core.evaluation.assess import assess, names_to_score
from core.evaluation.sources import answers_of
from core.evaluation.writing import write_all
from core.labels import BorderRule
from core.masks import MaskEncoding
from core.project.project import open_project


class Request(BaseModel):
    """What is to be evaluated: either a model or a folder of predictions. out: a new folder.

    encoding: of masks that can be read in two ways, where no project.json says it.
    """

    folder: Path
    store: Path | None = None
    encoding: MaskEncoding | None = None
    model: Path | None = None
    predictions: Path | None = None
    subset: str = "val"
    border: BorderRule = BorderRule.FOREGROUND
    flip: bool = False
    threshold: float | None = None
    out: Path


def work(raw: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Write images.csv, report.html, worst/00.jpg ..., about.json and, last, evaluation.json.

    Raises BadInput, WriteError, ValueError (no request).
    """
    request = Request.model_validate(raw)
    tell(0, 0, "opening the folder")
    project = open_project(request.folder, request.store, request.encoding)
    answers = answers_of(
        project,
        request.border,
        model=request.model,
        predictions=request.predictions,
        flip=request.flip,
        threshold=request.threshold,
        threads=max(1, (os.cpu_count() or 2) - 1),  # one is left to the window
    )
    names = names_to_score(project, request.subset, lambda: tell(0, 0, "comparing photos"))
    found = assess(project, names, answers, request.subset, request.border, tell)
    tell(len(names), len(names), "report")
    write_all(request.out, found)
    return {"folder": str(request.out)}


if __name__ == "__main__":
    sys.exit(run_child(work))
