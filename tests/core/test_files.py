"""Writing: a crash or a full disk never leaves half a file, nor an old one lost."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from core.errors import BadInput
from core.files import WriteError, is_writable, read_json, sha256, write_bytes, write_json


def fail_with(number: int):
    def fail(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_file_is_written_and_replaced(tmp_path: Path):
    path = tmp_path / "new" / "folder" / "a.bin"
    write_bytes(path, b"one")
    write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["a.bin"]


def test_others_may_read_what_was_written_as_the_umask_says(tmp_path: Path):
    old = os.umask(0o022)
    try:
        write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize("call", ["replace", "fsync", "fdopen", "chmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_failed_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, fail_with(number))
    with pytest.raises(WriteError, match="nothing was overwritten") as caught:
        write_bytes(path, b"new")
    monkeypatch.undo()
    assert os.strerror(number) in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # The bytes go to a device that is really full; only the name is a temporary file's.
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    real = os.fdopen

    def full(handle: int, mode: str):
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(WriteError, match="No space left on device"):
        write_bytes(path, b"new" * 1000)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_parent_that_is_a_file_is_a_write_error(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(WriteError):
        write_bytes(tmp_path / "a" / "b.png", b"new")


def test_the_longest_name_can_be_written(tmp_path: Path):
    path = tmp_path / ("a" * 251 + ".png")
    write_bytes(path, b"x")
    assert path.read_bytes() == b"x"


def test_json_keeps_words_of_any_language(tmp_path: Path):
    path = tmp_path / "a.json"
    value = {"Käfig": ["猫", 1.5, None]}
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[" * 100_000, "\udcff\udcfe"])
def test_damaged_json_is_named(tmp_path: Path, text: str):
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInput, match=r"a\.json is damaged"):
        read_json(path)


def test_json_that_is_too_large_is_not_read(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps("x" * 100))
    with pytest.raises(BadInput, match="larger than"):
        read_json(path, limit=50)


def test_json_that_is_missing_or_a_folder_is_named(tmp_path: Path):
    for path in (tmp_path / "gone.json", tmp_path):
        with pytest.raises(BadInput, match="Cannot read"):
            read_json(path)


def test_a_folder_without_write_bits_is_read_only_for_everyone(tmp_path: Path):
    folder = tmp_path / "a"
    folder.mkdir()
    assert is_writable(folder)
    folder.chmod(0o555)
    assert not is_writable(folder)
    assert not is_writable(tmp_path / "gone")


def test_the_hash_is_sha256():
    assert sha256(b"abc").startswith("ba7816bf8f01cfea")
