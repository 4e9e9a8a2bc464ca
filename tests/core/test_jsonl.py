"""Append-only files: torn lines, readers that tail, full disks."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.files import WriteError
from core.jsonl import MOST_BYTES, append, read, records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=3))
def test_what_is_appended_is_read(tmp_path_factory: pytest.TempPathFactory, kept: list):
    path = tmp_path_factory.getbasetemp() / "appended.jsonl"
    path.unlink(missing_ok=True)
    for record in kept:
        append(path, record)
    assert read(path)[0] == list(records(path)) == kept


def test_a_reader_that_tails_sees_each_record_once(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    append(path, {"n": 1})
    first, offset = read(path)
    append(path, {"n": 2})
    append(path, {"n": 3})
    second, offset = read(path, offset)
    assert (first, second) == ([{"n": 1}], [{"n": 2}, {"n": 3}])
    assert read(path, offset) == ([], offset)


def test_a_torn_line_waits_until_it_is_whole(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":')
    first, offset = read(path)
    assert first == [{"n": 1}]
    with open(path, "ab") as file:
        file.write(b"2}\n")
    assert read(path, offset)[0] == [{"n": 2}]


def test_what_follows_a_torn_line_is_not_lost(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":')
    append(path, {"n": 3})
    assert read(path)[0] == [{"n": 1}, {"n": 3}]


def test_damaged_lines_are_left_out(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xff\xfe\n[1]\n"text"\n\n{"n":1}\n' + b"[" * 100_000 + b'\n{"n":2}\n')
    assert read(path)[0] == list(records(path)) == [{"n": 1}, {"n": 2}]


def test_records_are_read_many_at_a_time_up_to_a_torn_line(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    assert list(records(path)) == []
    lines = [b'{"n":%d,"text":"%s"}\n' % (n, b"x" * 100) for n in range(5000)]
    lines[2000] = b'{"n":2000}, {"n":1}\n'  # two on a line are none
    path.write_bytes(b"".join(lines) + b'{"n":')
    assert [record["n"] for record in records(path)] == [n for n in range(5000) if n != 2000]


@given(st.binary(max_size=40), st.integers(0, 80))
def test_a_file_in_the_making_is_read_as_when_it_is_whole(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, cut: int
):
    path = tmp_path_factory.getbasetemp() / "growing.jsonl"
    data = b'{"n":1}\n' + junk + b'\n{"n":2}\r\n{"n":3}\n'
    path.write_bytes(data[:cut])
    first, offset = read(path)
    path.write_bytes(data)
    second, end = read(path, offset)
    assert (first + second, end) == (read(path)[0], len(data))


def test_a_line_of_any_length_takes_no_memory(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    append(path, {"n": 1})
    os.truncate(path, 8 * MOST_BYTES)
    append(path, {"n": 2})
    tracemalloc.start()
    try:
        records, offset = read(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * MOST_BYTES
    finally:
        tracemalloc.stop()
    assert records == [{"n": 1}, {"n": 2}]
    assert offset == path.stat().st_size


def test_a_line_that_grows_for_ever_is_not_read_again(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.touch()
    os.truncate(path, 2 * MOST_BYTES + 9)
    assert read(path) == ([], 2 * MOST_BYTES)


def test_a_missing_file_is_empty(tmp_path: Path):
    assert read(tmp_path / "gone.jsonl") == ([], 0)


def test_a_full_disk_is_a_write_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        append(tmp_path / "a.jsonl", {})
