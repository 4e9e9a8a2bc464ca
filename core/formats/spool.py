"""What a long annotation file says of each image, kept outside of memory until it is asked for."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from core.formats import limits
from core.formats.source import FormatError, Size

_AT_ONCE = 1000
_REFUSED = -1


@dataclass(frozen=True)
class Shape:
    """One shape: label and kind are the format's own; where: for errors; data: its numbers."""

    label: int
    kind: int
    where: str
    data: bytes


class Spool:
    """Shapes by the number of their image, in a file of this process that no one else sees.

    Filled once, then read by any thread; the file goes with the object. Raises FormatError where
    the disk is full.
    """

    def __init__(self) -> None:
        # Without a name: SQLite keeps it in a temporary file, which it removes on every way out.
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        weakref.finalize(self, self._db.close)
        self._rows: list[tuple[int, int, int, int, str, bytes]] = []
        self._execute("PRAGMA journal_mode = OFF")
        self._execute("CREATE TABLE shape (image, layer, label, kind, title, data)")

    def add(self, image: int, shape: Shape, layer: int = 0) -> None:
        """layer: those of higher layers come later; within one the order is that of adding."""
        self._rows.append((image, layer, shape.label, shape.kind, shape.where, shape.data))
        if len(self._rows) >= _AT_ONCE:
            self._flush()

    def refuse(self, image: int, reason: FormatError) -> None:
        """What an image's annotations say cannot be used: reading it raises this."""
        self.add(image, Shape(0, _REFUSED, str(reason), b""))

    def finish(self) -> dict[int, frozenset[int]]:
        """Make ready for reading; returns the labels of each image that has annotations."""
        self._flush()
        self._execute("CREATE INDEX of_image ON shape (image, layer)")
        labels: dict[int, frozenset[int]] = {}
        shared: dict[frozenset[int], frozenset[int]] = {}
        found: set[int] = set()
        last = None
        query = "SELECT DISTINCT image, label, kind FROM shape ORDER BY image"
        for image, label, kind in self._execute(query):
            if image != last:
                found, last = set(), image
            if kind != _REFUSED:
                found.add(label)
            kinds = frozenset(found)
            labels[image] = shared.setdefault(kinds, kinds)
        return labels

    def of(self, image: int) -> Iterator[Shape]:
        """The shapes of an image, those to be covered first. Raises FormatError."""
        query = "SELECT label, kind, title, data FROM shape WHERE image = ? ORDER BY layer, rowid"
        for row in self._execute(query, (image,)):
            shape = Shape(*row)
            if shape.kind == _REFUSED:
                raise FormatError(shape.where)
            yield shape

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        try:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT INTO shape VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _full(error) from error

    def _execute(self, query: str, values: tuple[int, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(query, values)
        except sqlite3.Error as error:
            raise _full(error) from error


@dataclass(frozen=True)
class SpoolReader:
    """Reads one image's mask, as ``Entry.read``: its shapes, each over those before.

    positions: label -> position in the source's classes; claimed: what the annotations say of the
    image's size; paint: gives a value to a shape's pixels (uint8, height x width), or raises
    FormatError.
    """

    spool: Spool
    number: int
    positions: Mapping[int, int]
    name: str
    claimed: Size | None
    paint: Callable[[np.ndarray, Shape, int], None]

    def __call__(self, size: Size) -> np.ndarray:
        if self.claimed is not None:
            limits.require_size(self.claimed, size, self.name)
        pixels = np.zeros((size[1], size[0]), np.uint8)
        for shape in self.spool.of(self.number):
            self.paint(pixels, shape, self.positions[shape.label])
        return pixels


def _full(error: sqlite3.Error) -> FormatError:
    return FormatError(f"No room for the annotations among the temporary files ({error}).")
