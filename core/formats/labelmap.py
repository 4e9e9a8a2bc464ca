"""Files that name the classes of masks and their colours: labelmap.txt and its relatives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from core.formats.source import FormatError, SourceClass
from core.labels import LONGEST_NAME, MAX_CLASSES, LabelClass

LABELMAP = "labelmap.txt"
NAMES = (LABELMAP, "label_colors.txt", "class_dict.csv", "classes.txt", "class_names.txt")
"""Files that say what masks beside them mean, the surest first."""

VOID_NAMES = frozenset({"void", "ignore", "__ignore__", "unlabelled", "unlabeled", "unknown"})
BACKGROUND_NAMES = frozenset({"background", "_background_", "bg"})
VOID_COLOUR = (224, 224, 192)
"""The colour of VOC's borders between objects."""

_LONGEST = 1 << 20  # bytes
_COLOUR = r"\s*(?P<red>\d{1,3})\s*[,\s]\s*(?P<green>\d{1,3})\s*[,\s]\s*(?P<blue>\d{1,3})\s*"
_NAME_FIRST = re.compile(rf"(?P<name>.+?)\s*[:,\s]{_COLOUR}(?::.*)?")
_COLOUR_FIRST = re.compile(rf"{_COLOUR}[:,\s]\s*(?P<name>.+)")


def read_labelmap(path: Path) -> list[SourceClass]:
    """The classes in the order of the file's lines, background and void among them.

    Lines are "name: r, g, b" (also as VOC and CVAT write them, "name:r,g,b::"), "r g b name", or
    a name alone; lines with # in front and a heading "name,r,g,b" are left out.
    Raises FormatError naming the line.
    """
    try:
        if path.stat().st_size > _LONGEST:
            raise FormatError(f"{path.name}: larger than 1 MB; no list of classes is so long.")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise FormatError(f"{path.name}: cannot be read ({reason}).") from error
    found: list[SourceClass] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#") and not re.fullmatch(r"name\W+r\W+g\W+b", text, re.I):
            found.append(_class(text, f"{path.name}, line {number}"))
        if len(found) > MAX_CLASSES:
            raise FormatError(f"{path.name}: more than {MAX_CLASSES} classes.")
    if not found:
        raise FormatError(f"{path.name}: names no class.")
    return found


def labelmap_beside(folder: Path) -> Path | None:
    """The file that names the classes of the masks in a folder, in it or in the one above."""
    places = (place / name for name in NAMES for place in (folder, folder.parent))
    return next((path for path in places if path.is_file()), None)


def write_labelmap(path: Path, classes: Iterable[LabelClass], void: bool) -> None:
    """Name classes and colours as CVAT does, which the VOC readers know. Into a new folder."""
    lines = ["# label:color_rgb:parts:actions"]
    # A colon or line break in a name would be read as the end of it.
    lines += [f"{_plain(c.name)}:{_numbers(c.colour)}::" for c in classes]
    if void:
        lines.append(f"void:{_numbers(VOID_COLOUR)}::")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def is_background(name: str) -> bool:
    return name.strip().casefold() in BACKGROUND_NAMES


def is_void(name: str) -> bool:
    return name.strip().casefold() in VOID_NAMES


def _class(text: str, where: str) -> SourceClass:
    match = _NAME_FIRST.fullmatch(text) or _COLOUR_FIRST.fullmatch(text)
    if match is None:
        name = text.removesuffix(":::").strip()
        if len(name) > LONGEST_NAME:
            raise FormatError(f"{where}: a name of more than {LONGEST_NAME} characters.")
        return SourceClass(name)
    name = match["name"].strip()
    red, green, blue = (int(match[channel]) for channel in ("red", "green", "blue"))
    if max(red, green, blue) > 255:
        raise FormatError(f"{where}: a colour is three numbers of 0 to 255.")
    if not 1 <= len(name) <= LONGEST_NAME:
        raise FormatError(f"{where}: names have 1 to {LONGEST_NAME} characters.")
    return SourceClass(name, (red, green, blue))


def _plain(name: str) -> str:
    return re.sub(r"[:\r\n]", " ", name)


def _numbers(colour: tuple[int, int, int]) -> str:
    return ",".join(map(str, colour))
