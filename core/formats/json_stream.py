"""JSON from elsewhere, member by member: memory for one member, however long the file is."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from core.formats.limits import MOST_BYTES, open_annotations
from core.formats.source import FormatError

LONGEST_MEMBER = 8 << 20
"""Bytes of the text of one member: as Python objects it takes up to twenty times as many."""

_DEEPEST = 20
_CHUNK = 1 << 16

_Events = Iterator[tuple[str, Any]]


def members(
    path: Path,
    wanted: Mapping[str, str],
    longest_skipped: int = LONGEST_MEMBER,
    title: str = "",
) -> Iterator[tuple[str, str, Any]]:
    """Go through a JSON file that is one object, and build what is wanted of it.

    wanted: key -> what one member of its list is called. Yields (key, "FILE, MEMBER NUMBER",
    member) for each member of a list, (key, "FILE, KEY", value) where there is no list.
    longest_skipped: bytes of a text that is not wanted. title: what to call the file.

    Raises FormatError: too large, no JSON or broken off (NaN and infinity are no JSON), a member
    that is too long or nested too deeply.
    """
    file_title = where = title or path.name
    with open_annotations(path, MOST_BYTES) as file:
        if file.read(len(BOM_UTF8)) != BOM_UTF8:  # Windows' editors put it in front
            file.seek(0)
        guarded = _Guarded(file, file_title)
        events = ijson.basic_parse(guarded, buf_size=_CHUNK, use_float=True)
        try:
            if next(events, ("", None))[0] != "start_map":
                raise FormatError(f"{file_title}: no JSON object.")
            for event, key in events:
                if event == "end_map":
                    return
                kind = wanted.get(key)
                guarded.begin(LONGEST_MEMBER if kind else longest_skipped)
                event, value = next(events)
                if kind is None:
                    where = f"{file_title}, {key[:40]!r}"
                    _skip(event, events, guarded)
                elif event == "start_array":
                    for number, (event, value) in enumerate(events, 1):
                        if event == "end_array":
                            break
                        guarded.begin(LONGEST_MEMBER)
                        where = f"{file_title}, {kind} {number}"
                        guarded.where = where
                        yield key, where, _built(event, value, events, _DEEPEST)
                else:
                    where = f"{file_title}, {key}"
                    yield key, where, _built(event, value, events, _DEEPEST)
        except (ijson.JSONError, UnicodeDecodeError, StopIteration) as error:
            reason = " ".join(str(error).split("\n")[:1]) or "it breaks off"
            raise FormatError(f"{where}: no JSON there ({reason.strip()}).") from error
        except RecursionError as error:
            raise FormatError(f"{where}: nested more than {_DEEPEST} deep.") from error


class _Guarded:
    """Reads a file for the parser, and no farther than one member may be long."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self.where = where
        self._file = file
        self._left = LONGEST_MEMBER

    def begin(self, most: int) -> None:
        """What comes next may be this long."""
        self._left = most + _CHUNK  # which may have been read already

    def read(self, size: int = -1) -> bytes:
        if size and self._left <= 0:
            raise FormatError(f"{self.where}, or what follows: longer than anything of the kind.")
        self._left -= size
        return self._file.read(size)


def _built(event: str, value: Any, events: _Events, depth: int) -> Any:
    if depth == 0:
        raise RecursionError
    if event == "start_array":
        items = []
        for event, value in events:
            if event == "number":
                items.append(value)
            elif event == "end_array":
                break
            else:
                items.append(_built(event, value, events, depth - 1))
        return items
    if event == "start_map":
        found = {}
        for event, key in events:
            if event == "end_map":
                break
            event, value = next(events)
            found[key] = _built(event, value, events, depth - 1)
        return found
    return value


def _skip(event: str, events: _Events, guarded: _Guarded) -> None:
    depth = 0
    while True:
        depth += event.startswith("start_") - event.startswith("end_")
        if depth == 0:
            return
        guarded.begin(LONGEST_MEMBER)
        event, _ = next(events)
