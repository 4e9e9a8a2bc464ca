"""Bringing back what was edited when PetSeg was ended in the middle of its work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.files import WriteError
from core.images import image_size
from core.labels import VOID
from core.masks import present_values
from core.project.journal import (
    Contents,
    JournalError,
    read_contents,
    replay,
    set_aside,
)
from core.project.project import JOURNAL_SUFFIX, MaskChanged, Project
from core.project.reviews import Review, Status


@dataclass(frozen=True)
class KeptJournal:
    """Edits that could not be brought back, wholly or in part: why, and the file they are in."""

    image: str
    reason: str
    path: Path


@dataclass(frozen=True)
class Recovered:
    """What ``recover`` did. images: those whose masks have edits now that they had not."""

    images: tuple[str, ...] = ()
    kept: tuple[KeptJournal, ...] = ()


def recover(project: Project) -> Recovered:
    """Replay every journal of a project, save the masks as edited, and delete the journals.

    For the window that has the folder's lock. A journal that does not fit (its mask was changed
    by another program, its image is gone or has another size, it is damaged) is kept aside.
    Raises WriteError where a mask cannot be saved; its journal is then still there.
    """
    images, kept = [], []
    for path in _journals(project.journals):
        image = path.relative_to(project.journals).as_posix().removesuffix(JOURNAL_SUFFIX)
        try:
            contents = read_contents(path)
            image = contents.image
            if _bring_back(project, path, contents):
                images.append(image)
            if contents.cut_short:
                reason = f"{path.name} is damaged: only its first edits could be read."
                kept.append(KeptJournal(image, reason, _aside(path)))
            else:
                _remove(path)
        except (BadInput, MaskChanged) as error:
            kept.append(KeptJournal(image, str(error), _aside(path)))
    return Recovered(tuple(images), tuple(kept))


def _bring_back(project: Project, path: Path, contents: Contents) -> bool:
    """Save the mask that the edits lead to; whether it differs from the one there was."""
    name, size = contents.image, (contents.width, contents.height)
    if name not in project.names:
        raise JournalError(f"{name} is no image of this folder any more.")
    if project.journal_path(name) != path:
        raise JournalError(f"{path.name} is not where the journal of {name} belongs.")
    if image_size(project.image_path(name)) != size:
        raise JournalError(f"{name} has another size than when it was edited.")
    digest = project.mask_digest(name)
    if digest not in contents.masks:
        raise JournalError(f"the mask of {name} was changed by another program.")
    before = project.read_mask(name, size) if digest else None
    if before is None and not contents.whole:
        raise JournalError(f"{path.name} does not hold the mask that its edits start from.")
    mask = np.zeros(size[::-1], np.uint8) if before is None else before.copy()
    replay(path, mask)
    known = {label.id for label in project.settings.scheme.classes} | {VOID}
    unknown = set(present_values(mask)) - known
    if unknown:
        raise JournalError(f"{path.name} holds classes that this project does not have.")
    if before is not None and np.array_equal(before, mask):
        return False
    review = replace(project.review(name) or Review(name, Status.EDITED), status=Status.EDITED)
    project.save_mask(name, mask, review, expected=digest)
    return True


def _journals(folder: Path) -> Iterator[Path]:
    for here, _, files in os.walk(folder):
        for file in sorted(files):
            if file.endswith(JOURNAL_SUFFIX):
                yield Path(here) / file


def _aside(path: Path) -> Path:
    try:
        return set_aside(path)
    except OSError as error:
        raise WriteError(f"Cannot rename {path}: {error.strerror or error}.") from error


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise WriteError(f"Cannot delete {path}: {error.strerror or error}.") from error
