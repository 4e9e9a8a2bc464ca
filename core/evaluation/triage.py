"""The list of images in order: what is known of each, sorted and searched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from core.evaluation.search import Query, Value, matcher
from core.project.facts import Facts
from core.project.reviews import Status
from core.project.split import Subset

_NOTHING = Facts()


@dataclass(frozen=True)
class Order:
    """A way to sort. key: of a search; descending: which way it begins."""

    key: str
    title: str
    descending: bool = False


ORDERS = (
    Order("name", "Name"),
    Order("date", "Date", descending=True),
    Order("size", "File size", descending=True),
    Order("status", "Status"),
    Order("split", "Split"),
    Order("uncertainty", "Uncertainty", descending=True),
    Order("disagreement", "Disagreement", descending=True),
    Order("dice", "Dice on val"),
    Order("object", "Size of the object"),
    Order("parts", "Number of parts", descending=True),
)

_BARS = ("size", "uncertainty", "disagreement", "dice", "object", "parts")
_OF_ONE = ("disagreement", "dice", "object")  # their bars are shares of 1, not of the highest

_RANKS: dict[str, float] = {
    word: rank for words in (Status, Subset) for rank, word in enumerate(map(str, words))
}


@dataclass
class Known:
    """What is known of the images of a folder; it grows while it is used."""

    status: Callable[[str], Status] = lambda name: Status.UNLABELLED
    split: Mapping[str, Subset] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)

    def of(self, name: str) -> Facts:
        """The facts of an image; none of them where it was not measured yet."""
        return self.facts.get(name, _NOTHING)

    def value(self, name: str, key: str) -> Value:
        """What is known of an image under a key of ``core.evaluation.search``."""
        if key == "status":
            return self.status(name)
        if key == "split":
            return self.split.get(name)
        if key == "folder":
            return name.rpartition("/")[0]
        facts = self.of(name)
        if key == "dice":
            checked = facts.disagreement is not None and self.split.get(name) is Subset.VAL
            return 1 - facts.disagreement if checked and facts.disagreement is not None else None
        if key == "date":
            return None if facts.modified is None else _day(facts.modified)
        value: Value = getattr(facts, _FIELDS[key])
        return value

    def number(self, name: str, key: str) -> float | None:
        """The value as a number, to sort by; status and split by the order in which they come."""
        if key == "date":
            return self.of(name).modified
        value = self.value(name, key)
        return _RANKS[value] if isinstance(value, str) else value


_FIELDS = {
    "uncertainty": "uncertainty",
    "disagreement": "disagreement",
    "object": "object_share",
    "parts": "parts",
    "width": "width",
    "height": "height",
    "size": "bytes",
    "model": "model",
}


@dataclass(frozen=True)
class Arrangement:
    """The images that are found, in order. key, descending: as they were sorted.

    bar: the key whose values are shown as bars; longest: the value of the longest bar, 0 where none
    is known. rows: each name's place, from 0.
    """

    names: Sequence[str] = ()
    key: str = "name"
    descending: bool = False
    bar: str = "uncertainty"
    longest: float = 0.0
    rows: Mapping[str, int] = field(default_factory=dict)


def by_name(names: Sequence[str]) -> Arrangement:
    """All images, in the order of their names, in which they come."""
    return Arrangement(names, rows={name: row for row, name in enumerate(names)})


def arrange(
    names: Sequence[str], query: Query, key: str, descending: bool, known: Known
) -> Arrangement:
    """Search and sort. names: all there are, in the order of their names; key: of an ``Order``.

    Of equals the order of their names stays; what is not known comes last.
    """
    found = list(filter(matcher(query, known.value), names)) if query.terms else list(names)
    bar = key if key in _BARS else "uncertainty"
    if key == "name":
        found = found[::-1] if descending else found
    else:
        numbers = _numbers(found, key, known)
        # NumPy puts NaN last, which stays so where the sign is turned.
        order = np.argsort(-numbers if descending else numbers, kind="stable")
        found = [found[i] for i in order.tolist()]
    longest = longest_bar(names, bar, known)
    rows = by_name(found).rows
    return Arrangement(found, key, descending, bar, longest, rows)


def followed(
    shown: Arrangement,
    names: Sequence[str],
    come: Sequence[str],
    gone: Collection[str],
    query: Query,
    known: Known,
) -> Arrangement:
    """The list as it was, without images that are gone and with those that came and are found.

    These are in their places in a list by name, else at its end. names: all there are now, in the
    order of their names.
    """
    found = [name for name in shown.names if name not in gone]
    found += arrange(come, query, "name", False, known).names
    if shown.key == "name":
        listed = set(found)
        found = [name for name in names if name in listed]
        found = found[::-1] if shown.descending else found
    return replace(shown, names=found, rows=by_name(found).rows)


def longest_bar(names: Sequence[str], bar: str, known: Known) -> float:
    """The value of the longest bar of these images, 0 where none is known."""
    if bar in _OF_ONE:
        return 1.0
    return float(np.nan_to_num(_numbers(names, bar, known)).max(initial=0))


def _day(modified: float) -> str | None:
    try:
        return datetime.fromtimestamp(modified).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None  # some file systems hold years that no calendar does


def _numbers(names: Sequence[str], key: str, known: Known) -> np.ndarray:
    """float64, one a name; NaN where it is not known."""
    values = (known.number(name, key) for name in names)
    return np.array([np.nan if v is None else v for v in values], np.float64)
