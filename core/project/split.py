"""Which of train, val and test an image belongs to: decided once, then never reshuffled."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Subset(StrEnum):
    """The part of the split that an image belongs to."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def assign(
    names: Iterable[str],
    known: Mapping[str, Subset],
    train_share: float = 0.8,
    official: Mapping[str, str] | None = None,
) -> dict[str, Subset]:
    """The split with ``names`` added; what is known already keeps its place.

    A name goes to train or val by a hash of itself against ``train_share`` (0 to 1).
    official: name -> "trainval" or "test" from a published list. From the second image on there
    is at least one val image, and at least one train image, if the new ones allow it.
    """
    split = dict(known)
    official = official or {}
    new = sorted({n for n in names if n not in split}, key=position)
    for name in new:
        if official.get(name) == Subset.TEST:
            split[name] = Subset.TEST
        else:
            split[name] = Subset.TRAIN if position(name) < train_share else Subset.VAL
    movable = [n for n in new if split[n] is not Subset.TEST]
    learning = [s for s in split.values() if s is not Subset.TEST]
    if movable and Subset.TRAIN not in learning:
        split[movable[0]] = Subset.TRAIN
    if movable and len(learning) > 1 and Subset.VAL not in split.values():
        split[movable[-1]] = Subset.VAL
    return split


def position(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    digest = hashlib.sha256(os.fsencode(name)).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
