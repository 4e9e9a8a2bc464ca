"""Groups of images that are scored apart."""

from __future__ import annotations

from pathlib import PurePosixPath

from core.project.layout import LayoutKind
from core.project.project import Project


def group_of(project: Project, name: str) -> str:
    """The group an image belongs to; "" where its folder knows none.

    Oxford-IIIT Pet: "cats" or "dogs"; its file names begin with a capital for cats.
    """
    if project.layout.kind is not LayoutKind.OXFORD:
        return ""
    return "cats" if PurePosixPath(name).name[:1].isupper() else "dogs"
