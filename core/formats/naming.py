"""What annotations of named shapes share: their classes, and what is said of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from core.formats.items import WriteOptions
from core.formats.labelmap import is_background, is_void
from core.formats.source import FormatError, SourceClass
from core.labels import BACKGROUND, MAX_CLASSES, VOID

VOID_LOST = "Void (unlabelled) pixels become background."
SEAMED = "Holes are kept by a seam from the outline to the hole."


@dataclass
class Classes:
    """Classes as they turn up; the background is there from the start.

    Names that mean the background or void become that. Raises FormatError: too many.
    """

    _positions: dict[str, int] = field(default_factory=dict)
    _found: list[SourceClass] = field(default_factory=lambda: [SourceClass("background")])

    def position(self, name: str, colour: tuple[int, int, int] | None = None) -> int:
        """The position of a class in ``found``, or VOID; a new one where the name is new."""
        if is_background(name):
            return BACKGROUND
        if is_void(name):
            return VOID
        position = self._positions.get(name)
        if position is None:
            position = self._positions[name] = len(self._found)
            self._found.append(SourceClass(name, colour))
            if len(self._found) > MAX_CLASSES:
                raise FormatError(f"More than {MAX_CLASSES - 1} classes are used, one is {name}.")
        return position

    @property
    def found(self) -> tuple[SourceClass, ...]:
        return tuple(self._found)


def overlap_notes(labels: Iterable[Collection[object]]) -> list[str]:
    """What to say where images hold more than one class."""
    if any(len(found) > 1 for found in labels):
        return ["Where outlines of different classes overlap, the later one covers the earlier."]
    return []


def left_out_notes(left_out: Mapping[str, int]) -> list[str]:
    """One line each for what cannot be taken: "Left out: polylines (3)."."""
    return [f"Left out: {what} ({count:,})." for what, count in sorted(left_out.items()) if count]


def shape_losses(options: WriteOptions) -> list[str]:
    """What a file that lists the shapes of its images cannot hold."""
    lost = [
        VOID_LOST,
        "An image with nothing but background looks like one that nobody annotated.",
    ]
    return [*lost, SEAMED] if options.polygons else lost
