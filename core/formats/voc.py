"""Pascal VOC: SegmentationClass palette PNGs, 255 void, ImageSets, JPEGImages, labelmap.txt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.formats.items import Item, WriteOptions
from core.formats.labelmap import LABELMAP, labelmap_beside, read_labelmap, write_labelmap
from core.formats.mask_files import in_colours, list_masks, put, write_each
from core.formats.masks_png import colour_source, id_source, some_palette
from core.formats.photos import copy_photo
from core.formats.source import FormatError, ReadOptions, Source, SourceClass
from core.labels import VOID, LabelScheme, listed
from core.masks import MaskEncoding, encode_mask

_MASKS = "SegmentationClass"
_PHOTOS = "JPEGImages"
_LISTS = Path("ImageSets", "Segmentation")
_CLASSES_2012 = """
    background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse
    motorbike person pottedplant sheep sofa train tvmonitor
""".split()  # noqa: SIM905


def detects(path: Path) -> bool:
    """A folder with SegmentationClass, or that folder itself."""
    return _root(path) is not None


def read(path: Path, options: ReadOptions) -> Source:
    """A data set's folder (also VOCdevkit, with one year in it). Raises FormatError."""
    root = _root(path)
    if root is None:
        raise FormatError(f"{path} holds no {_MASKS}.")
    folder = root / _MASKS
    names = list_masks(folder)
    beside = options.colours or labelmap_beside(folder)
    named = read_labelmap(beside) if beside is not None else []
    if in_colours(folder, names):
        colours = named or [
            SourceClass(name, colour_2012(i)) for i, name in enumerate(_CLASSES_2012)
        ] + [SourceClass("void", colour_2012(VOID))]
        return colour_source("voc", path, (folder, names), colours)
    palette = some_palette(folder, names)
    ours = [colour_2012(i) for i in range(len(_CLASSES_2012))]
    if not named and palette[: len(ours)] == ours:
        named = [SourceClass(*pair) for pair in zip(_CLASSES_2012, ours, strict=True)]
    return id_source("voc", path, folder, names, named)


def write(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """The data set's folders; lists of train, val and test where the split says so.

    Raises WriteError.
    """
    lists: dict[str, list[str]] = {}

    def listing() -> Iterator[Item]:
        for item in items:
            if "\n" in item.name or "\r" in item.name:
                item.leave_out("VOC's lists cannot hold a name of two lines; rename it first")
                continue
            if options.photos:
                copy_photo(item, target / _PHOTOS)
            yield item
            for part in _parts(item.subset):
                lists.setdefault(part, []).append(item.stem)

    write_labelmap(target / LABELMAP, scheme.classes, void=False)
    yield from write_each(
        listing(), target / _MASKS, lambda mask: encode_mask(mask, MaskEncoding.IDS, scheme)
    )
    for part, stems in lists.items():
        lines = "".join(f"{stem}\n" for stem in stems)
        put(target / _LISTS / f"{part}.txt", lines.encode(errors="surrogateescape"))


def losses(scheme: LabelScheme, options: WriteOptions) -> Sequence[str]:
    """See registry.Losses."""
    if not options.photos:
        return ()
    return ("Photos that are no JPEG files are copied as they are: some readers want .jpg.",)


def colour_2012(index: int) -> tuple[int, int, int]:
    """The colour of an index in VOC's own palette (by the development kit's VOCcolormap)."""
    red = green = blue = 0
    for bit in range(8):
        red |= (index >> (3 * bit) & 1) << (7 - bit)
        green |= (index >> (3 * bit + 1) & 1) << (7 - bit)
        blue |= (index >> (3 * bit + 2) & 1) << (7 - bit)
    return red, green, blue


def _parts(subset: str) -> Sequence[str]:
    """The lists that an image of a subset stands in; of none: with those that train."""
    if subset == "test":
        return ("test",)
    return (subset, "trainval") if subset else ("trainval",)


def _root(path: Path) -> Path | None:
    if not path.is_dir():
        return None
    if path.name == _MASKS:
        return path.parent
    if (path / _MASKS).is_dir():
        return path
    years = [year for year in path.glob("VOC*") if (year / _MASKS).is_dir()]
    years += [year for year in path.glob("VOCdevkit/VOC*") if (year / _MASKS).is_dir()]
    if len(years) > 1:
        raise FormatError(f"{path} holds {listed(y.name for y in years)}: choose one of them.")
    return years[0] if years else None
