"""Ledgers: what many processes have noted is found by all, whatever a crash cut off."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from core.batch import ledger as ledger_module
from core.batch.ledger import Ledger, claim, differences, standing
from core.errors import BadInput
from core.files import WriteError


def test_what_one_process_notes_all_others_find(tmp_path: Path):
    with Ledger(tmp_path / "book") as one, Ledger(tmp_path / "book") as other:
        one.append("a", {"n": 1})
        other.append("b-\udcff", {"n": 2})
        index = one.look()
        other.append("c", {"n": 3})
        assert index.find("c") is None
        index = one.look()
        found = {key: one.read(index.find(key) or 0)["n"] for key in ("a", "b-\udcff", "c")}
        assert found == {"a": 1, "b-\udcff": 2, "c": 3}
        assert index.find("d") is None


def test_of_one_item_the_settled_row_counts(tmp_path: Path):
    with Ledger(tmp_path / "book") as first, Ledger(tmp_path / "book") as second:
        first.append("a", {"n": 1})
        for ledger in (first, second):
            ledger.append("a", {"n": 0}, settled=False)
            ledger.append("b", {"n": 0}, settled=False)
        index = second.look()
        assert index.settled("a")
        assert second.read(index.find("a") or 0)["n"] == 1
        assert index.find("b") is not None
        assert not index.settled("b")


def test_of_a_torn_line_nothing_is_seen(tmp_path: Path):
    with Ledger(tmp_path) as ledger:
        ledger.append("a", {"n": 1})
        ledger.append("b", {"n": 2})
    (file,) = tmp_path.glob("*.rows.jsonl")
    file.write_bytes(file.read_bytes()[:-5])
    with Ledger(tmp_path) as ledger:
        index = ledger.look()
        assert index.settled("a")
        assert index.find("b") is None
        ledger.append("b", {"n": 3})
        assert ledger.read(ledger.look().find("b") or 0)["n"] == 3


def test_lines_that_are_no_rows_harm_nobody(tmp_path: Path):
    (tmp_path / "x.rows.jsonl").write_text('[]\n{"key": 7}\n\0\n{"key": "a", "settled": 1}\n')
    with Ledger(tmp_path) as ledger:
        index = ledger.look()
        assert len(index.keys) == 1
        assert not index.settled("a")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is full")
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_path: Path, _mode: str) -> BinaryIO:
        return Path("/dev/full").open("wb")

    monkeypatch.setattr(ledger_module, "open", full, raising=False)
    with pytest.raises(WriteError, match="Free some space"), Ledger(tmp_path) as ledger:
        ledger.append("a", {"n": 1})


def test_without_a_folder_it_is_gone_with_its_process(tmp_path: Path):
    with Ledger() as ledger:
        assert ledger.look().find("a") is None
        ledger.append("a", {"n": 1})
        assert ledger.read(ledger.look().find("a") or 0)["n"] == 1
        ledger.append("b", {"n": 2})
        assert ledger.look().settled("b")


def test_the_first_job_keeps_the_folder(tmp_path: Path):
    book = tmp_path / "book"
    assert standing(book) is None
    assert claim(book, {"model": "a", "flip": False}) == {"model": "a", "flip": False}
    found = claim(book, {"model": "b", "flip": False})
    assert differences(found, {"model": "b", "flip": False}) == ["model: a, now b"]
    assert [p.name for p in book.iterdir()] == ["job.json"]
    (book / "job.json").write_text("[]")
    with pytest.raises(BadInput, match="is damaged"):
        standing(book)


def test_forgetting_leaves_nothing_done(tmp_path: Path):
    with Ledger(tmp_path) as ledger:
        claim(tmp_path, {"model": "a"})
        ledger.append("a", {})
        ledger.forget()
        assert standing(tmp_path) is None
        assert ledger.look().find("a") is None
        ledger.append("b", {})
        assert ledger.look().settled("b")
