"""Whether a model may have learnt from the very masks that it is to judge, or is judged by."""

from __future__ import annotations

from pathlib import Path

from core.inference.bundled import bundled_models
from core.modelfile import ModelFileError, read_description
from core.project.layout import LayoutKind
from core.project.project import Project


def bundled_has_seen(project: Project) -> bool:
    """Whether PetSeg's own models may have learnt from a folder's masks.

    They were trained on Oxford-IIIT Pet, which is known by its layout.
    """
    return project.layout.kind is LayoutKind.OXFORD


def has_seen(project: Project, model: str) -> bool:
    """The same of any model, by its id: PetSeg's own, and copies of them."""
    return bundled_has_seen(project) and model in map(_id, bundled_models())


def _id(path: Path) -> str | None:
    try:
        return read_description(path).id
    except ModelFileError:
        return None  # this installation lacks it
