"""Other tools' annotations as every reader hands them over: one entry an image, read when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
