"""Pictures and figures to look at and to go on with: these are written only."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from core.files import WriteError
from core.formats.items import Item, WriteOptions
from core.formats.mask_files import png, put
from core.images import ImageError, encode_jpeg, read_image
from core.labels import VOID, LabelScheme
from core.spreadsheet import cell

_OPACITY = 0.45
_VOID_GREY = (128, 128, 128)
_COLUMNS = ("image", "class", "pixels", "share", "parts", "left", "top", "width", "height")


def write_cut_outs(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """The photo as RGBA PNG, see-through where the mask is background or void."""
    for item, pixels in _with_pixels(items):
        mask = item.mask()
        alpha = np.where((mask > 0) & (mask != VOID), 255, 0).astype(np.uint8)
        put(target / f"{item.stem}.png", png(np.dstack([pixels, alpha])))
        yield item.name


def write_overlays(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """The photo with its classes tinted and outlined, as JPEG."""
    for item, pixels in _with_pixels(items):
        picture = draw_overlay(pixels, item.mask(), scheme)
        put(target / f"{item.stem}.jpg", encode_jpeg(picture))
        yield item.name


def write_side_by_side(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """The photo, and to its right the mask in the classes' colours, as one PNG."""
    table = np.zeros((256, 3), np.uint8)
    for label in scheme.classes:
        table[label.id] = label.colour
    table[VOID] = _VOID_GREY
    for item, pixels in _with_pixels(items):
        put(target / f"{item.stem}.png", png(np.hstack([pixels, table[item.mask()]])))
        yield item.name


def write_areas(
    items: Iterable[Item], scheme: LabelScheme, target: Path, options: WriteOptions
) -> Iterator[str]:
    """A table, a line an image and class that it holds: see ``areas``. Raises WriteError."""
    try:
        with open(target, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            table = csv.writer(file)
            table.writerow(_COLUMNS)
            for item in items:
                table.writerows(areas(item.name, item.mask(), scheme))
                yield item.name
    except OSError as error:
        raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error


def areas(name: str, mask: np.ndarray, scheme: LabelScheme) -> list[tuple[str | int | float, ...]]:
    """Per class but the background: name, class, pixels, share of the photo (0 to 1), parts, box.

    mask: uint8, height x width. Parts are connected over edges and corners; the box, in pixels,
    holds all of them. An image without any object has no line.
    """
    rows: list[tuple[str | int | float, ...]] = []
    for label in scheme.classes[1:]:
        inside = (mask == label.id).astype(np.uint8)
        pixels = int(np.count_nonzero(inside))
        if pixels:
            parts = cv2.connectedComponents(inside, connectivity=8)[0] - 1
            share = round(pixels / mask.size, 6)
            box = cv2.boundingRect(inside)
            rows.append((cell(name), cell(label.name), pixels, share, parts, *box))
    return rows


def picture_losses(scheme: LabelScheme, options: WriteOptions) -> Sequence[str]:
    """See registry.Losses."""
    return ("For people to look at: pictures cannot be imported again.",)


def area_losses(scheme: LabelScheme, options: WriteOptions) -> Sequence[str]:
    """See registry.Losses."""
    return ("The masks themselves: it is a table.",)


def cut_out_losses(scheme: LabelScheme, options: WriteOptions) -> Sequence[str]:
    """See registry.Losses."""
    border = " and the border" if scheme.border_id is not None else ""
    return (
        f"Every class{border} is cut out; background and unlabelled pixels become see-through.",
        *picture_losses(scheme, options),
    )


def draw_overlay(pixels: np.ndarray, mask: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """The image with its mask's classes tinted and outlined: uint8 RGB, height x width x 3."""
    picture = pixels.copy()
    for label in scheme.classes[1:]:
        inside = mask == label.id
        colour = np.array(label.colour, np.float32)
        tinted = picture[inside] * (1 - _OPACITY) + colour * _OPACITY
        picture[inside] = tinted.astype(np.uint8)
    foreground = ((mask > 0) & (mask != VOID)).astype(np.uint8)
    contours, _ = cv2.findContours(foreground, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    width = max(1, round(max(mask.shape) / 300))
    cv2.drawContours(picture, contours, -1, (255, 255, 255), width)
    return picture


def _with_pixels(items: Iterable[Item]) -> Iterator[tuple[Item, np.ndarray]]:
    """Items with their photos, uint8 RGB; one whose photo cannot be read is left out."""
    for item in items:
        try:
            pixels = read_image(item.image).pixels
        except ImageError as error:
            item.leave_out(error.reason)
        else:
            yield item, pixels
