"""Which image of a folder annotations are of: by their path, else by their name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from core.labels import listed
from core.project.layout import MASK_SUFFIXES

_ROOT = re.compile(r"^([A-Za-z]:)?/+|^[A-Za-z]:")


@dataclass
class Matches:
    """found: image -> position of its annotations. missing: annotations without an image here.

    refused: what the annotations call an image -> why it is taken for none.
    """

    found: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


class Matcher:
    """Looks annotated images up among a folder's, by ever less of their paths; case counts last."""

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = set(names)
        self._paths = _grouped(names, str.casefold)
        self._stems = _grouped(names, lambda name: _stem(name).casefold())
        self._files = _grouped(names, lambda name: _file(name).casefold())
        self._file_stems = _grouped(names, lambda name: _file(_stem(name)).casefold())

    def candidates(self, annotated: str) -> tuple[int, list[str]]:
        """How surely (0: by the whole path) an image is meant, and the images it may be."""
        if annotated in self._exact:
            return 0, [annotated]
        path = annotated.casefold()
        stem, file = _stem(path), _file(path)
        steps = [
            (self._paths, [path, stem]),  # a mask of a.jpg may be called a.jpg.png
            (self._stems, _without_suffixes(stem)),
            (self._files, [file, _file(stem)]),
            (self._file_stems, _without_suffixes(_file(stem))),
        ]
        for number, (index, keys) in enumerate(steps, 1):
            for key in keys:
                if key in index:
                    return number, _nearest(path, index[key])
        return len(steps), []


def match(names: Sequence[str], annotated: Iterable[str]) -> Matches:
    """Find the image of each annotation.

    Refused: two annotations of one image (the one that names it better is taken), those that could
    be of two images, and those whose path climbs out of the folder.
    """
    matcher, matches = Matcher(names), Matches()
    claims: dict[str, list[tuple[int, int, str]]] = {}
    for position, written in enumerate(annotated):
        path = _plain(written)
        if path is None:
            matches.refused[written] = "its path climbs out of the folder"
            continue
        surety, found = matcher.candidates(path)
        if len(found) > 1:
            matches.refused[written] = f"could be any of {listed(found)}"
        elif found:
            claims.setdefault(found[0], []).append((surety, position, written))
        else:
            matches.missing.append(written)
    for name, claimed in claims.items():
        claimed.sort()
        best = [claim for claim in claimed if claim[0] == claimed[0][0]]
        if len(best) == 1:
            matches.found[name] = best[0][1]
        for _, _, written in claimed[1:] if len(best) == 1 else claimed:
            others = listed(other for _, _, other in claimed if other != written)
            why = f"{others} is of the same image ({name})" if others else f"{name} appears twice"
            matches.refused[written] = why
    return matches


def _plain(written: str) -> str | None:
    """A path with /, without its root: whole paths are those of the computer that wrote them.

    None where it climbs out of the folder. No file is ever opened by it.
    """
    path = _ROOT.sub("", written.replace("\\", "/"))
    parts = PurePosixPath(path).parts
    return None if ".." in parts else "/".join(parts)


def _grouped(names: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return groups


def _without_suffixes(stem: str) -> list[str]:
    return [stem.removesuffix(suffix) for suffix in MASK_SUFFIXES]


def _nearest(path: str, candidates: list[str]) -> list[str]:
    """Those of several images whose path ends as the annotation's, or the other way round."""
    if len(candidates) == 1:
        return candidates
    stem = "/" + _stem(path)
    here = {name: "/" + _stem(name.casefold()) for name in candidates}
    near = [name for name in candidates if stem.endswith(here[name])]
    if near:  # of a.jpg and sub/a.jpg the one that is more of the path
        longest = max(len(here[name]) for name in near)
        near = [name for name in near if len(here[name]) == longest]
    else:
        near = [name for name in candidates if here[name].endswith(stem)]
    return near if len(near) == 1 else candidates


def _stem(name: str) -> str:
    start, dot = name.rfind("/") + 1, name.rfind(".")
    return name[:dot] if dot > start else name


def _file(name: str) -> str:
    return name[name.rfind("/") + 1 :]
