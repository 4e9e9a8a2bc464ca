"""Oxford-IIIT Pet (Parkhi, Vedaldi, Zisserman, Jawahar: Cats and Dogs, CVPR 2012), all of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from core.errors import BadInput
from core.fetching.download import Remote, check, download, require_web_address
from core.fetching.unpack import unpack
from core.files import WriteError
from core.project.layout import find_layout, find_masks, list_images, official_split

SOURCE = "https://www.robots.ox.ac.uk/~vgg/data/pets/data"
"""The published address; it leads to wherever the archives lie at the time."""

LICENCE = "CC BY-SA 4.0; the photos' owners keep their copyright (annotations/README)"

_AT_WORK = ".fetching"
_UNPACKING = "unpacking"


@dataclass(frozen=True)
class Archive:
    """One of the data set's archives, which holds one folder.

    size: exact, bytes; wanted: the files that belong to the data set; most_bytes: what it may
    unpack to, and the disk space that is asked for.
    """

    name: str
    size: int
    sha256: str
    folder: str
    wanted: re.Pattern[str]
    most_bytes: int


# The makers' computers left other files in the archives: ._*.png (macOS), some .mat.
ARCHIVES = (
    Archive(
        "annotations.tar.gz",
        19_173_078,
        "52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91",
        "annotations",
        re.compile(r"annotations/(README|\w+\.txt|trimaps/[\w-]+\.png|xmls/[\w-]+\.xml)", re.ASCII),
        200_000_000,
    ),
    Archive(
        "images.tar.gz",
        791_918_971,
        "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d",
        "images",
        re.compile(r"images/[\w-]+\.jpg", re.ASCII),
        1_000_000_000,
    ),
)


@dataclass(frozen=True)
class Step:
    """How far a fetch is: what it does, bytes done of bytes."""

    title: str
    done: int
    total: int


def is_complete(folder: Path) -> bool:
    """Whether a folder holds the data set: every photo of both official lists, with its trimap."""
    if not folder.is_dir() or (folder / _AT_WORK).exists():
        return False
    layout = find_layout(folder)
    listed = official_split(layout)
    masked = {PurePosixPath(name).stem for name in find_masks(layout, list_images(layout))}
    return set(listed.values()) == {"trainval", "test"} and listed.keys() <= masked


def fetch(
    folder: Path, source: str = SOURCE, archives: Sequence[Archive] = ARCHIVES
) -> Iterator[Step]:
    """Download the data set's archives into a new or empty folder, and unpack them there.

    All happens in a folder inside it, which goes when all is done; ``images`` and ``annotations``
    appear whole. Whatever ends it, the same call goes on from there. Raises BadInput (the folder
    holds other files, another fetch is at work, an archive is not what it should be), PetSegError
    (connection, checksum), WriteError (also: not enough space).
    """
    require_web_address(source)
    work = folder / _AT_WORK
    if not work.is_dir():
        _require_empty(folder)
    _require_space(folder, archives)
    with _alone(work):
        for archive in archives:
            if not _is_unpacked(archive, folder):
                yield from _bring(archive, f"{source.rstrip('/')}/{archive.name}", work)
        for archive in archives:
            if not (folder / archive.folder).exists():
                _move(work / archive.folder, folder / archive.folder)
    shutil.rmtree(work)


def _bring(archive: Archive, url: str, work: Path) -> Iterator[Step]:
    """Download and unpack one archive: its folder then stands in ``work``, whole."""
    file, unpacking = work / archive.name, work / _UNPACKING
    remote = Remote(url, archive.size, archive.sha256)
    for done in download(remote, file):
        yield Step(f"Downloading {archive.name}", done, archive.size)
    for done in check(remote, file):
        yield Step(f"Checking {archive.name}", done, archive.size)
    if unpacking.exists():
        shutil.rmtree(unpacking)
    for done in unpack(file, unpacking, archive.wanted, archive.most_bytes):
        yield Step(f"Unpacking {archive.name}", done, archive.size)
    if not (unpacking / archive.folder).is_dir():
        raise BadInput(f"{archive.name} holds no {archive.folder}/: it is another archive.")
    _move(unpacking / archive.folder, work / archive.folder)
    file.unlink()


def _move(old: Path, new: Path) -> None:
    try:
        os.rename(old, new)
    except OSError as error:
        raise WriteError(
            f"Cannot move {old} to {new}: {error.strerror or error}. Run the same command again."
        ) from error


def _is_unpacked(archive: Archive, folder: Path) -> bool:
    return any((f / archive.folder).exists() for f in (folder, folder / _AT_WORK))


def _require_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; name a new folder for the data set.")
    found = sorted(os.listdir(folder)) if folder.is_dir() else []
    if found:
        raise BadInput(f"{folder} holds other files ({found[0]}); name a new folder.")


def _require_space(folder: Path, archives: Sequence[Archive]) -> None:
    """Raises WriteError where what is still to come would not fit."""
    needed = 0
    for archive in archives:
        if not _is_unpacked(archive, folder):
            part = folder / _AT_WORK / archive.name
            needed += archive.size - (part.stat().st_size if part.exists() else 0)
            needed += archive.most_bytes
    standing = next(f for f in (folder.absolute(), *folder.absolute().parents) if f.is_dir())
    free = shutil.disk_usage(standing).free
    if free < needed:
        raise WriteError(
            f"Not enough space in {standing}: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} "
            "GB are free. Free some, or name a folder on another disk."
        )


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """The folder to work in, made where missing, for one process at a time."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work / "lock").acquire(timeout=0)
    except Timeout as error:
        raise BadInput(f"Another petseg fetch is at work in {work.parent}.") from error
    except OSError as error:
        raise WriteError(
            f"Cannot write to {work.parent}: {error.strerror or error}. Name another folder."
        ) from error
    with lock:
        yield
