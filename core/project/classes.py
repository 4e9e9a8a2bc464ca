"""What a folder's masks allow to be done with its classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.images import ImageError
from core.labels import VOID, LabelScheme
from core.masks import MaskEncoding, MaskError, can_hold
from core.project.project import Project


def can_hold_scheme(project: Project, scheme: LabelScheme) -> bool:
    """Whether the folder's mask files, as they are encoded, can hold all of these classes."""
    return all(can_hold(project.settings.mask_encoding, c.id) for c in scheme.classes)


def can_hold_void(project: Project) -> bool:
    """Whether the folder's mask files, as they are encoded, can hold void."""
    return can_hold(project.settings.mask_encoding, VOID)


def border_is_fixed(project: Project) -> bool:
    """Whether class 2 must stay the border by name: trimaps on the disk hold it."""
    trimaps = project.layout.trimaps is not None
    return trimaps or project.settings.mask_encoding is MaskEncoding.TRIMAP


def image_using(
    project: Project,
    class_id: int,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> str | None:
    """The first image whose mask holds a class; None where none does, or it was cancelled.

    progress: images done, and all. Masks that cannot be read are passed over.
    """
    names = [n for n in project.names if project.mask_source(n) is not None]
    for number, name in enumerate(names):
        if cancelled():
            return None
        try:
            mask = project.read_mask(name)
        except (MaskError, ImageError):
            mask = None
        if mask is not None and np.any(mask == class_id):
            return name
        progress(number + 1, len(names))
    return None
