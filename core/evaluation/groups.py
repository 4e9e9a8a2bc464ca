"""Groups of images that are scored apart."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import PurePosixPath

from core.project.layout import LayoutKind
from core.project.project import Project

_MOST_FOLDERS = 200
"""More of them tell nobody anything."""


class Grouping(StrEnum):
    """What images are grouped by."""

    FOLDER = "folder"
    SPECIES = "species"
    BREED = "breed"


def group_of(project: Project, name: str) -> str:
    """The species an image belongs to; "" where its folder knows none.

    Oxford-IIIT Pet: "cats" or "dogs"; its file names begin with a capital for cats.
    """
    if project.layout.kind is not LayoutKind.OXFORD:
        return ""
    return "cats" if PurePosixPath(name).name[:1].isupper() else "dogs"


def groups_of(project: Project, names: Iterable[str]) -> dict[Grouping, dict[str, str]]:
    """Grouping -> image -> group, of those groupings that tell these images apart.

    folder: the one that the image lies in, where they lie in more than one. species and breed:
    of Oxford-IIIT Pet, whose file names are BREED_NUMBER.
    """
    names = list(names)
    found: dict[Grouping, dict[str, str]] = {}
    if project.layout.kind is LayoutKind.OXFORD:
        found[Grouping.SPECIES] = {n: group_of(project, n) for n in names}
        found[Grouping.BREED] = {n: _breed(n) for n in names}
    folders = {n: PurePosixPath(n).parent.as_posix() for n in names}
    if 1 < len(set(folders.values())) <= _MOST_FOLDERS:
        found[Grouping.FOLDER] = folders
    return found


def _breed(name: str) -> str:
    """american_bulldog_12.jpg: american bulldog."""
    stem = PurePosixPath(name).stem
    breed, _, number = stem.rpartition("_")
    return (breed if number.isdecimal() and breed else stem).replace("_", " ")
