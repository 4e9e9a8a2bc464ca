"""Every format by its id. Its module is imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from core.formats.items import Item, WriteOptions
from core.formats.source import FormatError, ReadOptions, Source
from core.labels import LabelScheme

Read = Callable[[Path, ReadOptions], Source]
"""What to read (a file or folder) -> what it holds. Raises FormatError."""

Write = Callable[[Iterable[Item], LabelScheme, Path, WriteOptions], Generator[str, None, None]]
"""Into an empty new folder, or for a format of one file into a new file of it.

Yields an image's name when it is done; closing it cancels. Raises PetSegError.
"""

Losses = Callable[[LabelScheme, WriteOptions], Sequence[str]]
"""What the format cannot hold of masks of this scheme, said before an export."""

Detects = Callable[[Path], bool]
"""Whether a file or folder looks like this format: by names, or a file's first bytes."""


@dataclass(frozen=True)
class Format:
    """One format. title, what: for people. suffix: of its one file, "" where it is a folder.

    photos: whether it has a place for photos; polygons: whether masks may be written as outlines
    instead of exactly.
    """

    id: str
    title: str
    what: str
    read: Read | None = None
    write: Write | None = None
    losses: Losses = lambda scheme, options: ()
    detects: Detects = lambda path: False
    suffix: str = ""
    photos: bool = False
    polygons: bool = False


def _late(module: str, name: str) -> Callable[..., Any]:
    def call(*arguments: object) -> Any:
        return getattr(import_module(f"core.formats.{module}"), name)(*arguments)

    return call


def _functions(module: str) -> dict[str, Any]:
    """What a module has that reads and writes one format."""
    return {name: _late(module, name) for name in ("read", "write", "losses", "detects")}


_PLAIN = "png"
FORMATS: tuple[Format, ...] = (
    Format(
        "png",
        "PNG masks",
        "A PNG of class ids an image; reads 0 and 255, palettes and colours too",
        _late("masks_png", "read"),
        _late("masks_png", "write"),
        detects=_late("masks_png", "detects"),
    ),
    Format(
        "png-255",
        "PNG masks, 0 and 255",
        "A black and white PNG an image",
        write=_late("masks_png", "write_binary"),
        losses=_late("masks_png", "binary_losses"),
    ),
    Format(
        "png-colours",
        "PNG masks in colours",
        "An RGB PNG an image in the classes' colours, with labelmap.txt",
        write=_late("masks_png", "write_colours"),
    ),
    Format(
        "oxford",
        "Oxford-IIIT Pet trimaps",
        "annotations/trimaps: 1 pet, 2 background, 3 border",
        **_functions("trimaps"),
        photos=True,
    ),
    Format(
        "voc",
        "Pascal VOC",
        "SegmentationClass palette PNGs, 255 void, with lists of train and val",
        **_functions("voc"),
        photos=True,
    ),
    Format(
        "coco",
        "COCO",
        "One JSON file, as pycocotools and most trainers read it",
        **_functions("coco"),
        photos=True,
        polygons=True,
    ),
    Format(
        "yolo",
        "YOLO segmentation",
        "data.yaml and a text file of polygons an image",
        **_functions("yolo"),
        photos=True,
    ),
    Format(
        "labelme",
        "labelme",
        "A JSON file an image",
        **_functions("labelme"),
        photos=True,
        polygons=True,
    ),
    Format(
        "cvat",
        "CVAT for images 1.1",
        "One XML file, as CVAT exports and imports it",
        **_functions("cvat"),
        suffix=".xml",
        polygons=True,
    ),
    Format(
        "cutout",
        "Cut-outs",
        "The photo as a PNG that is see-through outside of the objects",
        write=_late("pictures", "write_cut_outs"),
        losses=_late("pictures", "cut_out_losses"),
    ),
    Format(
        "overlay",
        "Overlays",
        "The photo with its mask laid over it, as a JPEG",
        write=_late("pictures", "write_overlays"),
        losses=_late("pictures", "picture_losses"),
    ),
    Format(
        "side-by-side",
        "Side by side",
        "The photo and its mask beside each other, as a PNG",
        write=_late("pictures", "write_side_by_side"),
        losses=_late("pictures", "picture_losses"),
    ),
    Format(
        "areas",
        "Areas and boxes (CSV)",
        "A table: pixels, share, parts and box of each image and class",
        write=_late("pictures", "write_areas"),
        losses=_late("pictures", "area_losses"),
        suffix=".csv",
    ),
)


def format_of(format_id: str) -> Format:
    """Raises FormatError, naming the ids there are."""
    for known in FORMATS:
        if known.id == format_id:
            return known
    raise FormatError(
        f"{format_id} is no format. PetSeg knows {', '.join(known.id for known in FORMATS)}."
    )


def detect(path: Path) -> Format:
    """The format that a file or folder is in. Raises FormatError: none, or more than one."""
    if not path.exists():
        raise FormatError(f"{path} does not exist.")
    found = [known for known in FORMATS if known.read is not None and known.detects(path)]
    # Plain mask files are a part of other formats too.
    found = [known for known in found if known.id != _PLAIN] or found
    if len(found) == 1:
        return found[0]
    ids = ", ".join(known.id for known in found or FORMATS if known.read is not None)
    reason = "fits more than one format" if found else "is in no format that PetSeg knows by itself"
    raise FormatError(f"{path} {reason}. Say which with --format: {ids}.")
