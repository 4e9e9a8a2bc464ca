"""Which image deserves a person's next minute: one the model is unsure of, that stands for others.

After Yang, Zhang, Chen, Zhang and Chen, "Suggestive Annotation: A Deep Active Learning Framework
for Biomedical Image Segmentation" (MICCAI 2017): first those that the model is less sure of, then,
among them, what represents best the images that are not done. Their measure of that, a facility
location, weighed by uncertainty u and in its greedy form, one image at a time, is

    argmax over candidates c of the sum over images i that are not done of
        u(i) * max(0, least distance(i, d) over those done d - distance(i, c)).

docs/decisions/0022 says why it is not simply the most unsure, nor the one farthest from all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from statistics import median

import numpy as np

from core.evaluation.triage import Known
from core.project.duplicates import MOST_DIFFERENT, fingerprint
from core.project.layout import official_split
from core.project.project import Project
from core.project.reviews import Status
from core.project.split import Subset, position

SIDE = 8
"""A look has so many cells along each side."""

_WAIT = (Status.UNLABELLED, Status.PREDICTED)
_DONE = (Status.EDITED, Status.APPROVED)
_MOST = 400  # images that are compared, and as many done: each may cost the reading of a photo


@dataclass(frozen=True)
class Look:
    """What an image looks like, coarsely.

    photo: uint8, the mean colours (RGB) of 8 x 8 cells; objects: uint8, how much of each cell is
    object by the mask there is, a model's or a person's (255: all), None without one; fingerprint:
    the photo's 64-bit perceptual hash, None where it is one colour.
    """

    photo: np.ndarray
    objects: np.ndarray | None
    fingerprint: int | None


@dataclass(frozen=True)
class Choice:
    """An image, and one sentence on why it was chosen."""

    name: str
    why: str


def look_of(pixels: np.ndarray, objects: np.ndarray | None) -> Look:
    """The look of a photo. pixels: uint8 RGB, height x width x 3; objects: as in ``Look``."""
    return Look(cells(pixels), objects, fingerprint(pixels))


def cells(picture: np.ndarray) -> np.ndarray:
    """The means of 8 x 8 cells of a picture (uint8, height x width or height x width x 3)."""
    import cv2  # late: the window's first photo does not wait for it

    small: np.ndarray = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return small


def next_useful(
    waiting: Mapping[str, float | None],
    done: Sequence[str],
    look: Callable[[str], Look | None],
) -> Choice | None:
    """The image that is the most useful to correct next, None where there is none.

    waiting: the images to choose from -> how unsure the model is of each (0 to 1), None where it
    has not spoken. done: those that were corrected, or passed over; of many the last ones count.
    look: gives an image's look, None where it cannot be read; it is asked for some hundred at most.
    Where the model has not spoken of most images, variety alone decides.
    """
    known = {name: value for name, value in waiting.items() if value is not None}
    spoken = len(known) * 2 > len(waiting)
    images = _looks(nsmallest(_MOST, waiting, key=position), look)
    before = list(_looks(done[-_MOST:], look).values())
    fresh = [n for n, seen in images.items() if not _repeats(seen, before)] or list(images)
    if not fresh:
        return None
    # Those it has not spoken of count as much as the middle one.
    middle = median(known.values()) if spoken else 1.0
    doubts = {n: known.get(n, middle) if spoken else middle for n in images}
    limit = median(doubts[n] for n in fresh)
    candidates = [n for n in fresh if doubts[n] >= limit]
    gains = _gains([images[n] for n in candidates], list(images.values()), before)
    best = int((gains @ np.array(list(doubts.values()))).argmax())
    name = candidates[best]
    stands_for = int((gains[best] > 0).sum()) - 1  # it stands for itself too
    return Choice(name, _sentence(_rank(name, known) if spoken else 0, stands_for, bool(before)))


def _gains(some: Sequence[Look], images: Sequence[Look], done: Sequence[Look]) -> np.ndarray:
    """How much nearer each of ``images`` would come to one done, were one of ``some`` done.

    float64, some x images, 0 to 1.
    """
    nearest = _distances(images, done).min(axis=1) if done else np.ones(len(images))
    gains: np.ndarray = (nearest - _distances(some, images)).clip(min=0)
    return gains


def _rank(name: str, known: Mapping[str, float]) -> int:
    """In which per cent of the images, the least sure first, an image is: 1 to 100; 0: unknown."""
    if name not in known:
        return 0
    above = sum(value >= known[name] for value in known.values())
    return math.ceil(100 * above / len(known))


def waiting_among(
    project: Project, names: Iterable[str], known: Known
) -> tuple[dict[str, float | None], list[str]]:
    """The images to choose from, with how unsure the model is, and those done: ``next_useful``'s.

    names: those that may be chosen. The done ones are in an order that their names alone do not
    tell, since of many the last ones count. Raises BadInput (the split is damaged).
    """
    trains = would_train(project)
    waiting = {
        name: known.of(name).uncertainty
        for name in names
        if known.status(name) in _WAIT and trains(name)
    }
    done = [name for name in project.names if known.status(name) in _DONE]
    return waiting, sorted(done, key=position, reverse=True)  # those that train come last


def would_train(project: Project) -> Callable[[str], bool]:
    """Tells of an image whether it trains once it is approved, or is kept to check on.

    Of those that the split does not hold yet it goes by what divides them then, but for chance
    being corrected. Raises BadInput (the split is damaged).
    """
    split, official = project.known_split(), official_split(project.layout)
    share = project.settings.train_share

    def trains(name: str) -> bool:
        if name in split:
            return split[name] is Subset.TRAIN
        return official.get(Path(name).stem) != Subset.TEST and position(name) < share

    return trains


def _looks(names: Sequence[str], look: Callable[[str], Look | None]) -> dict[str, Look]:
    found = ((name, look(name)) for name in names)
    return {name: seen for name, seen in found if seen is not None}


def _repeats(seen: Look, done: Sequence[Look]) -> bool:
    """Whether one that is done shows the same."""
    return seen.fingerprint is not None and any(
        other.fingerprint is not None
        and (seen.fingerprint ^ other.fingerprint).bit_count() <= MOST_DIFFERENT
        for other in done
    )


def _distances(some: Sequence[Look], others: Sequence[Look]) -> np.ndarray:
    """Of each of ``some`` to each of ``others``: float64, 0 to 1.

    The root mean square difference of the colours' cells and of the objects', in equal parts. A
    look without objects is as far from another's as half of each cell.
    """
    photos = [np.stack([one.photo.ravel() for one in each]) for each in (some, others)]
    objects = [np.stack([_objects(one) for one in each]) for each in (some, others)]
    distances: np.ndarray = np.sqrt((_mean_squares(*photos) + _mean_squares(*objects)) / 2)
    return distances


def _mean_squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a / 255, b / 255
    sums = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    squares: np.ndarray = sums.clip(min=0) / a.shape[1]
    return squares


def _objects(look: Look) -> np.ndarray:
    if look.objects is None:
        return np.full(SIDE * SIDE, 128, np.uint8)
    return look.objects.ravel()


def _sentence(rank: int, others: int, unlike: bool) -> str:
    """rank: per cent, 0 where the model has not spoken; others: images that it stands for."""
    photos = f"{others} other photo{' is' if others == 1 else 's are'}"
    alike = f"{photos} more like it than like any you have done" if unlike and others > 0 else ""
    if rank:
        unsure = f"Among the {rank} % the model is least sure of"
        return f"{unsure}; {alike}." if alike else f"{unsure}."
    typical = "A photo of its own kind" if unlike else "A typical photo to begin with"
    return f"{alike or typical}. Segment all, and how sure the model is counts too."
