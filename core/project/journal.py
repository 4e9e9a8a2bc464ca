"""The journal of an image: the edits since its last save, so that ``kill -9`` loses none.

One append-only file an image: a header, then a record for each edit, undo and redo with the
pixels that it wrote, and one for each mask file that a save was about to put in place. Since
records say what pixels became, not how they changed, replaying all of them onto any state along
the journal gives the last state: nothing has to be cut off while a save runs.

The file: ``MAGIC``, then records of ``<kind u8, length u32, CRC-32 u32>`` and their payload.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np

from core.editing.box import Box
from core.editing.history import TILE, pack, tiles_of
from core.errors import BadInput
from core.files import WriteError, write_bytes
from core.images import MAX_PIXELS

MAGIC = b"PetSeg journal 1\n"

_HEADER, _EDIT, _SAVING = b"HES"
_RECORD = struct.Struct("<BII")
_PATCH = struct.Struct("<IIIII")  # the box, the length of its packed pixels
_LONGEST = 2 * MAX_PIXELS  # bytes of a record: more than any mask takes, however noisy

Writes = Iterable[tuple[Box, bytes]]
"""Boxes with their new pixels, packed as ``core.editing.history.Patch`` packs them."""


class JournalError(BadInput):
    """A journal that cannot be read: damaged, or not ours."""


@dataclass(frozen=True)
class Start:
    """What a journal's edits start from.

    image: its name; width, height: of its mask; mask: SHA-256 of the mask file, "" without one;
    pixels: the whole mask (uint8, height x width) where no mask file holds it, else None.
    """

    image: str
    width: int
    height: int
    mask: str
    pixels: np.ndarray | None = None


class Journal:
    """Writes one image's journal. Any thread may; one writes at a time."""

    def __init__(self, path: Path, photos: Path) -> None:
        """photos: a folder that must be there; it is never made anew."""
        self._path = path
        self._photos = photos
        self._lock = Lock()
        self._end = 0
        self._masks: list[str] = []  # the mask files that its edits may be replayed onto
        self._complete = False  # whether the file holds every edit so far
        self._ours = False  # whether the file was made here
        self.needs_start = True
        """Whether the next edit must come with a ``Start``; whoever brings one says it no more."""

    def append(self, writes: Writes, start: Start | None = None) -> None:
        """Add an edit and flush it to the disk. With a ``start`` the file begins anew.

        Raises WriteError; the file then holds what it held before, and needs a start.
        """
        edit = _record(_EDIT, _packed(writes))
        with self._writing():
            if start is not None:
                self._begin(start, edit)
            elif self._complete:
                self._write(edit)
            else:
                raise self._error("an earlier edit could not be written")

    def saving(self, digest: str) -> None:
        """A mask file of this SHA-256 is about to take the old one's place. Raises WriteError."""
        with self._writing():
            self._masks.append(digest)
            if self._complete:
                self._write(_record(_SAVING, digest.encode()))

    def remove(self) -> None:
        """Every edit is in the mask file. Raises OSError."""
        with self._lock:
            self._complete = False
            if self._ours:
                self._path.unlink(missing_ok=True)
                self._ours = False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except WriteError:
                self.needs_start = True
                raise

    def _begin(self, start: Start, edit: bytes) -> None:
        self._complete = False
        if not self._photos.is_dir():
            raise self._error(f"{self._photos} is not there any more")
        self._masks.append(start.mask)
        header = {
            "image": start.image,
            "width": start.width,
            "height": start.height,
            "masks": sorted(set(self._masks)),
            "whole": start.pixels is not None,
        }
        data = MAGIC + _record(_HEADER, json.dumps(header).encode())
        if start.pixels is not None:
            data += _record(_EDIT, _packed(_everything(start.pixels)))
        try:
            if not self._ours and self._path.exists():
                set_aside(self._path)  # somebody's strokes that could not be brought back
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error
        write_bytes(self._path, data + edit)
        self._end = len(data) + len(edit)
        self._complete = self._ours = True

    def _write(self, record: bytes) -> None:
        self._complete = False
        try:
            with open(self._path, "r+b") as file:
                file.seek(self._end)  # what a failed write left is written over
                file.write(record)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error
        self._end += len(record)
        self._complete = True

    def _error(self, reason: str) -> WriteError:
        return WriteError(f"Cannot write {self._path}: {reason}.")


@dataclass(frozen=True)
class Contents:
    """What a journal says of itself.

    masks: SHA-256 of each mask file that its edits may be replayed onto, "" for none; whole: its
    first record is the whole mask, so that it needs no file; edits: how many records; cut_short:
    it is damaged before its end (more than a last record that was never written whole).
    """

    image: str
    width: int
    height: int
    masks: frozenset[str]
    whole: bool
    edits: int
    cut_short: bool


def read_contents(path: Path) -> Contents:
    """What a journal holds, without its pixels. Raises JournalError."""
    with _opened(path) as file:
        header = _read_header(path, file)
        try:
            masks = {str(digest) for digest in header["masks"]}
            edits = 0
            for kind, payload in _records(file):
                if kind == _SAVING:
                    masks.add(payload.decode("ascii", "replace"))
                edits += kind == _EDIT
            return Contents(
                image=str(header["image"]),
                width=int(header["width"]),
                height=int(header["height"]),
                masks=frozenset(masks),
                whole=bool(header["whole"]),
                edits=edits,
                cut_short=_goes_on(file),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise JournalError(f"{path} is damaged (its header: {error}).") from error


def replay(path: Path, mask: np.ndarray) -> None:
    """Make a journal's edits in ``mask`` (uint8, height x width, of its size), in place.

    Raises JournalError; ``mask`` may then hold some of them.
    """
    with _opened(path) as file:
        _read_header(path, file)
        for kind, payload in _records(file):
            if kind == _EDIT:
                _apply(path, payload, mask)


def set_aside(path: Path) -> Path:
    """Rename a journal so that it is neither replayed nor overwritten. Raises OSError."""
    number = 1
    while True:
        kept = path.with_name(f"{path.name}.kept" + (f"-{number}" if number > 1 else ""))
        if not kept.exists():
            path.rename(kept)
            return kept
        number += 1


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise JournalError(f"Cannot read {path}: {error.strerror or error}.") from error


def _read_header(path: Path, file: BinaryIO) -> dict[str, Any]:
    if file.read(len(MAGIC)) != MAGIC:
        raise JournalError(f"{path} is no journal of this PetSeg.")
    kind, payload = next(_records(file), (0, b""))
    try:
        header = json.loads(payload) if kind == _HEADER else None
    except (ValueError, RecursionError) as error:
        raise JournalError(f"{path} is damaged (its header: {error}).") from error
    if not isinstance(header, dict):
        raise JournalError(f"{path} is damaged (it has no header).")
    return header


def _records(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The records from here on; the file is left where the first begins that is not whole."""
    size = os.fstat(file.fileno()).st_size
    while True:
        at = file.tell()
        head = file.read(_RECORD.size)
        if len(head) == _RECORD.size:
            kind, length, checksum = _RECORD.unpack(head)
            left = size - file.tell()
            if kind in (_HEADER, _EDIT, _SAVING) and length <= min(left, _LONGEST):
                payload = file.read(length)
                if zlib.crc32(payload) == checksum:
                    yield kind, payload
                    continue
        file.seek(at)
        return


def _goes_on(file: BinaryIO) -> bool:
    """Whether there is more here than one record that was not written to its end."""
    left = os.fstat(file.fileno()).st_size - file.tell()
    head = file.read(_RECORD.size)
    return len(head) == _RECORD.size and left > _RECORD.size + int(_RECORD.unpack(head)[1])


def _record(kind: int, payload: bytes) -> bytes:
    return _RECORD.pack(kind, len(payload), zlib.crc32(payload)) + payload


def _packed(writes: Writes) -> bytes:
    return b"".join(_PATCH.pack(*box, len(data)) + data for box, data in writes)


def _everything(mask: np.ndarray) -> Writes:
    height, width = mask.shape
    for x0, y0, x1, y1 in tiles_of((0, 0, width, height)):
        box = x0, y0, min(x1, width), min(y1, height)
        yield box, pack(mask[y0 : box[3], x0 : box[2]])


def _apply(path: Path, payload: bytes, mask: np.ndarray) -> None:
    height, width = mask.shape
    at = 0
    while at < len(payload):
        if len(payload) - at < _PATCH.size:
            raise JournalError(f"{path} is damaged (an edit ends too early).")
        x0, y0, x1, y1, length = _PATCH.unpack_from(payload, at)
        at += _PATCH.size
        if not (x0 < x1 <= width and y0 < y1 <= height and length <= len(payload) - at):
            raise JournalError(f"{path} is damaged (an edit outside of its image).")
        # As ours all are: a few forged bytes must not set a whole large image again and again.
        if x1 - x0 > TILE or y1 - y0 > TILE:
            raise JournalError(f"{path} is damaged (an edit larger than a tile).")
        mask[y0:y1, x0:x1] = _unpack(path, payload[at : at + length], (y1 - y0, x1 - x0))
        at += length


def _unpack(path: Path, data: bytes, shape: tuple[int, int]) -> np.ndarray:
    """The pixels of a patch; never more memory than they take, whatever the data say."""
    if len(data) == 1:
        return np.broadcast_to(np.frombuffer(data, np.uint8), shape)
    count = shape[0] * shape[1]
    decoder = zlib.decompressobj()
    try:
        pixels = decoder.decompress(data, count)
    except zlib.error as error:
        raise JournalError(f"{path} is damaged ({error}).") from error
    if len(pixels) != count:
        raise JournalError(f"{path} is damaged (an edit of too few pixels).")
    return np.frombuffer(pixels, np.uint8).reshape(shape)
