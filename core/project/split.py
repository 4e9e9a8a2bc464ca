"""Which of train, val and test an image belongs to: decided once, then never reshuffled."""

from __future__ import annotations

import hashlib
import math
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
    official: name -> "trainval" or "test" from a published list. Where chance would give val less
    than half or more than one and a half times its share (few images), or nothing to one of the
    two, new names nearest to the limit go to the other side.
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
    total = sum(s is not Subset.TEST for s in split.values())
    fair = (1 - train_share) * total
    least = max(math.floor(fair / 2), min(1, total - 1))
    most = max(min(math.ceil(fair * 1.5), total - 1), least)
    # By position: what moves to val lies just below the limit, what moves away just above it.
    val = sum(s is Subset.VAL for s in split.values())
    for name in [n for n in reversed(movable) if split[n] is Subset.TRAIN][: max(0, least - val)]:
        split[name] = Subset.VAL
    for name in [n for n in movable if split[n] is Subset.VAL][: max(0, val - most)]:
        split[name] = Subset.TRAIN
    return split


def position(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    digest = hashlib.sha256(os.fsencode(name)).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
