"""A file of decoded images, for those that do not fit into memory; found again by their content."""

from __future__ import annotations

import mmap
import shutil
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.files import WriteError

_ENTRY = struct.Struct("<32sI")  # a record's key, its checksum
_RESIDENT = 256 * 2**20  # bytes of a mapped file that may count as this process's memory


class RecordFile:
    """Records of one length, appended and never changed, each under a key of 32 bytes.

    A record's key and checksum are written after it, into a file of their own: what a crash cut
    short, or a failing disk garbled, is not found again. One process writes at a time.
    """

    def __init__(self, folder: Path, length: int) -> None:
        """length: bytes of a record. Nothing is written before the first ``append``."""
        self._data = folder / f"{length}.records"
        self._keys = folder / f"{length}.keys"
        self._length = length
        keys = self._keys.read_bytes() if self._keys.is_file() else b""
        held = self._data.stat().st_size if self._data.is_file() else 0
        self._count = min(len(keys) // _ENTRY.size, held // length)
        entries = _ENTRY.iter_unpack(keys[: self._count * _ENTRY.size])
        self._found = {key: (number, check) for number, (key, check) in enumerate(entries)}

    def require_room(self, images: int) -> None:
        """Raises WriteError where so many images, less those it holds, do not fit on the disk."""
        require_room(self._data.parent, max(0, images - self._count) * self._length)

    def find(self, key: bytes) -> tuple[int, bytes] | None:
        """A record's number and the record; None where there is none, or a damaged one."""
        if key not in self._found:
            return None
        number, check = self._found[key]
        with self._data.open("rb") as file:
            file.seek(number * self._length)
            record = file.read(self._length)
        return (number, record) if zlib.crc32(record) == check else None

    def append(self, key: bytes, record: bytes) -> int:
        """Write a record; returns its number. Raises WriteError (a full disk)."""
        number, check = self._count, zlib.crc32(record)
        try:
            self._data.parent.mkdir(parents=True, exist_ok=True)
            _write_at(self._data, number * self._length, record)
            _write_at(self._keys, number * _ENTRY.size, _ENTRY.pack(key, check))
        except OSError as error:
            raise WriteError(
                f"Cannot write the decoded images to {self._data}: {error.strerror or error}. Free "
                "some space on this disk, or train with a smaller size or a larger memory limit."
            ) from error
        self._count += 1
        self._found[key] = number, check
        return number

    def mapped(self, numbers: Sequence[int], shape: tuple[int, ...]) -> MappedRows:
        """These records as arrays of ``shape``, uint8, read from the disk when they are asked for.

        Raises OSError (no record at all was ever written).
        """
        with self._data.open("rb") as file:
            return MappedRows(file.fileno(), np.array(numbers, np.int64), shape)


class MappedRows:
    """Some records of a file, mapped into memory: ``rows[i]`` is a read-only array."""

    def __init__(self, file: int, numbers: np.ndarray, shape: tuple[int, ...]) -> None:
        self._mapping = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
        length = int(np.prod(shape))
        held = len(self._mapping) // length
        self._records = np.frombuffer(self._mapping, np.uint8, held * length).reshape(held, *shape)
        self._numbers = numbers
        self._touched = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, row: int) -> np.ndarray:
        record: np.ndarray = self._records[self._numbers[row]]
        self._touched += record.nbytes
        if self._touched > _RESIDENT and hasattr(mmap, "MADV_DONTNEED"):
            # The pages stay in the system's cache; this process lets go of them.
            self._mapping.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
        return record


def require_room(folder: Path, size: int) -> None:
    """Raises WriteError where the disk of a folder, which need not be there, has fewer bytes."""
    there = next(f for f in (folder, *folder.absolute().parents) if f.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise WriteError(
            f"The decoded images take {size / 1e9:.1f} GB, and {there} has {free / 1e9:.1f} GB "
            "free. Free some space on this disk, or train with a smaller size or a larger memory "
            "limit (memory=MEGABYTES)."
        )


def delete_cache(folder: Path) -> None:
    """Delete a cache's folder, as far as the system lets it go; it may be missing."""
    shutil.rmtree(folder, ignore_errors=True)


def _write_at(path: Path, place: int, data: bytes) -> None:
    """Unbuffered, so that a full disk fails here. What stood behind ``place`` is overwritten."""
    path.touch()
    with path.open("r+b", buffering=0) as file:
        file.seek(place)
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]
