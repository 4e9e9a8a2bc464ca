"""Which of train, val and test an image belongs to: decided once, then never reshuffled."""

from __future__ import annotations

import hashlib
import math
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from core import files
from core.errors import BadInput
from core.files import WriteError

_PATIENCE = 120  # seconds; whoever writes the split may have many photos to compare


class Subset(StrEnum):
    """The part of the split that an image belongs to."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


_STRENGTH = (Subset.TRAIN, Subset.TEST, Subset.VAL)
"""Of a group that was divided before it was known as one, the last of these takes what is new."""


def assign(
    names: Iterable[str],
    known: Mapping[str, Subset],
    train_share: float = 0.8,
    official: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    counted: Collection[str] | None = None,
) -> dict[str, Subset]:
    """The split with ``names`` added; what is known already keeps its place.

    A name goes to train or val by a hash of itself against ``train_share`` (0 to 1).
    official: name -> "trainval" or "test" from a published list. groups: name -> its group, for
    near-duplicates: they stay together, also with known ones, but for what the official list says.
    counted: the known names that are still in use (all unless told).
    Where chance would give val less than half or more than one and a half times its share (few
    images), or nothing to one of the two, new names nearest to the limit go to the other side.
    """
    split = dict(known)
    official, groups = official or {}, groups or {}
    new = sorted({n for n in names if n not in split})
    split |= {n: Subset.TEST for n in new if official.get(n) == Subset.TEST}
    sides = _sides(split, groups)
    units: dict[str, list[str]] = defaultdict(list)  # what stays together
    for name in new:
        if name in split:
            continue
        group = groups.get(name, name)
        side = sides.get(group)
        if side is None or (side is Subset.TEST and name in official):
            units[group].append(name)
        else:
            split[name] = side
    used = set(known if counted is None else counted).union(new)
    taken = [subset for name, subset in split.items() if name in used]
    val = _choose_val(list(units.values()), taken, train_share)
    for unit in units.values():
        side = Subset.VAL if unit[0] in val else Subset.TRAIN
        split |= dict.fromkeys(unit, side)
    return split


def position(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    digest = hashlib.sha256(os.fsencode(name)).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def read_split(path: Path) -> dict[str, Subset]:
    """The split as it was written down; empty without one. Raises BadInput: damaged."""
    if not path.exists():
        return {}
    known = [subset.value for subset in Subset]
    try:
        raw = files.read_json(path)
    except BadInput as error:
        raise _damaged(path) from error
    if not isinstance(raw, dict) or not all(v in known for v in raw.values()):
        raise _damaged(path)
    return {str(name): Subset(subset) for name, subset in raw.items()}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Keep other processes and threads from writing a split meanwhile. Raises WriteError."""
    from filelock import FileLock, Timeout  # late: its import takes 60 ms

    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_PATIENCE)
    except Timeout as error:
        raise WriteError(f"Cannot write {path}: another program is writing it.") from error
    except (OSError, NotImplementedError) as error:
        raise WriteError(f"Cannot lock {path}: {error}.") from error
    try:
        yield
    finally:
        lock.release()


def _damaged(path: Path) -> BadInput:
    return BadInput(
        f"{path} is damaged: it says which images train and which validate. Bring it back from a "
        "backup. Without one, remove it: images are divided anew, and what earlier models scored "
        "no longer compares, since they may have trained on what validates then."
    )


def _sides(split: Mapping[str, Subset], groups: Mapping[str, str]) -> dict[str, Subset]:
    """Group -> where its members are, for those with one in ``split``."""
    sides: dict[str, Subset] = {}
    for name, group in groups.items():
        if name in split:
            sides[group] = max(split[name], sides.get(group, Subset.TRAIN), key=_STRENGTH.index)
    return sides


def _choose_val(units: list[list[str]], taken: list[Subset], train_share: float) -> set[str]:
    """The first names of the units that go to val.

    units: names that stay together; taken: where all other images are.
    """
    # By their first name's position, not by their least one: large groups would mostly train.
    places = {unit[0]: position(unit[0]) for unit in units}
    sizes = {unit[0]: len(unit) for unit in sorted(units, key=lambda unit: places[unit[0]])}
    val = {first for first in sizes if places[first] >= train_share}
    others_train, others_val = taken.count(Subset.TRAIN), taken.count(Subset.VAL)
    total = others_train + others_val + sum(sizes.values())
    count = others_val + sum(sizes[first] for first in val)
    fair = (1 - train_share) * total
    least = max(math.floor(fair / 2), min(1, total - 1))
    most = max(min(math.ceil(fair * 1.5), total - 1), least)
    # What moves to val lies just below the limit, what moves away just above it.
    for first in reversed(sizes):
        if first not in val and count < least and count + sizes[first] <= most:
            val.add(first)
            count += sizes[first]
    for first in sizes:
        if first in val and count > most and count - sizes[first] >= least:
            val.remove(first)
            count -= sizes[first]
    # Where groups are too large for that, neither side stays empty all the same, if it can be.
    if val and count == total:
        smallest = min((first for first in sizes if first in val), key=sizes.__getitem__)
        val.remove(smallest)
        count -= sizes[smallest]
    train = [first for first in reversed(sizes) if first not in val]
    if count == 0 and train and len(train) + bool(others_train) > 1:
        val.add(min(train, key=sizes.__getitem__))
    return val
