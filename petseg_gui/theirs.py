"""The mask that another program wrote for an image, read off the window's thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.editing.history import Edit, compare
from core.editing.snapshot import Snapshot
from core.errors import BadInput
from core.project.project import Project
from petseg_gui.loading import StoredMask, read_stored_mask


@dataclass(frozen=True, eq=False)
class TwoMasks:
    """An image whose mask file another program changed while it was edited here.

    pixels: uint8 RGB; mine, theirs: uint8 of its size; different: pixels that differ.
    """

    name: str
    pixels: np.ndarray
    mine: np.ndarray
    theirs: np.ndarray
    different: int


@dataclass(frozen=True)
class Theirs:
    """digest: SHA-256 of the mask file ("": gone); edit: leads to it, None where it is the same."""

    digest: str
    edit: Edit | None


def edit_to_theirs(project: Project, name: str, mine: Snapshot, title: str) -> Theirs:
    """The edit from the mask here to the one on the disk. Raises BadInput: it cannot be used."""
    pixels = mine.pixels()
    stored = _read(project, name, pixels)
    return Theirs(stored.digest, compare(pixels, stored.mask, title))


def read_both(
    project: Project, name: str, mine: Snapshot, pixels: np.ndarray | None = None
) -> TwoMasks:
    """Both masks, to be shown. pixels: the image, read where not given. Raises BadInput."""
    here = mine.pixels()
    theirs = _read(project, name, here).mask
    photo = project.read_image(name).pixels if pixels is None else pixels
    return TwoMasks(name, photo, here, theirs, int(np.count_nonzero(here != theirs)))


def _read(project: Project, name: str, mine: np.ndarray) -> StoredMask:
    height, width = mine.shape
    stored = read_stored_mask(project, name, (width, height))
    if stored.problem:
        raise BadInput(f"The mask on the disk cannot be used. {stored.problem}")
    return stored
