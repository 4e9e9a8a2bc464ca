"""The rows of an evaluation where they are: in the files of its ledger."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from core.batch.ledger import Ledger
from core.errors import BadInput
from core.evaluation.groups import Grouping
from core.evaluation.result import ImageScores, LazyRows, badness
from core.evaluation.scoring import Found, found_in, readable


class StoredRows(LazyRows):
    """Rows of ``names``, each read anew when it is asked for."""

    def __init__(
        self,
        ledger: Ledger,
        places: np.ndarray,
        names: Sequence[str],
        groupings: Mapping[Grouping, Mapping[str, str]],
    ) -> None:
        """places: int64, one a name; groupings: grouping -> name -> group."""
        self._ledger, self._places, self._names = ledger, places, names
        self._groupings = groupings

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> ImageScores: ...
    @overload
    def __getitem__(self, at: slice) -> list[ImageScores]: ...
    def __getitem__(self, at: int | slice) -> ImageScores | list[ImageScores]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        name = self._names[at]
        found = read_found(self._ledger, int(self._places[at]), name)
        groups = {g.value: readable(of[name]) for g, of in self._groupings.items()}
        return found.row.model_copy(update={"groups": groups})

    def __iter__(self) -> Iterator[ImageScores]:
        return (self[i] for i in range(len(self)))

    def worst(self, number: int) -> dict[str, bytes | None]:
        """The names of so many of the worst, the worst first, and their pictures.

        There is none of one that was not among the worst when it was scored, but is now that
        others were scored anew.
        """
        worst = heapq.nsmallest(number, range(len(self)), key=lambda i: badness(self[i]))
        names = [self._names[i] for i in worst]
        places = (int(self._places[i]) for i in worst)
        found = (read_found(self._ledger, *at) for at in zip(places, names, strict=True))
        return {name: one.picture for name, one in zip(names, found, strict=True)}


def read_found(ledger: Ledger, place: int, name: str) -> Found:
    """What a ledger holds of an image. Raises BadInput (damaged)."""
    raw: dict[str, Any] = ledger.read(place)
    try:
        found = found_in(raw)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise BadInput(f"What was noted of {name} is damaged ({error}): use --anew.") from error
    if found.row.image != readable(name):
        raise BadInput(f"What was noted of {name} is of another image: use --anew.")
    return found
