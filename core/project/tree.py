"""The folders below a folder and what they hold, read in the order in which people count.

A folder is read again only where its time of change is another one, so that looking whether a
hundred thousand files are the same still costs one look at each folder.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from errno import EACCES
from pathlib import Path

Pick = Callable[[list[str], list[str]], Iterable[str]]
"""(a folder's files, its folders) -> its entries that count, in order; folders end with /."""

_CHUNK = 8000
_SETTLED_NS = 3_000_000_000
_READABLE = 0o444
_NUMBER = re.compile(r"([0-9]+)")
# Where digits come, and by how many. No character of two bytes: those sort slowly. No slash.
_COUNTED = [f"0{chr(n)}" for n in range(1, 300) if chr(n) != "/"]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it was read. entries: what counts of it, in order; folders end with /.

    links: those of the folders that are links. stamp: other once its entries are; None where that
    cannot be told, and it is to be read again. problem: why it could not be read, "" where it was.
    """

    entries: tuple[str, ...] = ()
    links: frozenset[str] = frozenset()
    stamp: tuple[int, int, int] | None = None
    problem: str = ""


@dataclass(frozen=True)
class Tree:
    """The folders below ``root``, by their path from there ("" for itself, else with / behind).

    names: all files that count, in order, as paths from ``root``. problems: the folders that could
    not be read, and why.
    """

    root: str
    folders: Mapping[str, Folder]
    names: list[str]
    problems: tuple[str, ...]

    def is_current(self, alive: Callable[[], None] = lambda: None) -> bool:
        """Whether every folder is as it was when it was read. Takes one look at each.

        alive: is called before each look.
        """
        for at, folder in self.folders.items():
            alive()
            if folder.stamp is None or folder.stamp != _stamp(os.path.join(self.root, at)):
                return False
        return True


def read_tree(
    root: Path,
    pick: Pick,
    *,
    skip: str = "",
    before: Tree | None = None,
    told: Callable[[list[str]], None] = lambda names: None,
    alive: Callable[[], None] = lambda: None,
) -> Tree:
    """Read the folders below a folder. Hidden ones are left out; one that is not there is empty.

    A link to a folder elsewhere is followed, each folder once; one that leads back into ``root``
    is not: what it shows is listed where it is. skip: a folder that is left out, with / behind.
    before: what was read earlier: it is returned where nothing has changed, else what has is read
    anew; folders that cannot be read any more stay as they were. told: is given the names as they
    are found, in order. alive: is called before each folder; what it raises ends it.
    """
    if before is not None and before.is_current(alive):
        return before
    folders: dict[str, Folder] = {}
    names: list[str] = []
    known = {} if before is None else before.folders
    for run in _walk(str(root), pick, skip, known, folders, alive):
        names += run
        told(run)
    problems = [
        f"{at.rstrip('/') or root}: {folder.problem}"
        for at, folder in folders.items()
        if folder.problem
    ]
    return Tree(str(root), folders, names, tuple(problems))


def in_order(files: Iterable[str], folders: Iterable[str] = ()) -> list[str]:
    """A folder's files and its folders, these with / behind, as people count: a2 before a10."""
    keyed = _keyed(list(files)) + _keyed(list(folders), "/")
    return [text.partition("\0")[2] for text in _sorted(keyed)]


def _keyed(names: list[str], behind: str = "") -> list[str]:
    """Each name after the text to sort it by; no name has the character 0."""
    found: list[str] = []
    for start in range(0, len(names), _CHUNK):
        some = names[start : start + _CHUNK]
        # As one text: a call for each of a hundred thousand names takes as long again.
        parts = _NUMBER.split("/".join(some).casefold())
        parts[1::2] = map(_number_key, parts[1::2])
        keys = zip("".join(parts).split("/"), some, strict=True)
        found += [f"{key}{behind}\0{name}{behind}" for key, name in keys]
    return found


def _number_key(digits: str) -> str:
    plain = digits.lstrip("0")
    return _COUNTED[len(plain)] + plain


def _sorted(keyed: list[str]) -> list[str]:
    # Sorting stops all other threads. Stretches that are sorted already are merged in no time.
    stretches = (sorted(keyed[i : i + _CHUNK]) for i in range(0, len(keyed), _CHUNK))
    return sorted(text for stretch in stretches for text in stretch)


@dataclass(slots=True)
class _Level:
    """A folder that is being gone through. real: its true path, "" where that is ``at``'s."""

    at: str
    rest: Iterator[str]
    links: frozenset[str]
    real: str
    stamp: tuple[int, int, int] | None


def _walk(
    root: str,
    pick: Pick,
    skip: str,
    known: Mapping[str, Folder],
    folders: dict[str, Folder],
    alive: Callable[[], None],
) -> Iterator[list[str]]:
    """Stretches of names in order; ``folders`` is filled."""
    top = os.path.realpath(root)
    linked: set[str] = set()  # true paths of folders outside that were entered
    levels: list[_Level] = []

    def enter(at: str, real: str) -> None:
        alive()
        path = os.path.join(root, at)
        stamp = _stamp(path)
        if stamp is not None and stamp[1] and any(level.stamp == stamp for level in levels):
            return  # a loop by other means than links
        folder = folders[at] = _read(path, stamp, pick, known.get(at))
        levels.append(_Level(at, iter(folder.entries), folder.links, real, stamp))

    enter("", "")
    while levels:
        level = levels[-1]
        run: list[str] = []
        for entry in level.rest:
            if not entry.endswith("/"):
                run.append(level.at + entry)
                continue
            at, real = level.at + entry, ""
            if at == skip:
                continue
            if entry in level.links or level.real:
                real = os.path.realpath(os.path.join(root, at))
                if real in linked or os.path.join(real, "").startswith(os.path.join(top, "")):
                    continue
                linked.add(real)
            enter(at, real)
            break
        else:
            levels.pop()
        if run:
            yield run


def _read(
    path: str, stamp: tuple[int, int, int] | None, pick: Pick, before: Folder | None
) -> Folder:
    """A folder's entries; as they were where it has not changed, or cannot be read any more."""
    if before is not None and stamp is not None and before.stamp == stamp:
        return before
    try:
        # Who took the bits away meant it, for the superuser too.
        if not os.stat(path).st_mode & _READABLE:
            raise PermissionError(EACCES, os.strerror(EACCES))
        files, below, links = _entries(path)
    except (FileNotFoundError, NotADirectoryError):
        return Folder()
    except OSError as error:
        kept = Folder() if before is None else before
        return Folder(kept.entries, kept.links, None, error.strerror or str(error))
    entries = tuple(pick(files, below))
    # What changes again in the same tick of the disk's clock would not be noticed.
    settled = stamp is not None and time.time_ns() - stamp[2] > _SETTLED_NS
    return Folder(entries, frozenset(links), stamp if settled else None)


def _entries(path: str) -> tuple[list[str], list[str], list[str]]:
    """Names of files, of folders, and of those (with / behind) that are links. Raises OSError."""
    files: list[str] = []
    folders: list[str] = []
    links: list[str] = []
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:
                is_folder = False  # a link that leads round in circles
            if is_folder:
                folders.append(name)
                if entry.is_symlink():
                    links.append(name + "/")
            else:
                files.append(name)
    return files, folders, links


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_dev, state.st_ino, state.st_mtime_ns
