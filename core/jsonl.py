"""Append-only files of one JSON object a line: safe against torn lines and readers that tail."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from core.files import WriteError

MOST_BYTES = 1 << 24
"""Of a line: longer ones are damaged. A stranger's file could be one line of any length."""
_AT_ONCE = 1 << 17  # bytes: other threads wait meanwhile


def append(path: Path, record: dict[str, Any]) -> None:
    """Append one record and flush it to disk. A torn line that a crash left is closed first.

    Raises WriteError.
    """
    append_all(path, [record])


def append_all(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Append records as ``append`` does, with one flush for all of them. Raises WriteError."""
    lines = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    lines = "\n" + lines
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise WriteError(f"Cannot write {path}: {error.strerror or error}.") from error


def read(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The whole records from byte ``offset`` on, and the offset to read from next time.

    A torn last line stays unread until it is whole; a damaged line in the middle is left out.
    A file that is not there is empty. Raises OSError where it cannot be read.
    """
    records, end = [], offset
    for after, record in scan(path, offset):
        end = after
        if record is not None:
            records.append(record)
    return records, end


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The whole records of a file, as ``read``, many of them in little time. Raises OSError."""
    try:
        with open(path, "rb") as file:
            lines: list[bytes] = []
            waiting = 0
            while line := file.readline(MOST_BYTES):
                if line.endswith(b"\n"):
                    lines.append(line)
                    waiting += len(line)
                if waiting > _AT_ONCE:
                    yield from _parsed(lines)
                    lines.clear()
                    waiting = 0
            yield from _parsed(lines)
    except FileNotFoundError:
        return


def scan(path: Path, offset: int = 0) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """What ``read`` reads, line by line: the offset behind each, its record (None: damaged).

    Takes the memory of one line, whatever the file's size. Raises OSError.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            yield from scan_file(file)
    except FileNotFoundError:
        return


def scan_file(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """As ``scan``, from where an open file stands. Raises OSError."""
    offset = file.tell()
    while line := file.readline(MOST_BYTES):
        whole = line.endswith(b"\n")
        if not whole and len(line) < MOST_BYTES:
            return  # torn
        offset += len(line)
        yield offset, _record(line) if whole else None


def _parsed(lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    try:
        found = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        found = ()
    # One call for many lines; where one of them is damaged, a call for each.
    whole = found if len(found) == len(lines) else map(_record, lines)
    yield from (record for record in whole if isinstance(record, dict))


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def number(value: object, otherwise: float = 0.0) -> float:
    """A finite number of a record that anyone may have written; ``otherwise`` for what is none."""
    if isinstance(value, float):
        found = value
    else:
        try:
            found = float(str(value))
        except ValueError:
            return otherwise
    return found if math.isfinite(found) else otherwise
