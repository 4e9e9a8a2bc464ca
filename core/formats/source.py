"""Other tools' annotations as every reader hands them over: one entry an image, read when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np

from core.errors import BadInput

Size = tuple[int, int]
"""(width, height) of an upright image, in pixels."""


class FormatError(BadInput):
    """Annotations that cannot be used: the file, where in it (line, key, annotation), and why."""


@dataclass(frozen=True)
class SourceClass:
    """A class as the annotations name it, and its RGB colour (0 to 255) where they have one."""

    name: str
    colour: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Entry:
    """The annotations of one image.

    image: as the annotations name it, with /; not to be trusted. size: what they say of it, None
    where they say nothing. classes: positions in ``Source.classes`` that appear, where that is
    known without reading. read: size of the upright image -> uint8, height x width: positions in
    ``Source.classes`` (0 background), VOID where unlabelled; raises FormatError.
    """

    image: str
    read: Callable[[Size], np.ndarray] = field(repr=False)
    size: Size | None = None
    classes: frozenset[int] = frozenset()


class LazyEntries(Sequence[Entry]):
    """Entries that are made when they are asked for: a hundred thousand take no memory."""

    def __init__(self, keys: Sequence[int], make: Callable[[int], Entry]) -> None:
        self._keys = keys
        self._make = make

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return LazyEntries(self._keys[index], self._make)
        return self._make(self._keys[index])


@dataclass(frozen=True)
class Source:
    """Annotations that were found: what a reader knows before any mask is decoded.

    format: its id in the registry. classes: at most MAX_CLASSES, the first is the background.
    entries: lazy where the file is large. notes: what was left out or merged, for people.
    """

    format: str
    path: Path
    classes: tuple[SourceClass, ...]
    entries: Sequence[Entry]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """What only the person can know about annotations.

    colours: a file of "name: r, g, b" lines (or a labelmap.txt), where masks are in colours and
    nothing beside them says what those mean. any_colours: then each colour is a class.
    """

    colours: Path | None = None
    any_colours: bool = False


def sizes_differ(claimed: Size, photo: Size) -> str:
    """Why annotations of one size are of no use for a photo of another."""
    swapped = claimed == (photo[1], photo[0])
    why = "made while it lay on its side (EXIF)?" if swapped else "masks are never scaled"
    return (
        f"made for {claimed[0]} x {claimed[1]} pixels, the photo has {photo[0]} x {photo[1]}; {why}"
    )
