"""The index: a cache that works on whatever is wrong with its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from core.project.index import Index, Measured, Seen

ROW = Measured("a.jpg", "s1", 4, 3, 1000, 9e8, 0.25, 0.5, 2, b"objects")
LOOK = Seen("a.jpg", "s1", b"photo", 2**64 - 1)


def _all(index):
    return [row for rows in index.measured() for row in rows]


def _works(index):
    index.keep([ROW])
    index.keep_seen(LOOK)
    assert _all(index) == [ROW]
    assert index.seen("a.jpg", "s1") == LOOK
    assert index.objects("a.jpg") == b"objects"


def test_what_is_kept_is_there_the_next_time(tmp_path):
    path = tmp_path / "store" / "index.sqlite"
    _works(Index(path))
    index = Index(path)
    assert _all(index) == [ROW]
    assert index.seen("a.jpg", "another") is None
    assert index.seen("b.jpg", "s1") is None
    index.forget(["a.jpg"])
    assert _all(index) == []
    assert index.seen("a.jpg", "s1") is None
    assert index.objects("a.jpg") is None


def test_a_damaged_file_is_made_anew(tmp_path):
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"no database at all" * 100)
    index = Index(path)
    _works(index)
    assert not index.problem
    assert _all(Index(path)) == [ROW]


def test_one_damaged_in_the_middle_is_made_anew(tmp_path):
    path = tmp_path / "index.sqlite"
    index = Index(path)
    index.keep(Measured(f"{i}.jpg", "s") for i in range(3000))
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    assert _all(index) == []
    _works(index)
    _works(Index(path))


@pytest.mark.parametrize("version", [0, 99])
def test_another_version_is_made_anew(tmp_path, version):
    path = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"CREATE TABLE measured (x); PRAGMA user_version = {version};")
    _works(Index(path))


COLUMNS = ", ".join(Measured.__dataclass_fields__)
MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9)"


@pytest.mark.parametrize(
    "hostile",
    [
        # Without its limit it would never end.
        f"DROP TABLE measured; CREATE VIEW measured ({COLUMNS}) AS {MANY} "
        "SELECT i, 's', 1, 1, 1, 1, 1, 1, 1, NULL FROM n;",
        "CREATE TRIGGER t AFTER INSERT ON measured BEGIN DELETE FROM seen; END;",
        "ALTER TABLE measured ADD COLUMN more AS (hex(zeroblob(9)));",
        "CREATE TABLE other (name UNIQUE);",
        "CREATE INDEX i ON measured (abs(width));",
    ],
)
def test_a_strangers_views_and_triggers_are_not_run(tmp_path, hostile):
    path = tmp_path / "index.sqlite"
    Index(path).keep([ROW])
    with closing(sqlite3.connect(path)) as database:
        database.executescript(hostile)
    index = Index(path)
    assert _all(index) == []
    _works(index)
    _works(Index(path))


def test_rows_that_make_no_sense_are_left_out(tmp_path):
    path = tmp_path / "index.sqlite"
    endless = Measured("d.jpg", "s", size=float("inf"))
    Index(path).keep([ROW, Measured("b.jpg", "s", width="wide"), Measured("c.jpg", 7), endless])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO seen VALUES ('x.jpg', 's', x'00', 'no number')")
    index = Index(path)
    assert [row.name for row in _all(index)] == ["a.jpg", "c.jpg"]  # SQLite makes 7 a text
    assert index.seen("x.jpg", "s") is None


def test_where_no_file_can_be_it_works_in_memory(tmp_path):
    (tmp_path / "file").touch()
    index = Index(tmp_path / "file" / "index.sqlite")
    _works(index)
    assert "file" in index.problem
    index.close()
    other = Index(None)
    _works(other)
    other.close()
