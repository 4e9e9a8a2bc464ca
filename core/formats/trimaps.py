"""Oxford-IIIT Pet: annotations/trimaps/NAME.png, 1 pet, 2 background, 3 border."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from core.formats.items import Item, WriteOptions
from core.formats.mask_files import by_table, list_masks, mask_entries, png, write_each
from core.formats.photos import copy_photo
from core.formats.source import ReadOptions, Source, SourceClass
from core.labels import BACKGROUND, TRIMAP, VOID, LabelScheme

_PLACE = Path("annotations", "trimaps")
_CLASSES = tuple(SourceClass(c.name, c.colour) for c in TRIMAP.classes)
_PET, _BACKGROUND, _BORDER = 1, 2, 3


def detects(path: Path) -> bool:
    """annotations/trimaps, or a folder of that name."""
    return (path / _PLACE).is_dir() or (path.is_dir() and path.name == _PLACE.name)


def read(path: Path, options: ReadOptions) -> Source:
    """The data set's folder, or that of its trimaps. Raises FormatError."""
    folder = path / _PLACE if (path / _PLACE).is_dir() else path
    return trimaps_in(path, folder, list_masks(folder))


def trimaps_in(path: Path, folder: Path, names: list[str]) -> Source:
    """The trimaps of these names below a folder."""
    table = {_PET: 1, _BACKGROUND: 0, _BORDER: 2, VOID: VOID}
    return Source("oxford", path, _CLASSES, mask_entries(folder, names, by_table(table)))


def write(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """annotations/trimaps, and images beside it where photos are wanted. Raises WriteError."""
    table = np.full(256, _PET, np.uint8)
    table[BACKGROUND], table[VOID] = _BACKGROUND, VOID
    if scheme.border_id is not None:
        table[scheme.border_id] = _BORDER

    def photographed() -> Iterator[Item]:
        for item in items:
            if options.photos:
                copy_photo(item, target / "images")
            yield item

    yield from write_each(photographed(), target / _PLACE, lambda mask: png(table[mask]))


def losses(scheme: LabelScheme, options: WriteOptions) -> Sequence[str]:
    """See registry.Losses."""
    told = []
    objects = [c.name for c in scheme.classes[1:] if c.id != scheme.border_id]
    if len(objects) > 1:
        told.append(f"All classes but background and border become pet ({', '.join(objects)}).")
    if scheme.border_id is None:
        told.append("There is no border class: no pixel of these trimaps is a border.")
    told.append("Unlabelled pixels are written as 255, which other readers of trimaps do not know.")
    return told
