"""Thumbnails kept on disk, in this user's cache folder: never among the photos.

One database of bounded size; what was not looked at for the longest time goes first. Whatever is
wrong with it (damaged, not to be written, a full disk), thumbnails are made anew from the photos.
"""

from __future__ import annotations

import io
import os
import sqlite3
import time
import zlib
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import numpy as np
from PIL import Image

from core.files import file_stamp, user_cache_dir
from core.images import encode_jpeg, read_thumbnail

LIMIT = 256 * 2**20
"""Bytes on disk."""

_TABLES = (
    """CREATE TABLE thumbnails (
    key BLOB PRIMARY KEY, stamp TEXT NOT NULL, picture BLOB NOT NULL, sum INTEGER NOT NULL,
    used INTEGER NOT NULL
)""",
    "CREATE INDEX by_use ON thumbnails (used)",
)
_VERSION = 1
_QUALITY = 90
_KEPT_BACK = 64  # thumbnails that are written together
_HOUR = 3600  # seconds: how exactly it is known when one was used
_LEFT = 0.9  # of the limit, once it was reached
_DECODING_ERRORS = (OSError, SyntaxError, ValueError, EOFError)


def cache_file() -> Path:
    """Where thumbnails are kept."""
    return user_cache_dir() / "thumbnails.sqlite"


class ThumbnailCache:
    """Reads thumbnails, from the disk where it can. For one thread at a time, whichever it is."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        """limit: bytes that the file may have."""
        self.problem = ""
        """Why nothing is kept on disk; "" where it is."""
        self._path = path
        self._limit = limit
        self._database: sqlite3.Connection | None = None
        self._new: dict[bytes, tuple[str, bytes]] = {}
        self._used: set[bytes] = set()

    def read(self, photo: Path, size: int) -> np.ndarray:
        """As ``core.images.read_thumbnail``. Raises ImageError."""
        stamp = str(file_stamp(photo))
        text = f"{size} {photo}".encode(errors="surrogateescape")
        key = blake2b(text, digest_size=16).digest()
        pixels = self._kept(key, stamp, size)
        if pixels is None:
            pixels = read_thumbnail(photo, size)
            self._new[key] = stamp, encode_jpeg(pixels, _QUALITY)
            if len(self._new) >= _KEPT_BACK:
                self.flush()
        return pixels

    def flush(self) -> None:
        """Write what was made since the last time, and when others were used."""
        new, used, now = self._new, self._used, int(time.time())
        if not (new or used):
            return
        self._new, self._used = {}, set()
        rows = [(k, stamp, data, zlib.crc32(data), now) for k, (stamp, data) in new.items()]
        database = self._open()
        if database is None:
            return
        try:
            with database:
                database.executemany("INSERT OR REPLACE INTO thumbnails VALUES (?,?,?,?,?)", rows)
                database.executemany(
                    "UPDATE thumbnails SET used = ? WHERE key = ?", [(now, key) for key in used]
                )
                self._make_room(database)
        except sqlite3.Error as error:
            self._mend(error)

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        self.flush()
        self._let_go()

    def _kept(self, key: bytes, stamp: str, size: int) -> np.ndarray | None:
        """A thumbnail that was kept and is whole, of the photo as it is."""
        waiting = self._new.get(key)
        if waiting is not None and waiting[0] == stamp:
            return _decoded(waiting[1], size)
        database = self._open()
        if database is None:
            return None
        try:
            row = database.execute(
                "SELECT stamp, picture, sum, used FROM thumbnails WHERE key = ?", (key,)
            ).fetchone()
        except sqlite3.Error as error:
            self._mend(error)
            return None
        if row is None or row[0] != stamp or not isinstance(row[1], bytes):
            return None
        if zlib.crc32(row[1]) != row[2]:
            return None  # damaged: made anew
        if not isinstance(row[3], int) or time.time() - row[3] > _HOUR:
            self._used.add(key)
        return _decoded(row[1], size)

    def _make_room(self, database: sqlite3.Connection) -> None:
        """Forget those that were not used for the longest time."""
        most = self._limit
        while (left := _bytes(database)) > most:
            most = int(self._limit * _LEFT)
            (rows,) = database.execute("SELECT count(*) FROM thumbnails").fetchone()
            if not rows:
                return
            many = max(1, int(rows * (1 - most / left)))
            database.execute(
                "DELETE FROM thumbnails WHERE key IN "
                "(SELECT key FROM thumbnails ORDER BY used, rowid LIMIT ?)",
                (many,),
            )

    def _open(self) -> sqlite3.Connection | None:
        if self._database is None and not self.problem:
            try:
                self._database = _opened(self._path)
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)
        return self._database

    def _mend(self, error: sqlite3.Error) -> None:
        """A damaged file is made anew; one that another window writes to is met again later."""
        if isinstance(error, sqlite3.OperationalError):
            if "locked" not in str(error):
                self._give_up(error)
            return
        self._let_go()
        with suppress(OSError):
            self._path.unlink()

    def _give_up(self, error: Exception) -> None:
        self._let_go()
        self.problem = f"Thumbnails are not kept: {self._path} cannot be used ({error})."

    def _let_go(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _decoded(picture: bytes, size: int) -> np.ndarray | None:
    try:
        with Image.open(io.BytesIO(picture), formats=["JPEG"]) as image:
            return np.asarray(image.convert("RGB")) if max(image.size) <= size else None
    except _DECODING_ERRORS:
        return None


def _bytes(database: sqlite3.Connection) -> int:
    """What is in use of the file; what is free in it is taken before it grows."""
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (free,) = database.execute("PRAGMA freelist_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def _opened(path: Path) -> sqlite3.Connection:
    """A database with our tables alone; any other is made anew. Raises OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        database = sqlite3.connect(path, timeout=1, check_same_thread=False)
        try:
            database.execute("PRAGMA synchronous = OFF")  # what a crash takes is made anew
            (version,) = database.execute("PRAGMA user_version").fetchone()
            found = database.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
            )
            if version == _VERSION and tuple(sql for (sql,) in found) == _TABLES:
                return database
            if not version and os.path.getsize(path) == 0:
                database.executescript(f"{'; '.join(_TABLES)}; PRAGMA user_version = {_VERSION};")
                return database
        except sqlite3.OperationalError:
            database.close()
            raise
        except sqlite3.DatabaseError:
            pass  # damaged
        database.close()
        path.unlink(missing_ok=True)
    raise sqlite3.OperationalError("it cannot be made")
