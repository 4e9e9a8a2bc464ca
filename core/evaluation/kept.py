"""Evaluations that are kept with a project: STORE/evaluations/STAMP/, one folder each."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from core.errors import BadInput
from core.evaluation.result import FILE_NAME, Evaluation
from core.files import WriteError, read_json, unused, write_json
from core.project.project import Project

FOLDER = "evaluations"
PICTURES = "worst"
"""The folder in an evaluation's that holds the pictures of its worst images: 00.jpg, 01.jpg, ..."""
ABOUT = "about.json"
_LONGEST = 1 << 16  # bytes


@dataclass(frozen=True)
class Kept:
    """What a list says of an evaluation. iou: the mean over images; made: ISO 8601, UTC."""

    folder: Path
    title: str
    subset: str
    images: int
    iou: float
    made: str


def new_folder(project: Project) -> Path:
    """Where the next evaluation goes; it is not there yet."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    return unused(project.store / FOLDER / stamp)


def write_about(folder: Path, evaluation: Evaluation) -> None:
    """Write down what a list says of an evaluation, so that none is read for it.

    Raises WriteError.
    """
    kept = Kept(
        folder=folder,
        title=evaluation.source.title,
        subset=evaluation.subset,
        images=evaluation.images,
        iou=evaluation.per_image.iou,
        made=evaluation.made,
    )
    value = asdict(kept)
    del value["folder"]
    write_json(folder / ABOUT, value)


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
        raw = read_json(folder / ABOUT, _LONGEST)
        return Kept(
            folder=folder,
            title=str(raw["title"]),
            subset=str(raw["subset"]),
            images=int(raw["images"]),
            iou=float(raw["iou"]),
            made=str(raw["made"]),
        )
    except (BadInput, KeyError, TypeError, ValueError):
        return None
