"""COCO: one JSON file of images, categories and annotations; instances and "stuff" alike.

https://cocodataset.org/#format-data. Written so that pycocotools reads it; run lengths and polygons
are decoded by pycocotools, once they are known to be harmless.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.files import WriteError
from core.formats import limits, run_lengths
from core.formats.items import Item, WriteOptions
from core.formats.json_stream import members
from core.formats.naming import Classes, left_out_notes, overlap_notes, shape_losses
from core.formats.photos import copy_photo
from core.formats.polygons import Part, fill, outlines, parts, seamed
from core.formats.source import (
    Entry,
    FormatError,
    LazyEntries,
    ReadOptions,
    Size,
    Source,
    SourceClass,
)
from core.formats.spool import Shape, Spool, SpoolReader
from core.images import MAX_PIXELS
from core.labels import LONGEST_NAME, VOID, LabelClass, LabelScheme, listed

_FIRST_KEY = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"(info|licenses|images|annotations|categories)"')
_ROBOFLOW = "*/_annotations.coco.json"  # one for each subset, among its photos
_MEMBERS = {"images": "image", "annotations": "annotation", "categories": "category"}
_POLYGON, _COMPRESSED, _COUNTS = range(3)


def detects(path: Path) -> bool:
    """Whether a file, or one that ``read`` takes of a folder, begins as COCO's do."""
    return bool(_files(path))


def losses(scheme: LabelScheme, options: WriteOptions) -> list[str]:
    """What COCO cannot hold."""
    return shape_losses(options)


def read(path: Path, options: ReadOptions) -> Source:
    """Read a COCO file, or those of a folder, where COCO and Roboflow put them, as one source.

    Raises FormatError: none, no COCO, too large. What is wrong with the annotations of one image is
    raised where that image is read.
    """
    files = _files(path) if path.is_dir() else [path]
    if not files:
        raise FormatError(f"{path}: no COCO file (.json) in it, or in its annotations/.")
    found = _Found()
    for file in files:
        _read_file(file, found)
    return found.source(path)


def write(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """Write annotations.json, or annotations/instances_SUBSET.json where subsets are settled.

    One annotation a connected part and class. Yields each image's name. Raises WriteError.
    """
    files: dict[str, _File] = {}
    try:
        with ExitStack() as opened:
            for item in items:
                if item.subset not in files:
                    path = _path(target, item.subset)
                    file = opened.enter_context(open(path, "w", encoding="ascii"))
                    waiting = opened.enter_context(
                        tempfile.TemporaryFile("w+", encoding="ascii", dir=path.parent)
                    )
                    files[item.subset] = _File(file, waiting, scheme)
                name = copy_photo(item, target / "images") if options.photos else item.name
                files[item.subset].add(name, item.size, item.mask(), options.polygons)
                yield item.name
            for written in files.values():
                written.finish()
    except OSError as error:
        raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = [*path.glob("*"), *(path / "annotations").glob("*"), *path.glob(_ROBOFLOW)]
        places = [place for place in inside if place.suffix.lower() == ".json"]
        found = [place for place in sorted(places) if _files(place)]
        # Of COCO's own only these are masks; its captions and keypoints list the same images.
        return [place for place in found if place.name.lower().startswith("instances")] or found
    try:
        with open(path, "rb") as file:
            return [path] if _FIRST_KEY.match(file.read(1000)) else []
    except OSError:
        return []


@dataclass
class _Found:
    """What was read so far: images and categories of all files, each by its number here.

    names: "" for an image that annotations name and no list of images; sizes: None where the file
    says nothing; listed: the categories in the order of their list, which comes last in many files.
    """

    spool: Spool = field(default_factory=Spool)
    names: list[str] = field(default_factory=list)
    sizes: list[Size | None] = field(default_factory=list)
    categories: list[SourceClass] = field(default_factory=list)
    listed: dict[int, int] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def source(self, path: Path) -> Source:
        labels = self.spool.finish()
        classes = Classes()
        used = frozenset().union(*set(labels.values()))
        positions = {
            label: classes.position(self.categories[label].name, self.categories[label].colour)
            for label in sorted(used, key=lambda n: self.listed.get(n, len(self.categories) + n))
        }
        images = [number for number, name in enumerate(self.names) if name]
        annotated = [number for number in images if number in labels]
        bare = len(images) - len(annotated)
        self.left_out["images without any annotation: nobody may have looked at them"] = bare
        self.left_out["annotated images that the file does not list"] = len(labels) - len(annotated)

        def entry(number: int) -> Entry:
            name, size = self.names[number], self.sizes[number]
            found = frozenset(positions[label] for label in labels[number]) - {VOID}
            reader = SpoolReader(self.spool, number, positions, name, size, _paint)
            return Entry(name, reader, size, found)

        notes = left_out_notes(self.left_out) + overlap_notes(labels.values())
        entries = LazyEntries(annotated, entry)
        return Source("coco", path, classes.found, entries, tuple(notes))


class _Numbers(dict[int | str, int]):
    """A file's ids -> numbers in ``_Found``; ``add`` is called for each that is new."""

    def __init__(self, add: Callable[[int | str], int]) -> None:
        self._add = add

    def __missing__(self, key: int | str) -> int:
        self[key] = number = self._add(key)
        return number


def _read_file(file: Path, found: _Found) -> None:
    def new_image(_key: int | str) -> int:
        if len(found.names) >= limits.MOST_IMAGES:
            raise FormatError(f"{file.name}: more than {limits.MOST_IMAGES:,} images.")
        found.names.append("")
        found.sizes.append(None)
        return len(found.names) - 1

    def new_category(key: int | str) -> int:
        if len(found.categories) >= limits.MOST_LABELS:
            raise FormatError(f"{file.name}: more than {limits.MOST_LABELS:,} categories.")
        found.categories.append(SourceClass(f"category {key}"[:LONGEST_NAME]))
        return len(found.categories) - 1

    images, categories = _Numbers(new_image), _Numbers(new_category)
    nothing = True
    for key, where, member in members(file, _MEMBERS):
        nothing = False
        if not isinstance(member, dict):
            raise FormatError(f"{where}: no JSON object.")
        if key == "categories":
            name = limits.class_name(member.get("name"), where)
            label = SourceClass(name, _colour(member.get("color")))
            number = categories[_id(member, "id", where)]
            found.categories[number] = label
            found.listed.setdefault(number, len(found.listed))
        elif key == "images":
            _add_image(found, images[_id(member, "id", where)], member, where)
        else:
            if member.get("id") is not None:  # without one it is named by its place in the file
                where = f"{file.name}, annotation {_id(member, 'id', where)}"
            image = images[_id(member, "image_id", where)]
            label_number = categories[_id(member, "category_id", where)]
            try:
                for shape in _shapes(member.get("segmentation"), label_number, where, found):
                    found.spool.add(image, shape)
            except FormatError as error:
                found.spool.refuse(image, error)
    if nothing:
        raise FormatError(f"{file.name}: no COCO file: no images, no annotations, no categories.")


def _add_image(found: _Found, number: int, member: dict[str, Any], where: str) -> None:
    name = member.get("file_name")
    if name is None and isinstance(member.get("coco_url"), str):  # as LVIS has it
        name = member["coco_url"].rpartition("/")[2]
    if found.names[number]:
        raise FormatError(f"{where}: the second image with the id {member['id']}.")
    found.names[number] = limits.image_name(name, where)
    if "width" in member or "height" in member:
        try:
            size = limits.image_size(member.get("width"), member.get("height"), where)
            found.sizes[number] = size
        except FormatError as error:
            found.spool.refuse(number, error)


def _shapes(segmentation: Any, label: int, where: str, found: _Found) -> Iterator[Shape]:
    """Raises FormatError: what is no segmentation. Whether it fits its image is seen later."""
    if not segmentation:
        found.left_out["annotations without an outline"] += 1
    elif isinstance(segmentation, dict):
        yield _runs(segmentation, label, where)
    elif isinstance(segmentation, list) and all(isinstance(p, list) for p in segmentation):
        for polygon in segmentation:
            if len(polygon) < 6:
                found.left_out["polygons of fewer than 3 points"] += 1
            else:
                yield Shape(label, _POLYGON, where, limits.ring(polygon, where).tobytes())
    else:
        raise FormatError(f"{where}: a segmentation is a list of polygons, or run lengths.")


def _runs(segmentation: dict[str, Any], label: int, where: str) -> Shape:
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if not isinstance(size, list) or len(size) != 2:
        raise FormatError(f"{where}: run lengths need a size, [height, width].")
    head = np.array(limits.image_size(size[1], size[0], where), np.int64).tobytes()
    if isinstance(counts, str) and counts.isascii():
        return Shape(label, _COMPRESSED, where, head + counts.encode("ascii"))
    if isinstance(counts, list) and all(type(count) is int for count in counts):
        if any(abs(count) > MAX_PIXELS for count in counts):
            raise FormatError(f"{where}: a run longer than any image.")
        return Shape(label, _COUNTS, where, head + np.array(counts, np.int64).tobytes())
    raise FormatError(f"{where}: run lengths are text or whole numbers.")


def _paint(pixels: np.ndarray, shape: Shape, value: int) -> None:
    if shape.kind == _POLYGON:
        fill(pixels, [np.frombuffer(shape.data).reshape(-1, 2)], value)
        return
    width, height = np.frombuffer(shape.data[:16], np.int64).tolist()
    limits.require_size((width, height), (pixels.shape[1], pixels.shape[0]), shape.where)
    if shape.kind == _COMPRESSED:
        run_lengths.paint_compressed(pixels, shape.data[16:], value, shape.where)
    else:
        counts = np.frombuffer(shape.data[16:], np.int64)
        run_lengths.paint_columns(pixels, counts, value, shape.where)


def _id(member: dict[str, Any], key: str, where: str) -> int | str:
    found = member.get(key)
    if isinstance(found, bool) or not isinstance(found, int | str) or len(str(found)) > 100:
        raise FormatError(f"{where}: {key} is missing, or no number or text.")
    return found


def _colour(colour: Any) -> tuple[int, int, int] | None:
    if not isinstance(colour, list) or len(colour) != 3:
        return None
    if not all(type(value) is int and 0 <= value <= 255 for value in colour):
        return None
    return colour[0], colour[1], colour[2]


def _path(folder: Path, subset: str) -> Path:
    if not subset:
        return folder / "annotations.json"
    (folder / "annotations").mkdir(exist_ok=True)
    return folder / "annotations" / f"instances_{subset}.json"


class _File:
    """A COCO file that is written image by image.

    Images and annotations are two lists in the one file: annotations wait in a file of their own.
    """

    def __init__(self, file: IO[str], annotations: IO[str], scheme: LabelScheme) -> None:
        self._file = file
        self._annotations = annotations
        self._image_count = self._annotation_count = 0
        now = datetime.now(UTC)
        info = {
            "description": f"Masks of {listed(scheme.names[1:])}, made with PetSeg",
            "version": "1.0",
            "year": now.year,
            "date_created": now.isoformat(timespec="seconds"),
        }
        categories = [_category(label, scheme) for label in scheme.classes[1:]]
        self._file.write(
            f'{{"info": {json.dumps(info)},\n"licenses": [],\n'
            f'"categories": {json.dumps(categories)},\n"images": ['
        )

    def add(self, name: str, size: Size, mask: np.ndarray, polygons: bool) -> None:
        self._image_count += 1
        width, height = size
        image = {"id": self._image_count, "file_name": name, "width": width, "height": height}
        self._file.write(("\n" if self._image_count == 1 else ",\n") + json.dumps(image))
        for part in parts(mask, without=VOID):
            self._annotation_count += 1
            annotation = {
                "id": self._annotation_count,
                "image_id": self._image_count,
                "category_id": part.label,
                "iscrowd": 0,
                "area": int(np.count_nonzero(part.pixels)),
                "bbox": [part.left, part.top, part.width, part.height],
                "segmentation": _segmentation(part, size, polygons),
            }
            separator = "\n" if self._annotation_count == 1 else ",\n"
            self._annotations.write(separator + json.dumps(annotation, separators=(",", ":")))

    def finish(self) -> None:
        """Join the two lists; without it the file is no JSON."""
        self._file.write('\n],\n"annotations": [')
        self._annotations.seek(0)
        shutil.copyfileobj(self._annotations, self._file)
        self._file.write("\n]}\n")


def _segmentation(part: Part, size: Size, polygons: bool) -> Any:
    if polygons:
        return [seamed(outlines(part)).ravel().tolist()]
    counts = run_lengths.compressed(part, size).decode("ascii")
    return {"size": [size[1], size[0]], "counts": counts}


def _category(label: LabelClass, scheme: LabelScheme) -> dict[str, object]:
    return {
        "id": label.id,
        "name": label.name,
        "supercategory": scheme.name,
        "color": list(label.colour),
    }
