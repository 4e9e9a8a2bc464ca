"""Append-only files of one JSON object a line: safe against torn lines and readers that tail."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from core.files import WriteError


def append(path: Path, record: dict[str, Any]) -> None:
    """Append one record and flush it to disk. A torn line that a crash left is closed first.

    Raises WriteError.
    """
    line = json.dumps(record, separators=(",", ":")) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    line = "\n" + line
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise WriteError(f"Cannot write {path}: {error.strerror or error}.") from error


def read(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The whole records from byte ``offset`` on, and the offset to read from next time.

    A torn last line stays unread until it is whole; a damaged line in the middle is left out.
    A file that is not there is empty. Raises OSError where it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    end = data.rfind(b"\n") + 1
    records = []
    for line in data[:end].splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return records, offset + end


def number(value: object, otherwise: float = 0.0) -> float:
    """A finite number of a record that anyone may have written; ``otherwise`` for what is none."""
    try:
        found = float(str(value))
    except ValueError:
        return otherwise
    return found if math.isfinite(found) else otherwise
