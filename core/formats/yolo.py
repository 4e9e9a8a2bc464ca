"""YOLO segmentation: data.yaml, and beside images/ a labels/ of one text file an image.

A line is a class's index and the polygon's x and y as shares of the image's width and height:
https://docs.ultralytics.com/datasets/segment/. No path that data.yaml names is followed: labels are
looked for in the folders that are called so.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
import yaml

from core.files import WriteError
from core.formats import limits
from core.formats.items import Item, WriteOptions
from core.formats.naming import SEAMED, VOID_LOST, Classes, left_out_notes, overlap_notes
from core.formats.photos import copy_photo, photo_name
from core.formats.polygons import fill, outlines, parts, seamed
from core.formats.source import Entry, FormatError, LazyEntries, ReadOptions, Size, Source
from core.labels import VOID, LabelScheme

_DESCRIPTIONS = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_CLASSES = "classes.txt"  # a name a line, as Label Studio writes it
_MOST_BYTES = 32_000_000  # of a label file
_MOST_YAML = 1_000_000
_BEYOND = 0.01  # of the image's size: as far as rounding takes a coordinate out of it
_SUBSETS = {"train": "train", "val": "val", "test": "test", "": "train"}


def detects(path: Path) -> bool:
    """Whether a folder has a data.yaml, or a file is one, with label files around it."""
    return (description := _description(path)) is not None and any(_label_files(description.parent))


def losses(scheme: LabelScheme, options: WriteOptions) -> list[str]:
    """What YOLO's label files cannot hold."""
    return [
        VOID_LOST,
        SEAMED,
        "Parts of one object become objects of their own.",
        "Colours of classes are lost.",
    ]


def read(path: Path, options: ReadOptions) -> Source:
    """Read the label files below a folder with a data.yaml.

    An empty label file is an image with nothing on it; one that holds boxes alone is none. Raises
    FormatError: no data.yaml or labels, a damaged data.yaml, too many images. What is wrong in a
    label file is raised where its image is read.
    """
    description = _description(path)
    if description is None:
        raise FormatError(f"{path}: no data.yaml or {_CLASSES} in it, which names the classes.")
    names = _class_names(description)
    root = description.parent
    labels = sorted(_label_files(root))
    if not labels:
        raise FormatError(f"{path}: no label file (.txt) in any folder called labels.")
    if len(labels) > limits.MOST_IMAGES:
        raise FormatError(f"{path}: more than {limits.MOST_IMAGES:,} label files.")
    left_out: Counter[str] = Counter()
    found = {name: _appearing(root / name, names, left_out) for name in labels}
    labels = [name for name in labels if found[name] is not None]
    appearing = [kinds for kinds in found.values() if kinds is not None]
    classes = Classes()
    used = sorted(frozenset().union(*set(appearing)))
    positions = {index: classes.position(names[index]) for index in used}
    photos = _Photos(root)

    def entry(number: int) -> Entry:
        name = photos.of(labels[number])
        reader = _Reader(root, labels[number], names, positions)
        there = frozenset(positions[index] for index in appearing[number]) - {VOID}
        return Entry(name, reader, classes=there)

    notes = left_out_notes(left_out) + overlap_notes(set(appearing))
    entries = LazyEntries(range(len(labels)), entry)
    return Source("yolo", path, classes.found, entries, tuple(notes))


def write(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """Write labels/, the lists train.txt, val.txt and test.txt, and data.yaml.

    A line a connected part and class, class 0 being the first that is not background. Images of no
    subset are listed for training. Yields each image's name. Raises WriteError.
    """
    listed: dict[str, int] = {}
    try:
        for item in items:
            if "\n" in item.name or "\r" in item.name:
                item.leave_out("YOLO's lists cannot hold a name of two lines; rename it first")
                continue
            name = copy_photo(item, target / "images") if options.photos else photo_name(item)
            labels = target / "labels" / f"{item.stem}.txt"
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_text("".join(_lines(item)), encoding="ascii")
            subset = _SUBSETS[item.subset]
            listed[subset] = listed.get(subset, 0) + 1
            with open(
                target / f"{subset}.txt", "a", encoding="utf-8", errors="surrogateescape"
            ) as f:
                f.write(f"./images/{name}\n")
            yield item.name
        _write_description(target / "data.yaml", scheme, listed)
    except OSError as error:
        raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error


def _lines(item: Item) -> Iterator[str]:
    for part in parts(item.mask(), without=VOID):
        shares = seamed(outlines(part)) / item.size
        numbers = " ".join(f"{share:.6g}" for share in shares.ravel().tolist())
        yield f"{part.label - 1} {numbers}\n"


def _write_description(path: Path, scheme: LabelScheme, listed: Mapping[str, int]) -> None:
    description: dict[str, Any] = {
        # Both must be there for training; what is not is said by the missing list.
        "train": "train.txt" if "train" in listed else "val.txt",
        "val": "val.txt" if "val" in listed else "train.txt",
        "names": {label.id - 1: label.name for label in scheme.classes[1:]},
    }
    if "test" in listed:
        description["test"] = "test.txt"
    text = yaml.safe_dump(description, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def _description(path: Path) -> Path | None:
    if path.is_file():
        described = path.suffix.lower() in (".yaml", ".yml") or path.name == _CLASSES
        return path if described else None
    found = [path / name for name in _DESCRIPTIONS if (path / name).is_file()]
    return next(iter([*found, *sorted(path.glob("*.yaml")), *path.glob(_CLASSES)]), None)


class _NoAliases(yaml.SafeLoader):
    """Values only, and each of them written out: aliases can stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has aliases")
        return super().compose_node(parent, index)


def _class_names(path: Path) -> dict[int, str]:
    with limits.open_annotations(path, _MOST_YAML) as file:
        try:
            if path.name == _CLASSES:
                lines = file.read().decode("utf-8-sig").splitlines()
                content: Any = {"names": [line.strip() for line in lines if line.strip()]}
            else:
                content = yaml.load(file.read(), _NoAliases)  # noqa: S506 - a SafeLoader
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
            reason = str(error).split("\n")[0]
            raise FormatError(f"{path.name}: damaged ({reason}).") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not all(type(index) is int for index in names):
        raise FormatError(f"{path.name}: names must list the classes, or map indexes to them.")
    return {
        index: limits.class_name(str(name), f"{path.name}, names {index}")
        for index, name in names.items()
    }


def _label_files(root: Path) -> Iterator[str]:
    """The .txt files in folders called labels, or below one, by their path with /."""
    for place, folders, files in os.walk(root):
        folders.sort()
        inside = Path(place).relative_to(root).as_posix()
        if "labels" in inside.split("/"):
            for name in files:
                if name.lower().endswith(".txt") and name != _CLASSES:
                    yield f"{inside}/{name}"


def _appearing(
    path: Path, names: Mapping[int, str], left_out: Counter[str]
) -> frozenset[int] | None:
    """The classes of a label file, as far as it can be read; what is wrong is told later.

    None where there are boxes alone: what is in them nobody has drawn.
    """
    found, boxes, lines = set(), 0, 0
    try:
        with limits.open_annotations(path, _MOST_BYTES) as file:
            for line in _lines_of(file):
                index, _, rest = line.strip().partition(b" ")
                lines += bool(index)
                if _is_box(rest):
                    boxes += 1
                elif index.isdigit() and len(index) < 6 and int(index) in names:
                    found.add(int(index))
    except FormatError:
        return frozenset()
    left_out["boxes without an outline"] += boxes
    return None if boxes and boxes == lines else frozenset(found)


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Without the mark that Windows' editors put in front."""
    for number, line in enumerate(file):
        yield line if number else line.removeprefix(BOM_UTF8)


def _is_box(rest: bytes) -> bool:
    """Whether a line goes on, behind its class, with centre, width and height."""
    return rest.count(b" ") < 9 and len(rest.split()) == 4


class _Photos:
    """The photo beside each label file: the same path with images for labels, where it is there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[PurePosixPath, dict[str, str]] = {}

    def of(self, label: str) -> str:
        """With /, below the root; without an extension where there is no such photo."""
        places = PurePosixPath(label).parts
        at = len(places) - 1 - places[::-1].index("labels")
        folder = PurePosixPath(*places[:at], "images", *places[at + 1 : -1])
        stem = places[-1][: -len(".txt")]
        if folder not in self._folders:
            try:
                names = os.listdir(self._root / folder)
            except OSError:
                names = []
            self._folders[folder] = {os.path.splitext(name)[0]: name for name in names}
        return str(folder / self._folders[folder].get(stem, stem))


@dataclass(frozen=True)
class _Reader:
    root: Path
    label: str
    names: Mapping[int, str]
    positions: Mapping[int, int]

    def __call__(self, size: Size) -> np.ndarray:
        pixels = np.zeros((size[1], size[0]), np.uint8)
        with limits.open_annotations(self.root / self.label, _MOST_BYTES) as file:
            for number, line in enumerate(_lines_of(file), 1):
                where = f"{self.label}, line {number}"
                index, _, rest = line.strip().partition(b" ")
                if not index:
                    continue
                if not index.isdigit() or len(index) > 5 or int(index) not in self.names:
                    shown = index[:20].decode("ascii", "backslashreplace")
                    raise FormatError(f"{where}: “{shown}” is no class of data.yaml.")
                if rest.count(b" ") > 2 * limits.MOST_POINTS:
                    raise FormatError(f"{where}: more than {limits.MOST_POINTS:,} points.")
                if not _is_box(rest):
                    fill(pixels, [_ring(rest.split(), size, where)], self.positions[int(index)])
        return pixels


def _ring(shares: list[bytes], size: Size, where: str) -> np.ndarray:
    try:
        numbers = np.array([float(share) for share in shares])
    except ValueError as error:
        raise FormatError(f"{where}: coordinates that are no numbers.") from error
    if ((numbers < -_BEYOND) | (numbers > 1 + _BEYOND)).any():
        raise FormatError(f"{where}: coordinates must be shares of the image's size, 0 to 1.")
    scale = np.resize(size, len(numbers))
    return limits.ring(numbers * scale, where)
