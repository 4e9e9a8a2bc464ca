"""What all formats share that keep one mask file an image."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from core.files import WriteError
from core.formats.items import Item
from core.formats.source import Entry, FormatError, LazyEntries, Size, sizes_differ
from core.images import ImageError, image_size, open_image
from core.labels import MAX_CLASSES, listed
from core.masks import EXTENSIONS, MaskError, present_values, read_values

SAMPLE = 500
"""Mask files that are looked at to find out what they hold."""

Decode = Callable[[Path], np.ndarray]
"""A mask file -> uint8, height x width: positions in the classes, VOID. Raises FormatError."""


def mask_entries(folder: Path, names: Sequence[str], decode: Decode) -> LazyEntries:
    """One entry a mask file, its header read when it is asked for.

    names: of the files below ``folder``, with /.
    """

    def entry(number: int) -> Entry:
        path = folder / names[number]
        try:
            size = image_size(path)
        except ImageError:
            size = None  # named when the mask itself is asked for

        def read(wanted: Size) -> np.ndarray:
            if size is not None and size != wanted:
                raise FormatError(f"{path.name}: {sizes_differ(size, wanted)}")
            mask = decode(path)
            found = mask.shape[1], mask.shape[0]
            if found != wanted:
                raise FormatError(f"{path.name}: {sizes_differ(found, wanted)}")
            return mask

        return Entry(names[number], read, size)

    return LazyEntries(range(len(names)), entry)


def list_masks(folder: Path) -> list[str]:
    """The mask files below a folder, by name, with /. Raises FormatError: none."""
    if not folder.is_dir():
        raise FormatError(f"{folder} is no folder of mask files.")
    found = list(_walk(folder))
    if not found:
        raise FormatError(f"No mask files in {folder} ({', '.join(EXTENSIONS)}).")
    return found


def first_mask(folder: Path) -> str | None:
    """The name of some mask file below a folder, found without listing all of it."""
    return next(_walk(folder), None)


def _walk(folder: Path) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(here).relative_to(folder).as_posix()
        start = "" if below == "." else below + "/"
        for name in sorted(names):
            if name.lower().endswith(EXTENSIONS) and not name.startswith("."):
                yield start + name


def in_colours(folder: Path, names: Sequence[str]) -> bool:
    """Whether mask files hold colours in place of numbers, as the first that can be read does.

    Raises FormatError: none can be.
    """
    for name in sampled(names):
        try:
            with open_image(folder / name) as image:
                return image.mode in ("RGB", "RGBA")
        except ImageError:
            continue  # named when the mask itself is asked for
    raise FormatError(f"{folder}: none of its files can be read as a mask.")


def sampled(names: Sequence[str]) -> Sequence[str]:
    """Some of the names, evenly over all of them: reading every one of many takes minutes."""
    return names[:: max(1, len(names) // SAMPLE)]


def raw_values(path: Path) -> tuple[np.ndarray, bool]:
    """As ``masks.read_values``. Raises FormatError."""
    try:
        return read_values(path)
    except MaskError as error:
        raise FormatError(str(error)) from error


def by_table(table: dict[int, int]) -> Decode:
    """Decodes mask files whose numbers mean positions (or VOID) as the table says."""
    lut = np.full(256, -1, np.int16)
    for value, position in table.items():
        lut[value] = position

    def decode(path: Path) -> np.ndarray:
        values, _ = raw_values(path)
        unknown = [v for v in present_values(values) if lut[v] < 0]
        if unknown:
            raise FormatError(f"{path.name}: values that are no class: {listed(unknown)}.")
        mask: np.ndarray = lut.astype(np.uint8)[values]
        return mask

    return decode


def by_colours(colours: dict[tuple[int, int, int], int]) -> Decode:
    """Decodes masks in RGB colours that mean positions (or VOID) as the table says."""
    packed = sorted((_pack(np.array(colour)), position) for colour, position in colours.items())
    codes = np.array([code for code, _ in packed], np.uint32)
    positions = np.array([position for _, position in packed], np.uint8)

    def decode(path: Path) -> np.ndarray:
        pixels = _pack(read_colours(path))
        place = np.searchsorted(codes, pixels).clip(max=len(codes) - 1)
        unknown = codes[place] != pixels
        if unknown.any():
            found = [_hex(code) for code in np.unique(pixels[unknown])[:20]]
            raise FormatError(f"{path.name}: colours that are no class: {listed(found)}.")
        mask: np.ndarray = positions[place]
        return mask

    return decode


def read_colours(path: Path) -> np.ndarray:
    """A mask file's colours, uint8, height x width x 3. Raises FormatError."""
    try:
        with open_image(path) as image:
            return np.asarray(image.convert("RGB"))
    except ImageError as error:
        raise FormatError(f"{path.name}: {error.reason}.") from error


def distinct_colours(path: Path) -> list[tuple[int, int, int]]:
    """A mask file's colours. Raises FormatError: more of them than there can be classes."""
    codes = np.unique(_pack(read_colours(path)))
    if len(codes) > MAX_CLASSES:
        raise FormatError(
            f"{path.name}: {len(codes)} colours: a photo, or a mask with smoothed edges."
        )
    return [(int(c) >> 16, (int(c) >> 8) & 255, int(c) & 255) for c in codes]


def png(pixels: np.ndarray) -> bytes:
    """Pixels (uint8, height x width, or x 3 or 4 channels) as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def write_each(
    items: Iterable[Item], folder: Path, encode: Callable[[np.ndarray], bytes], suffix: str = ".png"
) -> Iterator[str]:
    """One file an item, named as the item. Raises WriteError."""
    for item in items:
        put(folder / (item.stem + suffix), encode(item.mask()))
        yield item.name


def put(path: Path, data: bytes) -> None:
    """Write a file of an export, whose folder is nobody's yet. Raises WriteError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise WriteError(f"Cannot write {path}: {error.strerror or error}.") from error


def _pack(colours: np.ndarray) -> np.ndarray:
    """RGB (last axis) as one number each, uint32."""
    wide = colours.astype(np.uint32)
    packed: np.ndarray = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return packed


def _hex(code: int) -> str:
    return f"#{int(code):06x}"
