"""The journal: whatever was appended comes back, whatever was torn or forged does no harm."""

from __future__ import annotations

import errno
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.editing.history import TILE, History, Step, compare
from core.files import WriteError
from core.project.journal import (
    MAGIC,
    Journal,
    JournalError,
    Start,
    read_contents,
    replay,
    set_aside,
)

HEIGHT, WIDTH = 40, 60
START = Start("a.png", WIDTH, HEIGHT, "0" * 64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "a.png.journal"


def journal_at(path: Path) -> Journal:
    path.parent.mkdir(parents=True, exist_ok=True)
    return Journal(path, path.parent)


def blank() -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def steps(seed: int, number: int) -> list[tuple[Step, np.ndarray]]:
    """Edits, undos and redos of noisy boxes, each with the mask that it leaves."""
    rng = np.random.default_rng(seed)
    mask, history = blank(), History()
    found: list[tuple[Step, np.ndarray]] = []
    told: list[Step] = []
    history.on_step = told.append
    while len(found) < number:
        wish = rng.integers(4)
        if wish == 0 and history.can_undo:
            history.undo(mask)
        elif wish == 1 and history.can_redo:
            history.redo(mask)
        else:
            after = mask.copy()
            x, y = rng.integers(WIDTH), rng.integers(HEIGHT)
            part = after[y : y + 9, x : x + 9]
            part[:] = rng.integers(0, 4, part.shape)
            edit = compare(mask, after, "Brush")
            if edit is None:
                continue
            mask[:] = after
            history.push(edit)
        found.append((told[-1], mask.copy()))
    return found


def write(path: Path, made: list[tuple[Step, np.ndarray]], start: Start = START) -> Journal:
    journal = journal_at(path)
    for number, (step, _) in enumerate(made):
        journal.append(step.packed(), start if number == 0 else None)
    return journal


@given(seed=st.integers(0, 1000), number=st.integers(1, 12), data=st.data())
def test_replaying_all_of_it_onto_any_state_along_it_gives_the_last_one(
    tmp_path_factory: pytest.TempPathFactory, seed: int, number: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.journal"
    made = steps(seed, number)
    write(path, made)
    mask = data.draw(st.sampled_from([blank()] + [state for _, state in made])).copy()
    replay(path, mask)
    assert np.array_equal(mask, made[-1][1])
    assert read_contents(path).edits == number


@given(seed=st.integers(0, 1000), cut=st.integers(1, 400))
def test_a_journal_that_was_cut_anywhere_gives_a_state_that_there_was(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.journal"
    made = steps(seed, 6)
    write(path, made)
    path.write_bytes(path.read_bytes()[:-cut])
    mask = blank()
    try:
        contents = read_contents(path)
        replay(path, mask)
    except JournalError:
        assert cut > 100  # even the header is gone
        return
    assert not contents.cut_short
    states = [blank()] + [state for _, state in made]
    assert np.array_equal(mask, states[contents.edits])


@given(seed=st.integers(0, 100), at=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_changed_byte_is_an_error_or_an_earlier_state_never_another_mask(
    tmp_path_factory: pytest.TempPathFactory, seed: int, at: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.journal"
    made = steps(seed, 5)
    write(path, made)
    data = bytearray(path.read_bytes())
    data[at % len(data)] = value
    path.write_bytes(data)
    mask = blank()
    try:
        edits = read_contents(path).edits
        replay(path, mask)
    except JournalError:
        return
    states = [blank()] + [state for _, state in made]
    assert np.array_equal(mask, states[edits])


def test_damage_in_the_middle_is_told_from_a_torn_end(path: Path) -> None:
    made = steps(1, 5)
    write(path, made)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    assert read_contents(path).cut_short


def test_without_a_mask_file_the_journal_holds_the_whole_mask(path: Path) -> None:
    made = steps(2, 4)
    base = np.random.default_rng(0).integers(0, 4, (HEIGHT, WIDTH), dtype=np.uint8)
    write(path, made[:1], Start("a.png", WIDTH, HEIGHT, "", base))
    expected = base.copy()
    for (x0, y0, x1, y1), _ in made[0][0].packed():
        expected[y0:y1, x0:x1] = made[0][1][y0:y1, x0:x1]
    mask = np.full_like(base, 9)
    replay(path, mask)
    assert np.array_equal(mask, expected)
    assert read_contents(path).whole
    assert read_contents(path).masks == {""}


def test_the_mask_files_that_it_fits_are_the_first_and_those_that_were_saved(path: Path) -> None:
    journal = write(path, steps(3, 2))
    journal.saving("1" * 64)
    journal.append(steps(3, 1)[0][0].packed())
    assert read_contents(path).masks == {"0" * 64, "1" * 64}


def test_after_a_full_disk_it_begins_anew_with_the_whole_mask(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = steps(4, 3)
    journal = write(path, made[:1])
    journal.needs_start = False
    journal.saving("1" * 64)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(WriteError, match="No space left"):
            journal.append(made[1][0].packed())
    assert journal.needs_start
    with pytest.raises(WriteError, match="earlier edit"):
        journal.append(made[2][0].packed())  # the one before is missing: this alone would lie
    journal.append(made[2][0].packed(), Start("a.png", WIDTH, HEIGHT, "1" * 64, made[1][1]))
    mask = blank()
    replay(path, mask)
    assert np.array_equal(mask, made[2][1])
    assert read_contents(path).masks == {"0" * 64, "1" * 64}


def test_a_folder_that_is_gone_is_not_made_anew(path: Path) -> None:
    journal = Journal(path, path.parent / "images")
    with pytest.raises(WriteError, match="not there any more"):
        journal.append(steps(5, 1)[0][0].packed(), START)
    assert not path.parent.exists()


def test_a_journal_that_stands_there_already_is_kept_aside(path: Path) -> None:
    write(path, steps(6, 2))
    old = path.read_bytes()
    journal = write(path, steps(7, 1))
    assert path.with_name("a.png.journal.kept").read_bytes() == old
    journal.remove()
    assert not path.exists()
    write(path, steps(6, 1))
    set_aside(path)
    assert path.with_name("a.png.journal.kept-2").exists()


def _record(kind: bytes, payload: bytes) -> bytes:
    return struct.pack("<BII", kind[0], len(payload), zlib.crc32(payload)) + payload


def _edit(box: tuple[int, int, int, int], data: bytes) -> bytes:
    return _record(b"E", struct.pack("<IIIII", *box, len(data)) + data)


HEADER = _record(
    b"H", b'{"image": "a.png", "width": 60, "height": 40, "masks": [""], "whole": false}'
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n" * 50,
        MAGIC,
        MAGIC + _record(b"H", b"[" * 100_000),
        MAGIC + _record(b"H", b'{"image": "a.png"}'),
        MAGIC + _record(b"H", b'{"image": "a", "width": "x", "height": 1, "masks": 3, "whole": 1}'),
        MAGIC + HEADER + _edit((0, 0, WIDTH + 1, 1), b"\x01"),
        MAGIC + HEADER + _edit((5, 5, 5, 9), b"\x01"),
        MAGIC + HEADER + _edit((0, 0, 2**31, 2**31), b"\x01"),
        MAGIC + HEADER + _edit((0, 0, 5, 5), zlib.compress(b"\x01" * 24)),
        MAGIC + HEADER + _edit((0, 0, 5, 5), b"no zlib stream"),
        MAGIC + HEADER + _record(b"E", b"short"),
    ],
)
def test_a_foreign_or_forged_file_is_an_error(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(data)

    def read() -> None:
        read_contents(path)
        replay(path, blank())

    with pytest.raises(JournalError, match=r"a\.png\.journal"):
        read()


def test_a_few_bytes_cannot_set_a_whole_large_mask(path: Path) -> None:
    path.parent.mkdir(parents=True)
    large = np.zeros((TILE + 1, TILE + 1), np.uint8)
    path.write_bytes(MAGIC + HEADER + _edit((1, 1, TILE + 1, TILE + 1), b"\x01"))
    replay(path, large)
    assert large[1:, 1:].all()
    path.write_bytes(MAGIC + HEADER + _edit((0, 0, TILE + 1, 1), b"\x01"))
    with pytest.raises(JournalError, match="larger than a tile"):
        replay(path, large)


def test_a_record_longer_than_any_mask_is_not_even_read(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(MAGIC + HEADER + struct.pack("<BII", ord("E"), 3 << 30, 0))
    os.truncate(path, 4 << 30)  # holes: they take no room on the disk
    tracemalloc.start()
    try:
        assert read_contents(path).cut_short
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_takes_no_more_memory_than_its_box(path: Path) -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)
    path.parent.mkdir(parents=True)
    path.write_bytes(MAGIC + HEADER + _edit((0, 0, 5, 5), bomb))
    tracemalloc.start()
    try:
        replay(path, blank())
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
