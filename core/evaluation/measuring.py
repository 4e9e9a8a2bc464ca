"""Measuring what the list of images is sorted and searched by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from core.errors import BadInput
from core.evaluation.useful import SIDE, Look, cells, look_of
from core.files import file_stamp
from core.images import ImageError, image_size, read_thumbnail
from core.labels import VOID, apply_border_rule, scheme_under
from core.project.facts import Facts
from core.project.index import Index, Measured, Seen
from core.project.project import Project

_MOST_PIXELS = 4_000_000  # of a mask that are looked at; larger ones are looked at in a grid
_THUMBNAIL = 128
_SPECK = 0.0005  # of an image's pixels: smaller pieces are no part of their own


def stamp_of(project: Project, name: str) -> str:
    """Changes with whatever ``measure`` reads: the image's files, what its border counts as."""
    mask = project.mask_source(name)
    stamps = (
        file_stamp(project.image_path(name)),
        None if mask is None else file_stamp(mask),
        file_stamp(project.prediction_path(name)),
    )
    settings = project.settings
    rules = settings.border_rule, settings.unpainted, settings.scheme.names
    return hashlib.blake2b(repr((stamps, rules)).encode(), digest_size=12).hexdigest()


def measure(project: Project, name: str, stamp: str) -> Measured:
    """What an image's files say. Files that cannot be read leave their facts open."""
    seen = file_stamp(project.image_path(name))
    if seen is None:
        return Measured(name, stamp)
    size, changed = seen[0], seen[1] / 1e9
    try:
        width, height = image_size(project.image_path(name))
    except ImageError:
        return Measured(name, stamp, size=size, modified=changed)
    rule, scheme = project.settings.border_rule, project.settings.scheme
    mask, said = _masks(project, name, (width, height))
    disagreement = None
    if mask is not None and said is not None:
        disagreement = _disagreement(
            apply_border_rule(mask, scheme, rule),
            apply_border_rule(said, scheme, rule),
            len(scheme_under(scheme, rule).classes),
        )
    shown = said if mask is None else mask
    share = parts = objects = None
    if shown is not None:
        if said is not None:
            shown = np.where(shown == VOID, said, shown)  # unpainted: the prediction shows there
        share, parts, objects = _objects(apply_border_rule(shown, scheme, rule))
    return Measured(name, stamp, width, height, size, changed, disagreement, share, parts, objects)


def stored_look(project: Project, index: Index, name: str) -> Look | None:
    """What an image looks like, read anew only where its photo changed; None: unreadable."""
    path = project.image_path(name)
    stamp = str(file_stamp(path))
    seen = index.seen(name, stamp)
    if seen is None:
        try:
            look = look_of(read_thumbnail(path, _THUMBNAIL), None)
        except ImageError:
            return None
        seen = Seen(name, stamp, look.photo.tobytes(), look.fingerprint)
        index.keep_seen(seen)
    photo = np.frombuffer(seen.photo, np.uint8)
    if photo.size != SIDE * SIDE * 3:
        return None
    cut = index.objects(name)
    objects = np.frombuffer(cut, np.uint8) if cut and len(cut) == SIDE * SIDE else None
    return Look(photo, objects, seen.fingerprint)


def facts_of(project: Project, measured: Measured) -> Facts:
    """The facts of an image, with what is written down of its prediction."""
    record = project.prediction(measured.name)
    return Facts(
        width=measured.width,
        height=measured.height,
        bytes=measured.size,
        modified=measured.modified,
        uncertainty=None if record is None else record.uncertainty,
        disagreement=measured.disagreement,
        object_share=measured.object_share,
        parts=measured.parts,
        model=None if record is None else record.title,
    )


def _masks(
    project: Project, name: str, size: tuple[int, int]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The person's mask and the stored prediction (uint8, height x width), or a grid of them."""
    step = max(1, round((size[0] * size[1] / _MOST_PIXELS) ** 0.5))

    def read(reader: Callable[[str, tuple[int, int]], np.ndarray | None]) -> np.ndarray | None:
        try:
            mask = reader(name, size)
        except BadInput:
            return None  # whoever opens the image is told
        return None if mask is None else np.ascontiguousarray(mask[::step, ::step])

    return read(project.read_mask), read(project.read_prediction)


def _disagreement(mask: np.ndarray, said: np.ndarray, classes: int) -> float | None:
    from core.evaluation.metrics import confusion, score

    try:
        return 1 - score(confusion(mask, said, classes)[None]).dice
    except ValueError:
        return None  # nothing is labelled


def _objects(mask: np.ndarray) -> tuple[float | None, int, bytes]:
    """The objects' share of the labelled pixels, their number, and their 8 x 8 cells."""
    import cv2  # late: the window's first photo does not wait for it

    labelled = mask != VOID
    objects = (labelled & (mask > 0)).view(np.uint8)
    total = int(labelled.sum())
    share = int(objects.sum()) / total if total else None
    _, _, stats, _ = cv2.connectedComponentsWithStats(objects, connectivity=8)
    parts = int((stats[1:, cv2.CC_STAT_AREA] >= max(1, _SPECK * objects.size)).sum())
    return share, parts, cells(objects * np.uint8(255)).tobytes()
