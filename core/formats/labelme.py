"""labelme: one JSON file an image, of shapes drawn one over the other.

Written so that labelme opens it; files of all its versions are read. What a file says of its photo
(imageData) is never decoded.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

import numpy as np
from PIL import Image

from core.files import WriteError
from core.formats import limits
from core.formats.items import Item, WriteOptions
from core.formats.json_stream import members
from core.formats.naming import SEAMED, Classes, left_out_notes, overlap_notes
from core.formats.photos import copy_photo
from core.formats.polygons import Part, ellipse, fill, outlines, parts, seamed
from core.formats.source import Entry, FormatError, LazyEntries, ReadOptions, Size, Source
from core.labels import VOID, LabelScheme

_VERSION = "5.5.0"  # of labelme, whose files these are like
_IGNORE = "__ignore__"
"""What labelme's own converters call pixels that do not count."""

_FIRST_KEY = re.compile(
    rb'(\xef\xbb\xbf)?\s*\{\s*"(version|flags|shapes|imagePath|imageData|imageHeight|imageWidth|lineColor|fillColor)"'
)
_LOOKED_AT = 20  # files, to find out what a folder holds
_MEMBERS = {key: key for key in ("version", "shapes", "imagePath", "imageHeight", "imageWidth")} | {
    "shapes": "shape"
}
_LONGEST_PHOTO = 300 << 20  # bytes of base64 that are passed over
_WITHOUT_AREA = {"point", "points", "line", "linestrip"}
# Those of X-AnyLabeling among them, which writes the same files: rectangles of four points, turned.
_POINTS = {"rectangle": (2, 4), "circle": (2,), "mask": (2,)} | dict.fromkeys(
    ("oriented_rectangle", "rotation"), (4,)
)


def detects(path: Path) -> bool:
    """Whether a file, or one of the first in a folder, begins as labelme's do."""
    if path.is_file():
        try:
            with open(path, "rb") as file:
                return _FIRST_KEY.match(file.read(1000)) is not None
        except OSError:
            return False
    names = (path / name for _, name in zip(range(_LOOKED_AT), _json_files(path), strict=False))
    return any(detects(file) for file in names)


def losses(scheme: LabelScheme, options: WriteOptions) -> list[str]:
    """What labelme cannot hold."""
    lost = ["Colours of classes are lost.", f"Void (unlabelled) pixels are called {_IGNORE}."]
    if options.polygons:
        lost.append(SEAMED)
    return lost


def read(path: Path, options: ReadOptions) -> Source:
    """Read a file of labelme, or all below a folder.

    Raises FormatError: none. What is wrong in a file is raised where its image is read.
    """
    root = path if path.is_dir() else path.parent
    files = sorted(_json_files(path)) if path.is_dir() else [path.name]
    if not files:
        raise FormatError(f"{path}: no .json file in it.")
    if len(files) > limits.MOST_IMAGES:
        raise FormatError(f"{path}: more than {limits.MOST_IMAGES:,} files.")
    left_out: Counter[str] = Counter()
    found = [_looked_through(root, file, left_out) for file in files]
    classes = Classes()
    labels = {one.labels for one in found}
    positions = {name: classes.position(name) for name in sorted(frozenset().union(*labels))}

    def entry(number: int) -> Entry:
        one = found[number]
        appearing = frozenset(positions[name] for name in one.labels) - {VOID}
        reader = _Reader(root, files[number], one, positions)
        return Entry(one.image, reader, one.size, appearing)

    if not any(one.is_labelme for one in found):
        raise FormatError(f"{path}: no file of labelme in it.")
    left_out["files that are not labelme's"] = sum(not one.is_labelme for one in found)
    numbers = [number for number, one in enumerate(found) if one.is_labelme and not one.bare]
    notes = left_out_notes(left_out) + overlap_notes(labels)
    return Source("labelme", path, classes.found, LazyEntries(numbers, entry), tuple(notes))


def write(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """Write a file for each image, one shape a connected part and class, void among them.

    Yields each image's name. Raises WriteError.
    """
    names = dict(enumerate(scheme.names)) | {VOID: _IGNORE}
    try:
        for item in items:
            photo = copy_photo(item, target) if options.photos else item.name
            content: dict[str, Any] = {
                "version": _VERSION,
                "flags": {},
                "shapes": [
                    _shape(part, names[part.label], options.polygons) for part in parts(item.mask())
                ],
                "imagePath": PurePosixPath(photo).name,
                "imageData": None,
                "imageHeight": item.size[1],
                "imageWidth": item.size[0],
            }
            path = target / f"{item.stem}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="ascii")
            yield item.name
    except OSError as error:
        raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error


def _shape(part: Part, label: str, polygon: bool) -> dict[str, Any]:
    shape: dict[str, Any] = {"label": label, "group_id": None, "description": "", "flags": {}}
    if polygon:
        points = seamed(outlines(part)).tolist()
        return shape | {"points": points, "shape_type": "polygon", "mask": None}
    buffer = io.BytesIO()
    Image.fromarray(part.pixels.view(np.uint8)).save(buffer, "PNG")
    # The second corner is the last pixel, not the one behind it.
    corners = [[part.left, part.top], [part.left + part.width - 1, part.top + part.height - 1]]
    mask = base64.b64encode(buffer.getvalue()).decode("ascii")
    return shape | {"points": corners, "shape_type": "mask", "mask": mask}


def _json_files(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = Path(place).relative_to(folder)
        found = (name for name in sorted(files) if name.lower().endswith(".json"))
        yield from ((inside / name).as_posix() for name in found)


@dataclass(frozen=True)
class _File:
    """What a file says before its shapes are drawn; image: below the folder that is read.

    bare: it has shapes, and none of them has an area: what is there nobody has drawn. problem: why
    none of them can be drawn, "" where they can.
    """

    is_labelme: bool
    image: str
    size: Size | None = None
    labels: frozenset[str] = frozenset()
    bare: bool = False
    problem: str = ""


def _looked_through(root: Path, file: str, left_out: Counter[str]) -> _File:
    image, sides, labels = PurePosixPath(file).stem, dict[str, Any](), set[str]()
    known, without_area = False, 0
    try:
        for key, where, member in _members(root, file):
            if key == "imagePath":
                image, known = limits.image_name(member, where), True
            elif key != "shapes":
                sides[key] = member
            elif _has_area(member):
                labels.add(limits.class_name(_field(member, "label"), where))
                known = True
            else:
                without_area += 1
        size = _size(sides, file)
    except FormatError as error:
        return _File(detects(root / file), _beside(file, image), problem=str(error))
    left_out["points and lines"] += without_area
    bare = without_area > 0 and not labels
    return _File(known, _beside(file, image), size, frozenset(labels), bare)


def _beside(file: str, image: str) -> str:
    """The path of a photo that a file names, seen from the folder that is read.

    Files in a folder of their own say "../images/a.jpg"; that is looked up as images/a.jpg.
    """
    path = normpath(str(PurePosixPath(file).parent / image))
    return re.sub(r"^(\.\./)+", "", path)


def _members(root: Path, file: str) -> Iterator[tuple[str, str, Any]]:
    return members(root / file, _MEMBERS, _LONGEST_PHOTO, title=file)


def _size(sides: Mapping[str, Any], where: str) -> Size | None:
    if sides.get("imageWidth") is None:  # before labelme 3.21
        return None
    return limits.image_size(sides["imageWidth"], sides.get("imageHeight"), where)


@dataclass(frozen=True)
class _Reader:
    root: Path
    file: str
    found: _File
    positions: Mapping[str, int]

    def __call__(self, size: Size) -> np.ndarray:
        if self.found.problem:
            raise FormatError(self.found.problem)
        if self.found.size is not None:
            limits.require_size(self.found.size, size, self.file)
        pixels = np.zeros((size[1], size[0]), np.uint8)
        for key, where, member in _members(self.root, self.file):
            if key == "shapes" and _has_area(member):
                _draw(pixels, member, self.positions, where)
        return pixels


def _draw(pixels: np.ndarray, shape: Any, positions: Mapping[str, int], where: str) -> None:
    label = limits.class_name(_field(shape, "label"), where)
    if label not in positions:
        raise FormatError(f"{where}: {label} is new; the file was changed since it was looked at.")
    kind, points = _kind(shape), _points(shape, where)
    if kind == "mask":
        _paint_mask(pixels, shape, points, positions[label], where)
    else:
        fill(pixels, [limits.ring(_outline(kind, points).ravel(), where)], positions[label])


def _field(shape: Any, key: str) -> Any:
    return shape.get(key) if isinstance(shape, dict) else None


def _kind(shape: Any) -> str:
    """Files before labelme 3.9 have polygons only, and do not say so."""
    return str(_field(shape, "shape_type") or "polygon")


def _has_area(shape: Any) -> bool:
    points = _field(shape, "points")
    line = _kind(shape) == "polygon" and isinstance(points, list) and len(points) < 3
    return not line and _kind(shape) not in _WITHOUT_AREA


def _points(shape: Any, where: str) -> np.ndarray:
    points, kind = _field(shape, "points"), _kind(shape)
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise FormatError(f"{where}: points must be a list of [x, y].")
    if kind != "polygon" and kind not in _POINTS:
        raise FormatError(f"{where}: {kind[:40]!r} is no shape that PetSeg knows.")
    if kind in _POINTS and len(points) not in _POINTS[kind]:
        raise FormatError(f"{where}: a {kind} has no {len(points)} points.")
    flat = [value for point in points for value in point]
    # Two points are checked as a polygon that comes back.
    return limits.ring(flat + flat[:2] * (3 - len(points)), where)[: len(points)]


def _outline(kind: str, points: np.ndarray) -> np.ndarray:
    if kind == "rectangle" and len(points) == 2:
        (left, top), (right, bottom) = points
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    if kind == "circle":
        radius = float(np.hypot(*(points[1] - points[0])))
        x, y = points[0].tolist()
        return ellipse(x, y, radius, radius)
    return points


def _paint_mask(pixels: np.ndarray, shape: Any, points: np.ndarray, value: int, where: str) -> None:
    """A mask's PNG lies in the box of its two corners, both of them inside."""
    (left, top), (right, bottom) = np.rint(points).astype(int).tolist()
    width, height = right - left + 1, bottom - top + 1
    if not (0 <= left <= right < pixels.shape[1] and 0 <= top <= bottom < pixels.shape[0]):
        raise FormatError(f"{where}: a mask beyond its image.")
    text = _field(shape, "mask")
    try:
        data = base64.b64decode(text, validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
                if image.size != (width, height):
                    raise FormatError(
                        f"{where}: a mask of {image.width} x {image.height} pixels for a box of "
                        f"{width} x {height}."
                    )
                inside = np.asarray(image.convert("L")) > 0
    except (binascii.Error, TypeError, ValueError, SyntaxError, OSError) as error:
        raise FormatError(f"{where}: a mask must be a PNG in base64.") from error
    pixels[top : bottom + 1, left : right + 1][inside] = value
