"""CVAT for images 1.1: one XML file, of shapes drawn in the order of their z_order.

https://docs.cvat.ai/docs/dataset_management/formats/xml_format/. Read as it comes by, without a
tree; document types and entities are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from core.files import WriteError
from core.formats import limits, run_lengths
from core.formats.items import Item, WriteOptions
from core.formats.naming import Classes, left_out_notes, overlap_notes, shape_losses
from core.formats.polygons import Part, ellipse, fill, outlines, parts, seamed, turned
from core.formats.source import Entry, FormatError, LazyEntries, ReadOptions, Size, Source
from core.formats.spool import Shape, Spool, SpoolReader
from core.labels import VOID, LabelClass, LabelScheme

_ROOT = re.compile(rb"<annotations[\s>]")
_FILE = "annotations.xml"
_CHUNK = 1 << 20
_LONGEST_TAG = 8 << 20  # bytes
_DEEPEST = 20
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COMMON = 'source="manual" occluded="0" z_order="0"'
_POLYGON, _MASK = range(2)
_WITHOUT_AREA = {
    "polyline": "polylines",
    "points": "points",
    "tag": "tags",
    "cuboid": "cuboids",
    "skeleton": "skeletons",
    "track": "tracks of videos",
}


def detects(path: Path) -> bool:
    """Whether a file, or annotations.xml in a folder, begins as CVAT's do."""
    try:
        with open(path / _FILE if path.is_dir() else path, "rb") as file:
            return _ROOT.search(file.read(1000)) is not None
    except OSError:
        return False


def losses(scheme: LabelScheme, options: WriteOptions) -> list[str]:
    """What CVAT cannot hold."""
    return shape_losses(options)


def read(path: Path, options: ReadOptions) -> Source:
    """Read an XML file, or a folder's annotations.xml.

    Raises FormatError: no XML of CVAT, too large, broken off, with a document type. What is wrong
    with the shapes of one image is raised where that image is read.
    """
    file = path / _FILE if path.is_dir() else path
    found = _Found(file.name)
    _parse(file, found)
    return found.source(path)


def write(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """Write one XML file, one mask or polygon a connected part and class.

    Yields each image's name. Raises WriteError, and FormatError for a class that XML cannot hold.
    """
    names = {label.id: _class_name(label.name) for label in scheme.classes}
    try:
        with open(target, "w", encoding="utf-8") as file:
            file.write(_head(scheme))
            number = 0
            for item in items:
                if _UNWRITABLE.search(item.name):
                    item.leave_out("XML cannot hold its name; rename it first")
                    continue
                width, height = item.size
                name = quoteattr(item.name)
                file.write(
                    f'  <image id="{number}" name={name} width="{width}" height="{height}">\n'
                )
                number += 1
                for part in parts(item.mask(), without=VOID):
                    shape = _polygon(part) if options.polygons else _mask(part)
                    file.write(f"    <{shape} label={names[part.label]} {_COMMON}/>\n")
                file.write("  </image>\n")
                yield item.name
            file.write("</annotations>\n")
    except OSError as error:
        raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error


@dataclass
class _Found:
    """What was read so far, of the file ``title``."""

    title: str
    spool: Spool = field(default_factory=Spool)
    names: list[str] = field(default_factory=list)
    sizes: list[Size | None] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    colours: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def image(self, attributes: Mapping[str, str]) -> None:
        where = f"{self.title}, image {len(self.names) + 1}"
        if len(self.names) >= limits.MOST_IMAGES:
            raise FormatError(f"{self.title}: more than {limits.MOST_IMAGES:,} images.")
        name = limits.image_name(attributes.get("name"), where)
        self.names.append(name)
        self.sizes.append(None)
        try:
            size = limits.image_size(attributes.get("width"), attributes.get("height"), name)
            self.sizes[-1] = size
        except FormatError as error:
            self.spool.refuse(len(self.names) - 1, error)

    def shape(self, kind: str, attributes: Mapping[str, str]) -> None:
        number = len(self.names) - 1
        where = f"{self.title}, {kind} of {self.names[number]}"
        try:
            label = limits.class_name(attributes.get("label"), where)
            layer = limits.whole_number(attributes.get("z_order", "0"))
            if layer is None:
                raise FormatError(f"{where}: z_order must be a whole number.")
            if len(self.labels) >= limits.MOST_LABELS and label not in self.labels:
                raise FormatError(f"{self.title}: more than {limits.MOST_LABELS:,} labels.")
            position = self.labels.setdefault(label, len(self.labels))
            shape = _shape(kind, attributes, position, where)
            self.spool.add(number, shape, layer)
        except FormatError as error:
            self.spool.refuse(number, error)

    def source(self, path: Path) -> Source:
        found = self.spool.finish()
        classes = Classes()
        names = list(self.labels)
        used = sorted(frozenset().union(*set(found.values())))
        positions = {
            label: classes.position(names[label], self.colours.get(names[label])) for label in used
        }
        annotated = sorted(found)
        bare = len(self.names) - len(annotated)
        self.left_out["images without any shape: nobody may have looked at them"] = bare

        def entry(number: int) -> Entry:
            name, size = self.names[number], self.sizes[number]
            appearing = frozenset(positions[label] for label in found[number]) - {VOID}
            reader = SpoolReader(self.spool, number, positions, name, size, _paint)
            return Entry(name, reader, size, appearing)

        notes = left_out_notes(self.left_out) + overlap_notes(found.values())
        entries = LazyEntries(annotated, entry)
        return Source("cvat", path, classes.found, entries, tuple(notes))


def _paint(pixels: np.ndarray, shape: Shape, value: int) -> None:
    if shape.kind == _POLYGON:
        fill(pixels, [np.frombuffer(shape.data).reshape(-1, 2)], value)
        return
    numbers = np.frombuffer(shape.data, np.int64)
    left, top, width, height = numbers[:4].tolist()
    right, bottom = left + width, top + height
    if min(left, top) < 0 or right > pixels.shape[1] or bottom > pixels.shape[0]:
        raise FormatError(f"{shape.where}: a mask beyond its image.")
    inside = run_lengths.of_rows(numbers[4:], (width, height), shape.where)
    pixels[top:bottom, left:right][inside] = value


def _shape(kind: str, attributes: Mapping[str, str], label: int, where: str) -> Shape:
    """Raises FormatError."""
    if kind == "mask":
        box = [limits.whole_number(attributes.get(k)) for k in ("left", "top", "width", "height")]
        if None in box:
            raise FormatError(f"{where}: left, top, width and height must be whole numbers.")
        limits.image_size(box[2], box[3], where)
        try:
            runs = [int(run) for run in attributes.get("rle", "").split(",")]
            numbers = np.array([*box, *runs], np.int64)
        except (ValueError, OverflowError) as error:
            raise FormatError(f"{where}: rle must be whole numbers.") from error
        return Shape(label, _MASK, where, numbers.tobytes())
    ring = _polygon_of(kind, attributes, where)
    return Shape(label, _POLYGON, where, ring.tobytes())


def _polygon_of(kind: str, attributes: Mapping[str, str], where: str) -> np.ndarray:
    if kind == "polygon":
        text = attributes.get("points", "")
        if text.count(";") >= limits.MOST_POINTS:
            raise FormatError(f"{where}: more than {limits.MOST_POINTS:,} points.")
        return limits.ring([_number(n, where) for n in re.split("[;,]", text)], where)
    if kind == "box":
        keys = ("xtl", "ytl", "xbr", "ybr")
        left, top, right, bottom = (_number(attributes.get(key), where) for key in keys)
        ring = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    else:
        x, y, radius_x, radius_y = (
            _number(attributes.get(key), where) for key in ("cx", "cy", "rx", "ry")
        )
        ring = ellipse(x, y, radius_x, radius_y)
    limits.ring(ring.ravel(), where)  # before it is turned: that takes finite numbers
    return limits.ring(turned(ring, _number(attributes.get("rotation", "0"), where)).ravel(), where)


def _number(text: str | None, where: str) -> float:
    try:
        return float(text or "")
    except ValueError as error:
        raise FormatError(f"{where}: {(text or '')[:40]!r} is no number.") from error


class _Handler:
    """Takes an XML file's elements as they come by."""

    def __init__(self, found: _Found) -> None:
        self._found = found
        self._path: list[str] = []
        self._text = ""
        self._label: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        if len(self._path) == 1 and tag != "annotations":
            raise FormatError(
                f"{self._found.title}: its root is {tag[:40]}; CVAT's is annotations."
            )
        if len(self._path) > _DEEPEST:
            raise FormatError(f"{self._found.title}: nested more than {_DEEPEST} deep.")
        self._text = ""
        if self._path == ["annotations", "image"]:
            self._found.image(attributes)
        elif self._path[:-1] == ["annotations", "image"]:
            if tag in ("polygon", "box", "ellipse", "mask"):
                self._found.shape(tag, attributes)
            elif tag in _WITHOUT_AREA:
                self._found.left_out[_WITHOUT_AREA[tag]] += 1
        elif self._path == ["annotations", "track"]:
            self._found.left_out[_WITHOUT_AREA[tag]] += 1

    def text(self, text: str) -> None:
        if len(self._text) < 1000:
            self._text += text

    def end(self, tag: str) -> None:
        self._path.pop()
        if self._path[-1:] == ["label"] and tag in ("name", "color"):
            self._label[tag] = self._text.strip()
        elif tag == "label" and self._path[-1:] == ["labels"]:
            self._keep_label(self._label.get("name", ""), self._label.get("color", ""))
            self._label = {}

    def no_document_type(self, *_: object) -> None:
        raise FormatError(
            f"{self._found.title}: has a document type (DTD), in which entities can hide; refused."
        )

    def _keep_label(self, name: str, colour: str) -> None:
        found = self._found
        if len(found.labels) < limits.MOST_LABELS:
            found.labels.setdefault(name, len(found.labels))  # in the order of the task's list
        if name in found.labels and re.fullmatch("#[0-9a-fA-F]{6}", colour):
            red, green, blue = bytes.fromhex(colour[1:])
            found.colours[name] = red, green, blue


def _parse(file: Path, found: _Found) -> None:
    handler = _Handler(found)
    parser = expat.ParserCreate()
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = handler.no_document_type
    with limits.open_annotations(file) as opened:
        try:
            fed = 0
            while chunk := opened.read(_CHUNK):
                parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - parser.CurrentByteIndex > _LONGEST_TAG:
                    where = found.names[-1] if found.names else "the beginning"
                    raise FormatError(f"{file.name}: after {where}: longer than any shape.")
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise FormatError(f"{file.name}: no XML, or broken off ({error}).") from error


def _head(scheme: LabelScheme) -> str:
    labels = "".join(map(_label, scheme.classes[1:]))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
        f"  <meta>\n    <task>\n      <labels>\n{labels}      </labels>\n    </task>\n  </meta>\n"
    )


def _label(label: LabelClass) -> str:
    name, colour = escape(label.name), bytes(label.colour).hex()
    return (
        f"        <label><name>{name}</name><color>#{colour}</color>"
        "<type>any</type><attributes></attributes></label>\n"
    )


def _class_name(name: str) -> str:
    """A class's name in quotes. Raises FormatError."""
    if _UNWRITABLE.search(name):
        raise FormatError(f"The class {name!r} has characters that XML cannot hold; rename it.")
    return quoteattr(name)


def _polygon(part: Part) -> str:
    points = ";".join(f"{x:.8g},{y:.8g}" for x, y in seamed(outlines(part)).tolist())
    return f'polygon points="{points}"'


def _mask(part: Part) -> str:
    runs = ", ".join(map(str, run_lengths.rows(part.pixels).tolist()))
    box = f'left="{part.left}" top="{part.top}" width="{part.width}" height="{part.height}"'
    return f'mask rle="{runs}" {box}'
