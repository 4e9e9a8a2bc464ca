"""index.sqlite: what was measured of images, so that it is measured once. May be deleted.

Whatever is wrong with its file (damaged, of another version, not to be written), it works on in
memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

INDEX_NAME = "index.sqlite"
_VERSION = 1
_CHUNK = 2000
_HUGE = 2**53  # no true number of ours is as large
_TABLES = (
    """CREATE TABLE measured (
    name TEXT PRIMARY KEY, stamp TEXT NOT NULL, width INTEGER, height INTEGER, size INTEGER,
    modified REAL, disagreement REAL, object_share REAL, parts INTEGER, objects BLOB
) WITHOUT ROWID""",
    """CREATE TABLE seen (
    name TEXT PRIMARY KEY, stamp TEXT NOT NULL, photo BLOB NOT NULL, fingerprint TEXT NOT NULL
) WITHOUT ROWID""",
)


@dataclass(frozen=True)
class Measured:
    """What an image's files say, as in ``Facts``; stamp: tells whether they are the same still.

    size: of the photo's file, bytes. objects: the 8 x 8 cells of ``core.evaluation.useful.Look``,
    as bytes.
    """

    name: str
    stamp: str
    width: int | None = None
    height: int | None = None
    size: int | None = None
    modified: float | None = None
    disagreement: float | None = None
    object_share: float | None = None
    parts: int | None = None
    objects: bytes | None = None


@dataclass(frozen=True)
class Seen:
    """What a photo looks like: the cells of a ``Look`` as bytes, its fingerprint or None."""

    name: str
    stamp: str
    photo: bytes
    fingerprint: int | None


class Index:
    """What was measured of a folder's images. For one thread at a time, whichever it is.

    Its file is open only while it is used. problem: why it is not, and all is kept in memory
    instead; "" where it is.
    """

    def __init__(self, path: Path | None) -> None:
        """path: None keeps all in memory."""
        self.problem = ""
        self._path = path
        self._memory: sqlite3.Connection | None = None

    def measured(self) -> Iterator[list[Measured]]:
        """All that was measured, some thousand at a time; rows that make no sense are left out."""
        columns = ", ".join(Measured.__dataclass_fields__)
        with self._database() as database:
            cursor = database.execute(f"SELECT {columns} FROM measured")  # noqa: S608 - our names
            while rows := cursor.fetchmany(_CHUNK):
                yield [Measured(*row) for row in rows if _makes_sense(row)]

    def objects(self, name: str) -> bytes | None:
        """The cells of an image's objects, as they were measured last."""
        row = None
        with self._database() as database:
            row = database.execute(
                "SELECT objects FROM measured WHERE name = ?", (name,)
            ).fetchone()
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def keep(self, measured: Iterable[Measured]) -> None:
        """Keep these for the next time."""
        self._write(
            "INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [tuple(vars(one).values()) for one in measured],
        )

    def forget(self, names: Iterable[str]) -> None:
        """Forget images that are gone."""
        gone = [(name,) for name in names]
        self._write("DELETE FROM measured WHERE name = ?", gone)
        self._write("DELETE FROM seen WHERE name = ?", gone)

    def seen(self, name: str, stamp: str) -> Seen | None:
        """What a photo looked like when its file had this stamp."""
        row = None
        with self._database() as database:
            row = database.execute(
                "SELECT photo, fingerprint FROM seen WHERE name = ? AND stamp = ?", (name, stamp)
            ).fetchone()
        if row is None or not isinstance(row[0], bytes):
            return None
        with suppress(TypeError, ValueError):
            return Seen(name, stamp, row[0], int(row[1], 16) if row[1] else None)
        return None

    def keep_seen(self, seen: Seen) -> None:
        """Keep what a photo looks like."""
        # As text: SQLite's integers have a sign, and these have all 64 bits.
        number = "" if seen.fingerprint is None else format(seen.fingerprint, "x")
        self._write(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)",
            [(seen.name, seen.stamp, seen.photo, number)],
        )

    def close(self) -> None:
        """Forget what is kept in memory."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._database() as database, database:
            database.executemany(statement, rows)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The file's database, or that in memory where the file cannot be used.

        What goes wrong inside the ``with`` leaves the work undone: it is a cache.
        """
        database = self._on_disk()
        if database is None:
            if self._memory is None:
                self._memory = _with_tables(_connect(":memory:"))
            yield self._memory
            return
        try:
            yield database
        except sqlite3.Error as error:
            self._give_up(error)
        finally:
            database.close()

    def _on_disk(self) -> sqlite3.Connection | None:
        if self._path is None:
            return None
        try:
            return _opened(self._path)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        self.problem = f"{self._path} cannot be used ({error}): what it would hold is made anew."
        if _is_damage(error) and self._path is not None:
            with suppress(OSError):
                self._path.unlink()
        self._path = None


def _is_damage(error: Exception) -> bool:
    """Whether it lies in what the file holds, rather than in how it can be opened or written."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.OperationalError
    )


def _opened(path: Path) -> sqlite3.Connection:
    """A database with our tables alone; one that is damaged, or any other, is made anew.

    Raises OSError, sqlite3.Error.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = _connect(path)
    try:
        database.execute("PRAGMA synchronous = OFF")  # what a crash takes is made anew
        (version,) = database.execute("PRAGMA user_version").fetchone()
        # Word for word, and nothing else: a stranger's view or trigger could run for ever.
        tables = database.execute("SELECT sql FROM sqlite_master ORDER BY rowid")
        if version == _VERSION and tuple(sql for (sql,) in tables) == _TABLES:
            return database
    except sqlite3.Error as error:
        database.close()
        if not _is_damage(error):
            raise  # another file would fare no better
    database.close()
    path.unlink(missing_ok=True)
    return _with_tables(_connect(path))


def _connect(path: Path | str) -> sqlite3.Connection:
    # The window's threads take turns with it.
    return sqlite3.connect(path, timeout=1, check_same_thread=False)


def _with_tables(database: sqlite3.Connection) -> sqlite3.Connection:
    database.executescript(f"{'; '.join(_TABLES)}; PRAGMA user_version = {_VERSION};")
    return database


def _makes_sense(row: tuple[object, ...]) -> bool:
    """Whether a row holds what ``Measured`` does: the file may be anyone's."""
    name, stamp, *numbers, objects = row
    return (
        isinstance(name, str)
        and isinstance(stamp, str)
        and all(n is None or (isinstance(n, int | float) and abs(n) < _HUGE) for n in numbers)
        and (objects is None or isinstance(objects, bytes))
    )
