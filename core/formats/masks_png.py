"""A mask file an image: class ids, 0 and 255, or colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from core.formats.items import Item, WriteOptions
from core.formats.labelmap import (
    LABELMAP,
    VOID_COLOUR,
    is_background,
    is_void,
    labelmap_beside,
    read_labelmap,
    write_labelmap,
)
from core.formats.mask_files import (
    by_colours,
    by_table,
    distinct_colours,
    first_mask,
    in_colours,
    list_masks,
    mask_entries,
    png,
    raw_values,
    sampled,
    write_each,
)
from core.formats.source import FormatError, ReadOptions, Source, SourceClass
from core.formats.trimaps import trimaps_in
from core.images import open_image
from core.labels import MAX_CLASSES, VOID, LabelScheme
from core.masks import MaskEncoding, detect_encoding, encode_mask, present_values

_BLACK = (0, 0, 0)
_Sample = tuple[set[int], bool, list[tuple[int, int, int]]]
_PALETTES = 20  # files whose palettes are looked at
_OTHER_FORMATS = ("*.json", "*.xml", "*.yaml", "annotations", "SegmentationClass")


def detects(path: Path) -> bool:
    """A folder of mask files and nothing that other formats have."""
    folder = _folder(path)
    if not path.is_dir() or any(True for pattern in _OTHER_FORMATS for _ in path.glob(pattern)):
        return False
    first = first_mask(folder)
    if first is None:
        return False
    try:
        if in_colours(folder, [first]):
            return bool(distinct_colours(folder / first))
        return bool(raw_values(folder / first))
    except FormatError:
        return False


def read(path: Path, options: ReadOptions) -> Source:
    """A folder of masks, what their numbers or colours mean found out. Raises FormatError."""
    folder = _folder(path)
    names = list_masks(folder)
    if in_colours(folder, names):
        return _in_colours(path, folder, names, options)
    samples = [raw for name in sampled(names) if (raw := _look(folder / name)) is not None]
    if not samples:
        raise FormatError(f"{folder}: none of its files can be read as a mask.")
    encoding = detect_encoding((values, palette) for values, palette, _ in samples)
    if encoding is MaskEncoding.BINARY255:
        return _binary(path, folder, names, 255)
    beside = options.colours or labelmap_beside(folder)
    if encoding is MaskEncoding.BINARY1 and beside is None:
        return _binary(path, folder, names, 1)
    if encoding is MaskEncoding.TRIMAP:
        return trimaps_in(path, folder, names)
    return id_source("png", path, folder, names, read_labelmap(beside) if beside else [])


def write(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """Palette PNGs of class ids, 255 void, and labelmap.txt. Raises WriteError."""
    write_labelmap(target / LABELMAP, scheme.classes, void=False)
    yield from write_each(items, target, lambda mask: encode_mask(mask, MaskEncoding.IDS, scheme))


def write_binary(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """PNGs of 0 (background, void) and 255 (any class). Raises WriteError."""

    def encode(mask: np.ndarray) -> bytes:
        return png(np.where((mask > 0) & (mask != VOID), 255, 0).astype(np.uint8))

    yield from write_each(items, target, encode)


def binary_losses(scheme: LabelScheme, options: WriteOptions) -> Sequence[str]:
    """See registry.Losses."""
    void = "Unlabelled pixels become background."
    if len(scheme.classes) == 2:
        return (void,)
    merged = ", ".join(scheme.names[1:])
    return (f"All classes but the background become one ({merged}).", void)


def write_colours(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """RGB PNGs in the classes' colours, and labelmap.txt.

    Raises FormatError: two classes, or one and void, have the same colour; WriteError.
    """
    table = np.zeros((256, 3), np.uint8)
    taken: dict[tuple[int, int, int], str] = {VOID_COLOUR: "void"}
    for label in scheme.classes:
        if label.colour in taken:
            raise FormatError(
                f"{label.name} and {taken[label.colour]} have the same colour: change one of them "
                "first (Edit > Classes)."
            )
        taken[label.colour] = label.name
        table[label.id] = label.colour
    table[VOID] = VOID_COLOUR
    write_labelmap(target / LABELMAP, scheme.classes, void=True)
    yield from write_each(items, target, lambda mask: png(table[mask]))


def colour_source(
    format_id: str,
    path: Path,
    entries: tuple[Path, list[str]],
    named: Sequence[SourceClass],
) -> Source:
    """Masks whose colours these classes name. Raises FormatError: a class without a colour."""
    folder, names = entries
    classes = [SourceClass("background", _BLACK)]
    colours: dict[tuple[int, int, int], int] = {}
    for label in named:
        if label.colour is None:
            raise FormatError(f"{label.name} has no colour: write lines of name: r, g, b.")
        if is_void(label.name):
            colours[label.colour] = VOID
        elif is_background(label.name):
            colours[label.colour] = 0
        elif label.colour not in colours:
            colours[label.colour] = len(classes)
            classes.append(label)
    colours.setdefault(_BLACK, 0)
    return Source(format_id, path, tuple(classes), mask_entries(folder, names, by_colours(colours)))


def id_source(
    format_id: str, path: Path, folder: Path, names: list[str], named: Sequence[SourceClass]
) -> Source:
    """Masks of ids that these classes name in their order; numbered where there are none.

    Where palettes are in another order than the classes, their colours count.
    """
    if _told_by_palettes(folder, names, named):
        return colour_source(format_id, path, (folder, names), named)
    if len(named) > 1 and is_void(named[0].name) and is_background(named[1].name):
        named = named[1:]  # as labelme numbers them, from -1
    rows: Sequence[SourceClass | None]
    notes: tuple[str, ...] = ()
    if named:
        first = [] if is_background(named[0].name) else [SourceClass("background", _BLACK)]
        rows = [*first, *named]
    else:
        rows, notes = _numbered(folder, names), (f"No {LABELMAP} names the classes.",)
    table = {VOID: VOID}
    classes: list[SourceClass] = []
    for number, row in enumerate(rows):
        if row is not None:
            table[number] = VOID if is_void(row.name) else len(classes)
        if row is not None and not is_void(row.name):
            classes.append(row)
    entries = mask_entries(folder, names, by_table(table))
    return Source(format_id, path, tuple(classes), entries, notes if len(classes) > 2 else ())


def _told_by_palettes(folder: Path, names: list[str], named: Sequence[SourceClass]) -> bool:
    """Whether masks' colours are all of these classes, and their numbers not in the same order.

    Many programs put palettes into an order of their own, another one in each file.
    """
    colours = {label.colour for label in named}
    if not named or None in colours:
        return False
    ordered = True
    for name in names[:: max(1, len(names) // _PALETTES)]:
        values, has_palette, palette = _look(folder / name) or (set(), False, [])
        if values and (not has_palette or not {palette[value] for value in values} <= colours):
            return False
        ordered &= all(v < len(named) and palette[v] == named[v].colour for v in values - {VOID})
    return not ordered


def _numbered(folder: Path, names: list[str]) -> list[SourceClass | None]:
    """A class for each number that some masks hold, None for the numbers between."""
    samples = [raw for name in sampled(names) if (raw := _look(folder / name)) is not None]
    values = set().union(*(found for found, _, _ in samples)) - {VOID}
    palette = next((colours for _, _, colours in samples if colours), None)
    rows: list[SourceClass | None] = [SourceClass("background", _BLACK)]
    for number in range(1, max(values, default=0) + 1):
        colour = palette[number] if palette else None
        rows.append(SourceClass(f"class {number}", colour) if number in values else None)
    return rows


def _in_colours(path: Path, folder: Path, names: list[str], options: ReadOptions) -> Source:
    beside = options.colours or labelmap_beside(folder)
    if beside is not None:
        named = read_labelmap(beside)
        if options.colours is not None or all(label.colour is not None for label in named):
            return colour_source("png", path, (folder, names), named)
    if not options.any_colours:
        raise FormatError(
            f"The masks in {folder} are in colours, and no {LABELMAP} beside them says what those "
            "mean. Write one (name: r, g, b a line) and give it with --colours FILE, or take each "
            "colour as a class of its own with --colours auto."
        )
    found: dict[tuple[int, int, int], None] = {}
    for name in sampled(names):
        found |= dict.fromkeys(distinct_colours(folder / name))
        if len(found) > MAX_CLASSES:
            raise FormatError(f"{folder}: more than {MAX_CLASSES} colours.")
    plain = [SourceClass("#{:02x}{:02x}{:02x}".format(*c), c) for c in sorted(found) if c != _BLACK]
    return colour_source("png", path, (folder, names), plain)


def _binary(path: Path, folder: Path, names: list[str], value: int) -> Source:
    classes = (SourceClass("background", _BLACK), SourceClass("object"))
    return Source("png", path, classes, mask_entries(folder, names, by_table({0: 0, value: 1})))


def _look(path: Path) -> _Sample | None:
    """A file's values, whether it has a palette, and that palette; None: it cannot be read."""
    try:
        values, has_palette = raw_values(path)
    except FormatError:
        return None
    return set(present_values(values)), has_palette, _palette_of(path) if has_palette else []


def some_palette(folder: Path, names: list[str]) -> list[tuple[int, int, int]]:
    """The 256 colours of the first mask file that can be read."""
    looks = (_look(folder / name) for name in sampled(names))
    return next((look[2] for look in looks if look is not None), [])


def _palette_of(path: Path) -> list[tuple[int, int, int]]:
    """The 256 colours of a palette file."""
    with open_image(path) as image:
        flat = (image.getpalette("RGB") or [])[: 3 * 256]
    flat += [0] * (3 * 256 - len(flat))
    return [(flat[i], flat[i + 1], flat[i + 2]) for i in range(0, 3 * 256, 3)]


def _folder(path: Path) -> Path:
    """The masks of a folder of images and masks."""
    return path / "masks" if (path / "masks").is_dir() else path
