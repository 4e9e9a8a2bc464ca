"""What was done of a batch so far, on the disk: by this process, by earlier ones, by others.

Each process appends to a file of its own, one line of JSON an item, and reads everybody's. Nothing
is locked: see docs/decisions/0031-many-machines.md.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import weakref
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import numpy as np

from core import jsonl
from core.errors import BadInput
from core.files import WriteError, read_json, write_json

_JOB = "job.json"
_ROWS = ".rows.jsonl"
_MOST_OPEN = 128  # files at a time

# A place is one number: whether the item is settled, the file, the offset of its line.
_SETTLED = 1 << 62
_FILE_BITS = 40
_OFFSET = (1 << _FILE_BITS) - 1
_FILES = (1 << 22) - 1


def claim(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """The job that a ledger's folder belongs to: this one (JSON), where it had none yet.

    Raises BadInput (damaged), WriteError.
    """
    path = folder / _JOB
    if not path.exists():
        _write_first(path, job)
    return standing(folder) or as_json(job)


def standing(folder: Path) -> dict[str, Any] | None:
    """The job that a ledger's folder belongs to, if any. Raises BadInput (damaged)."""
    path = folder / _JOB
    if not path.exists():
        return None
    found = read_json(path)
    if not isinstance(found, dict):
        raise BadInput(f"{path} is damaged: remove {folder} to begin anew.")
    return found


def as_json(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job as ``claim`` would read it."""
    value: dict[str, Any] = json.loads(json.dumps(job))
    return value


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In words, what is not the same in two jobs."""
    keys = [key for key in {**now, **before} if before.get(key) != now.get(key)]
    return [f"{key}: {_word(before.get(key))}, now {_word(now.get(key))}" for key in keys]


class Ledger:
    """The items of a batch that were done, each a row under a key; for one thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: shared by all that work on the batch; None: of this process alone, and gone with
        it."""
        self._folder = folder
        self._own: BinaryIO | None = None
        self._paths: list[Path] = []
        self._open: dict[int, BinaryIO] = {}

    @property
    def kept(self) -> bool:
        """Whether it is there after this process has ended."""
        return self._folder is not None

    def append(self, key: str, row: Mapping[str, Any], settled: bool = True) -> None:
        """Note an item. settled: no row of the same key that is not counts beside it.

        Raises WriteError.
        """
        line = json.dumps({"key": key, "settled": settled, **row}, separators=(",", ":")) + "\n"
        try:
            own = self._own_file()
            own.seek(0, os.SEEK_END)
            own.write(line.encode())
            own.flush()  # it outlives this process from here on
        except OSError as error:
            raise WriteError(
                f"Cannot write to {self._folder or 'the temporary folder'}: "
                f"{error.strerror or error}. Free some space; the same command then goes on."
            ) from error

    def look(self) -> Index:
        """Where everybody's rows are, as of now. Raises BadInput."""
        keys, places = array("Q"), array("q")
        for number in range(self._count_files()):
            start = 0
            for end, record in self._scan(number):
                key = None if record is None else record.get("key")
                if isinstance(key, str):
                    keys.append(_digest(key))
                    settled = _SETTLED if record and record.get("settled") is True else 0
                    places.append(settled | number << _FILE_BITS | start)
                start = end
        return Index.of(np.array(keys, np.uint64), np.array(places, np.int64))

    def read(self, place: int) -> dict[str, Any]:
        """The row at a place of an ``Index``. Raises BadInput."""
        file = self._file((place >> _FILE_BITS) & _FILES)
        file.seek(place & _OFFSET)
        try:
            row = json.loads(file.readline(jsonl.MOST_BYTES))
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged() from error
        if not isinstance(row, dict):
            raise self._damaged()
        return row

    def forget(self) -> None:
        """Let nothing count as done. Raises WriteError."""
        if self._folder is None or not self._folder.is_dir():
            return
        self.close()
        try:
            for path in (self._folder / _JOB, *self._folder.glob(f"*{_ROWS}")):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(
                f"Cannot remove {path}: {error.strerror or error}. Nothing was done."
            ) from error

    def flush(self) -> None:
        """Bring what was noted to the disk, for the other machines to see. Raises WriteError."""
        if self._own is not None and self._folder is not None:
            try:
                os.fsync(self._own.fileno())
            except OSError as error:
                raise WriteError(f"Cannot write to {self._folder}: {error.strerror}.") from error

    def close(self) -> None:
        """Close all files; those of a folder stay."""
        for file in self._open.values():
            file.close()
        if self._own is not None:
            with suppress(OSError):  # what could not be written was said when it was noted
                self._own.close()
        self._open, self._paths, self._own = {}, [], None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _own_file(self) -> BinaryIO:
        if self._own is None and self._folder is None:
            self._own = tempfile.TemporaryFile()  # noqa: SIM115
            # Rows are read from it for as long as anyone has them.
            weakref.finalize(self, self._own.close)
        elif self._own is None and self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Of each process another one: a network's file system mixes up what two append.
            self._own = open(self._folder / f"{secrets.token_hex(6)}{_ROWS}", "xb")  # noqa: SIM115
        return cast(BinaryIO, self._own)

    def _count_files(self) -> int:
        if self._folder is None:
            return 1
        # Known ones keep their numbers.
        with suppress(FileNotFoundError):
            there = set(self._folder.glob(f"*{_ROWS}"))
            self._paths += sorted(there.difference(self._paths))
        return len(self._paths)

    def _file(self, number: int) -> BinaryIO:
        if self._folder is None:
            return self._own_file()
        if number not in self._open:
            if len(self._open) >= _MOST_OPEN:
                for file in self._open.values():
                    file.close()
                self._open.clear()
            try:
                self._open[number] = self._paths[number].open("rb")
            except (OSError, IndexError) as error:
                raise self._damaged() from error
        return self._open[number]

    def _scan(self, number: int) -> Iterator[tuple[int, dict[str, Any] | None]]:
        # Anew, so that what another machine has written since is seen.
        if number in self._open:
            self._open.pop(number).close()
        file = self._file(number)
        file.seek(0)
        return jsonl.scan_file(file)

    def _damaged(self) -> BadInput:
        return BadInput(f"{self._folder} is damaged: remove it to begin anew.")


@dataclass(frozen=True)
class Index:
    """Key -> place, in 16 bytes a row: the hash of a key stands for it.

    keys: uint64, sorted; places: int64.
    """

    keys: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, keys: np.ndarray, places: np.ndarray) -> Index:
        """Of equal keys, a settled one counts."""
        order = np.lexsort((places, keys))
        keys, places = keys[order], places[order]
        last = np.ones(len(keys), bool)
        last[:-1] = keys[1:] != keys[:-1]
        return cls(keys[last], places[last])

    def find(self, key: str) -> int | None:
        """The place of a key's row, or None."""
        digest = np.uint64(_digest(key))
        at = int(np.searchsorted(self.keys, digest))
        return int(self.places[at]) if at < len(self.keys) and self.keys[at] == digest else None

    def settled(self, key: str) -> bool:
        """Whether an item need not be done again."""
        place = self.find(key)
        return place is not None and place >= _SETTLED


def _digest(key: str) -> int:
    data = key.encode(errors="surrogateescape")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def _write_first(path: Path, job: Mapping[str, Any]) -> None:
    """Write a job down unless another process was faster. Raises WriteError."""
    mine = path.with_name(f".petseg-{secrets.token_hex(6)}.tmp")  # as ``sweep`` knows them
    write_json(mine, job)
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(mine, path)
    finally:
        mine.unlink(missing_ok=True)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else str(value)
