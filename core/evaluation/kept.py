"""Evaluations that are kept with a project: STORE/evaluations/STAMP/, one folder each."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import BadInput
from core.evaluation.result import FILE_NAME, Evaluation, read_evaluation
from core.files import WriteError, read_json, write_json
from core.project.project import Project

FOLDER = "evaluations"
PICTURES = "worst"
"""The folder in an evaluation's that holds the pictures of its worst images: 00.jpg, 01.jpg, ..."""
_ABOUT = "about.json"
_LONGEST = 1 << 16  # bytes


@dataclass(frozen=True)
class Kept:
    """What a list says of an evaluation. iou: the mean over images; made: ISO 8601, UTC."""

    folder: Path
    title: str
    subset: str
    border: str
    images: int
    iou: float
    made: str


def new_folder(project: Project) -> Path:
    """Where the next evaluation goes; it is not there yet."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder, number = project.store / FOLDER / stamp, 2
    while folder.exists():
        folder, number = folder.with_name(f"{stamp}-{number}"), number + 1
    return folder


def about(folder: Path, evaluation: Evaluation) -> Kept:
    """What a list says of it."""
    return Kept(
        folder=folder,
        title=evaluation.source.title,
        subset=evaluation.subset,
        border=evaluation.border.value,
        images=evaluation.images,
        iou=evaluation.per_image.iou,
        made=evaluation.made,
    )


def keep(folder: Path) -> Evaluation:
    """Read what was just made and write down what a list says of it.

    Raises BadInput (damaged), WriteError.
    """
    evaluation = read_evaluation(folder / FILE_NAME)
    value = asdict(about(folder, evaluation))
    del value["folder"]
    write_json(folder / _ABOUT, value)
    return evaluation


def list_kept(project: Project) -> list[Kept]:
    """A project's evaluations, the newest first; what cannot be read is left out."""
    parent = project.store / FOLDER
    folders = sorted(parent.iterdir(), reverse=True) if parent.is_dir() else []
    found = [_read(folder) for folder in folders]
    return [kept for kept in found if kept is not None]


def delete_kept(project: Project, folder: Path) -> None:
    """Delete an evaluation. Raises BadInput (none of the project's), WriteError."""
    if folder.parent != project.store / FOLDER or folder.is_symlink() or _read(folder) is None:
        raise BadInput(f"{folder} is none of this folder's evaluations; nothing was deleted.")
    project.require_writable()
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise WriteError(f"Cannot delete {folder}: {error.strerror or error}.") from error


def _read(folder: Path) -> Kept | None:
    if not (folder / FILE_NAME).is_file():
        return None
    try:
        return _parse(folder, read_json(folder / _ABOUT, _LONGEST))
    except (BadInput, KeyError, TypeError, ValueError):
        pass  # its window was closed before it was written down
    try:
        return about(folder, read_evaluation(folder / FILE_NAME))
    except BadInput:
        return None


def _parse(folder: Path, raw: dict[str, Any]) -> Kept:
    return Kept(
        folder=folder,
        title=str(raw["title"]),
        subset=str(raw["subset"]),
        border=str(raw["border"]),
        images=int(raw["images"]),
        iou=float(raw["iou"]),
        made=str(raw["made"]),
    )
