"""Unpacking a .tar.gz from elsewhere: what is wanted of it, inside its folder, within limits."""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import BadInput
from core.files import WriteError

MOST_MEMBERS = 50_000
_MOST_AT_ONCE = 1 << 20  # bytes; headers are shorter, whatever they claim
_CHUNK = 1 << 18
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, RecursionError)


def unpack(archive: Path, into: Path, wanted: re.Pattern[str], most_bytes: int) -> Iterator[int]:
    """Write the files of an archive whose whole names match ``wanted`` below a new folder.

    Yields the bytes of the archive that were read, after each member. ``wanted`` decides what
    names may come to stand on the disk; links, devices and names that lead out of the folder
    condemn the whole archive. So does unpacking to more than ``most_bytes``, or MOST_MEMBERS.
    Raises BadInput, WriteError; what was written until then is the caller's to remove.
    """
    try:
        with (
            open(archive, "rb") as file,
            _Guarded(archive.name, file, most_bytes) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r:") as members,
        ):
            for number, member in enumerate(members, 1):
                _require_harmless(archive.name, member)
                if number > MOST_MEMBERS:
                    raise BadInput(f"{archive.name} holds more than {MOST_MEMBERS:,} files.")
                name = PurePosixPath(member.name).as_posix()
                content = members.extractfile(member)
                if content is not None and wanted.fullmatch(name):
                    _write(content, into / name)
                yield file.tell()
    except _DAMAGE as error:
        raise BadInput(f"{archive.name} is damaged ({error}).") from error


class _Guarded(gzip.GzipFile):
    """Unpacks no more than it may, and little at once: a header can claim any length."""

    def __init__(self, name: str, file: IO[bytes], most: int) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._title, self._most = name, most

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MOST_AT_ONCE:
            raise BadInput(f"{self._title} is damaged (a header that is too long).")
        self._require_within(self.tell() + size)
        return super().read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._require_within(offset)
        return super().seek(offset, whence)

    def _require_within(self, end: int) -> None:
        if end > self._most:
            raise BadInput(f"{self._title} unpacks to more than {self._most / 1e6:,.0f} MB.")


def _require_harmless(archive: str, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    plain = (member.isfile() and not member.issparse()) or member.isdir()
    if not plain or path.is_absolute() or ".." in path.parts or member.size < 0:
        raise BadInput(
            f"{archive} is no archive of photos: {member.name[:200]!a} is a link, a device "
            "or leads out of its folder."
        )


def _write(content: IO[bytes], path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
    except gzip.BadGzipFile:
        raise
    except FileExistsError as error:
        raise BadInput(f"The archive holds {path.name}, or its folder, twice.") from error
    except OSError as error:
        raise WriteError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Free some space and run the same command again: it goes on from here."
        ) from error
