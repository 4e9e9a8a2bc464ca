"""Whether a model may have learnt from the very masks that it is to judge, or is judged by."""

from __future__ import annotations

from core.inference.bundled import bundled_model
from core.modelfile import ModelFileError, read_description
from core.project.layout import LayoutKind
from core.project.project import Project


def bundled_has_seen(project: Project) -> bool:
    """Whether PetSeg's own model may have learnt from a folder's masks.

    It was trained on Oxford-IIIT Pet, which is known by its layout.
    """
    return project.layout.kind is LayoutKind.OXFORD


def has_seen(project: Project, model: str) -> bool:
    """The same of any model, by its id: PetSeg's own, and copies of it."""
    if not bundled_has_seen(project):
        return False
    try:
        return model == read_description(bundled_model()).id
    except ModelFileError:
        return False  # this installation lacks it
