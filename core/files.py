"""Writing files so that a crash or a full disk never leaves half of one."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import platformdirs

from core.errors import BadInput, PetSegError

# Of temporary files: hidden, and short whatever the name of the file that they become.
_PREFIX, _SUFFIX = ".petseg-", ".tmp"
_ONE_BY_ONE = Lock()


class WriteError(PetSegError):
    """A file could not be written; what stood there before is untouched."""


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically: temporary file in the same folder, flush, replace.

    Raises WriteError (disk full, no permission); the old file then still stands.
    """
    write_together({path: data})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files: all are on the disk before the first old one is replaced.

    Raises WriteError; the old files then still stand.
    """
    temporary: dict[Path, Path] = {}
    try:
        for path, data in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=path.parent)
            temporary[path] = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o666 & ~_umask())
        for path in contents:
            os.replace(temporary[path], path)
            del temporary[path]
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        for left in temporary.values():
            left.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece, as atomically as ``write_bytes``: for what is too large.

    Where the block raises, nothing has changed. Raises WriteError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error


def sweep(folder: Path, seconds: float = 3600.0) -> None:
    """Remove what killed processes left below a folder: temporary files older than ``seconds``."""
    for here, _, names in os.walk(folder):
        for name in names:
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
                path = Path(here, name)
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > seconds:
                        path.unlink()


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically. Raises WriteError."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path: Path, limit: int = 64 * 2**20) -> Any:
    """Read a JSON file of at most ``limit`` bytes. Raises BadInput naming the file."""
    try:
        if path.stat().st_size > limit:
            raise BadInput(f"{path} is larger than {limit // 2**20} MB: not a file of PetSeg.")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is damaged (not JSON: {error}).") from error


def unused(path: Path, suffix: str = "") -> Path:
    """The path with the suffix, and a number before that where something is there already."""
    candidate, number = path.with_name(path.name + suffix), 2
    while candidate.exists():
        candidate, number = path.with_name(f"{path.name}-{number}{suffix}"), number + 1
    return candidate


def file_stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change (ns) of a file: another one tells that it was replaced.

    None where it is not there, or cannot be looked at.
    """
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def sha256(data: bytes) -> str:
    """Hex SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def is_writable(folder: Path) -> bool:
    """Whether new files may be made in ``folder``.

    A folder without any write bit counts as read-only for the superuser too: who took the
    bits away meant it.
    """
    try:
        return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def can_be_made(folder: Path) -> bool:
    """Whether a folder can be written to, once it and its parents were made where missing."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return is_writable(folder)


def user_data_dir() -> Path:
    """This user's own PetSeg folder: downloaded weights, projects of read-only folders."""
    return Path(platformdirs.user_data_dir("petseg", appauthor=False))


def _cannot_write(path: Path, error: OSError) -> WriteError:
    return WriteError(
        f"Cannot write {path}: {error.strerror or error}. "
        "Free some space or choose a folder you may write to; nothing was overwritten."
    )


def user_cache_dir() -> Path:
    """This user's PetSeg folder for what can be made anew at any time."""
    return Path(platformdirs.user_cache_dir("petseg", appauthor=False))


def _umask() -> int:
    # It can only be read by setting it, for all threads: two at once would leave it at 0.
    with _ONE_BY_ONE:
        mask = os.umask(0o022)
        os.umask(mask)
    return mask
