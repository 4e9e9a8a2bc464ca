"""Mask <-> file: the encodings that folders use, read strictly and written atomically."""

from __future__ import annotations

import io
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from core import files
from core.errors import BadInput
from core.images import ImageError, open_image
from core.labels import VOID, LabelScheme, listed

_SOFT = 128  # so many classes are rarer than masks whose edges were smoothed
EXTENSIONS = (".png", ".tif", ".tiff", ".bmp", ".gif")


class MaskEncoding(StrEnum):
    """What the numbers in a folder's mask files mean."""

    IDS = "ids"  # class ids, 255 void
    BINARY255 = "binary255"  # 0 background, 255 the object
    BINARY1 = "binary1"  # 0 background, 1 the object
    TRIMAP = "trimap"  # 1 pet, 2 background, 3 border (Oxford-IIIT Pet)


class MaskError(BadInput):
    """A mask file that cannot be used; the message names the file and the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


def read_mask(
    path: Path, encoding: MaskEncoding, scheme: LabelScheme, size: tuple[int, int] | None = None
) -> np.ndarray:
    """Read a mask file as class ids: uint8, height x width, ids of ``scheme`` and VOID.

    size: (width, height) of the photo. Raises MaskError: not an image, of another size, of
    several colours, or with values that the encoding or scheme does not know.
    """
    values, _ = read_values(path)
    if size is not None and (values.shape[1], values.shape[0]) != size:
        raise MaskError(
            path,
            f"the mask is {values.shape[1]} x {values.shape[0]} pixels, its photo "
            f"{size[0]} x {size[1]}; a mask must have its photo's size",
        )
    table = _decoding(encoding, scheme)
    unknown = [int(v) for v in present_values(values) if table[v] < 0]
    if unknown:
        raise MaskError(
            path, f"values that are no class of this project ({encoding}): {listed(unknown)}"
        )
    mask: np.ndarray = table.astype(np.uint8)[values]
    return mask


def read_values(path: Path) -> tuple[np.ndarray, bool]:
    """A mask file's raw numbers (uint8, height x width) and whether it has a palette.

    Raises MaskError.
    """
    try:
        with open_image(path) as image:
            mode = image.mode
            if mode == "1":
                image = image.convert("L")
            values = np.asarray(image)
    except ImageError as error:
        raise MaskError(path, error.reason) from error
    if values.ndim == 3:
        colours = values[..., :1] if mode in ("LA", "La", "PA") else values[..., :3]
        if (colours != colours[..., :1]).any():
            raise MaskError(path, "a mask in colours (3 channels); masks hold one number a pixel")
        values = np.ascontiguousarray(colours[..., 0])
    if values.dtype != np.uint8:
        with np.errstate(invalid="ignore"):  # NaN
            whole = values.clip(0, 255).astype(np.uint8)
        if (whole != values).any():
            raise MaskError(path, "holds values that are no class ids (whole numbers, 0 to 255)")
        values = whole
    return values, mode == "P"


def present_values(values: np.ndarray) -> list[int]:
    """The sorted distinct values of a uint8 array."""
    return [int(v) for v in np.flatnonzero(np.bincount(values.ravel(), minlength=256))]


def can_hold(encoding: MaskEncoding, value: int) -> bool:
    """Whether mask files of an encoding can hold a class id (or VOID) at all."""
    if encoding is MaskEncoding.IDS:
        return True
    return value in ((0, 1, 2, VOID) if encoding is MaskEncoding.TRIMAP else (0, 1))


def encode_mask(mask: np.ndarray, encoding: MaskEncoding, scheme: LabelScheme) -> bytes:
    """A mask (uint8, height x width, class ids and VOID) as the bytes of a PNG file.

    ``ids`` becomes a palette PNG in the scheme's colours. Raises BadInput where the encoding
    cannot hold a value (void or a third class in a binary folder).
    """
    if encoding is MaskEncoding.IDS:
        image = Image.fromarray(mask, mode="P")
        image.putpalette(_palette(scheme))
    else:
        decoding = _decoding(encoding, scheme)
        lut = np.full(256, -1, np.int16)
        for value in range(255, -1, -1):
            if decoding[value] >= 0:
                lut[decoding[value]] = value
        impossible = [v for v in present_values(mask) if lut[v] < 0]
        if impossible:
            names = listed("void" if v == VOID else f"class {v}" for v in impossible)
            raise BadInput(
                f"This folder's masks are {encoding}: they cannot hold {names}. Choose such a "
                "class in the window: it then offers to convert the masks to class ids."
            )
        image = Image.fromarray(lut[mask].astype(np.uint8), mode="L")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def write_mask(
    path: Path,
    mask: np.ndarray,
    scheme: LabelScheme,
    encoding: MaskEncoding = MaskEncoding.IDS,
) -> str:
    """Write a mask atomically; returns the SHA-256 of the file. Raises WriteError, BadInput."""
    data = encode_mask(mask, encoding, scheme)
    files.write_bytes(path, data)
    return files.sha256(data)


def detect_encoding(samples: Iterable[tuple[set[int], bool]]) -> MaskEncoding | None:
    """The encoding of a folder's masks from each file's (values, has a palette).

    None where the values fit more than one reading (only zeros, or 1 and 2 alone).
    """
    values: set[int] = set()
    palette = False
    for file_values, file_palette in samples:
        values |= file_values
        palette |= file_palette
    if not values - {0} and not palette:
        return None
    if not palette and VOID in values and max(values - {VOID}, default=0) >= _SOFT:
        # 0/255 with soft edges: such files are then named one by one.
        return MaskEncoding.BINARY255
    if palette or not values <= {0, 1, 2, 3, VOID}:
        return MaskEncoding.IDS
    if values <= {0, 255}:
        return MaskEncoding.BINARY255
    if values <= {0, 1}:
        return MaskEncoding.BINARY1
    if values <= {1, 2, 3}:
        # Without its border a trimap looks like ids without background.
        return MaskEncoding.TRIMAP if 3 in values else None
    return MaskEncoding.IDS


def _decoding(encoding: MaskEncoding, scheme: LabelScheme) -> np.ndarray:
    """int16[256]: file value -> class id, -1 where the value means nothing."""
    table = np.full(256, -1, np.int16)
    if encoding is MaskEncoding.IDS:
        table[: len(scheme.classes)] = np.arange(len(scheme.classes))
        table[VOID] = VOID
    elif encoding is MaskEncoding.BINARY255:
        table[0], table[255] = 0, 1
    elif encoding is MaskEncoding.BINARY1:
        table[0], table[1] = 0, 1
    else:
        # Class 2 stays the border where classes were added behind it.
        table[1], table[2], table[3] = 1, 0, 2 if scheme.names[2:3] == ["border"] else 1
        table[VOID] = VOID
    return table


def _palette(scheme: LabelScheme) -> list[int]:
    colours = np.zeros((256, 3), np.uint8)
    for label in scheme.classes:
        colours[label.id] = label.colour
    colours[VOID] = (128, 128, 128)
    return [int(v) for v in colours.ravel()]
