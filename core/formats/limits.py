"""What annotations from elsewhere may hold: checked before anything of that size is allocated."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from core.formats.source import FormatError, Size, sizes_differ
from core.images import MAX_PIXELS
from core.labels import LONGEST_NAME

MOST_BYTES = 2_000_000_000
"""Of an annotation file: a little less than the 2 GB that 32-bit readers can count."""

MOST_IMAGES = 1_000_000
MOST_LABELS = 10_000
MOST_POINTS = 500_000
"""Of one polygon."""

LONGEST_PATH = 1000
_FARTHEST = 1e6  # pixels from the origin
_LONGEST_OUTLINE = 2e6  # pixels: filling takes memory for every fifth of one

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def open_annotations(path: Path, most: int = MOST_BYTES) -> BinaryIO:
    """Open a file of at most ``most`` bytes for reading. Raises FormatError."""
    try:
        size = path.stat().st_size
        if size >= most:
            raise FormatError(
                f"{path.name}: {size / 1e9:.1f} GB is more than PetSeg reads of one file of this "
                f"kind ({most / 1e9:g} GB); split it first."
            )
        return open(path, "rb")
    except OSError as error:
        raise FormatError(f"{path.name}: cannot be read ({error.strerror or error}).") from error


def image_name(name: object, where: str) -> str:
    """The path of an image as annotations give it, with /; where it leads is for others to judge.

    Raises FormatError: no text, too long, with control characters.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_PATH:
        raise FormatError(f"{where}: the image's name is missing, or longer than any path.")
    if _CONTROL.search(name):
        raise FormatError(f"{where}: {name!r} holds control characters; no image is called so.")
    return name.replace("\\", "/")


def class_name(name: object, where: str) -> str:
    """A class's name as annotations give it. Raises FormatError."""
    text = name.strip() if isinstance(name, str) else ""
    if not 1 <= len(text) <= LONGEST_NAME or _CONTROL.search(text):
        raise FormatError(
            f"{where}: a class's name is text of 1 to {LONGEST_NAME} characters in one line."
        )
    return text


def image_size(width: object, height: object, where: str) -> Size:
    """(width, height) as whole numbers. Raises FormatError: none, or more than MAX_PIXELS."""
    whole = (whole_number(width), whole_number(height))
    if whole[0] is None or whole[1] is None or min(whole[0], whole[1]) < 1:
        raise FormatError(f"{where}: {width} x {height} is no size of an image.")
    if whole[0] * whole[1] > MAX_PIXELS:
        raise FormatError(
            f"{where}: {whole[0]} x {whole[1]} pixels is more than the limit of "
            f"{MAX_PIXELS // 1_000_000} megapixels."
        )
    return whole[0], whole[1]


def require_size(claimed: Size, size: Size, where: str) -> None:
    """Raises FormatError where annotations were made for an image of another size."""
    if claimed != size:
        raise FormatError(f"{where}: {sizes_differ(claimed, size)}.")


def whole_number(value: object) -> int | None:
    """A number without a fraction, given as int, float or text; None for anything else."""
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"-?[0-9]{1,15}", value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None


def ring(coordinates: Sequence[Any] | np.ndarray, where: str) -> np.ndarray:
    """x1, y1, x2, y2, ... of a polygon, in pixels, as float64, n x 2.

    Raises FormatError: fewer than 3 points or too many, an odd number of coordinates, what is no
    number or not finite, points far outside of any image, an outline that goes on for ever.
    """
    if len(coordinates) > 2 * MOST_POINTS:
        raise FormatError(
            f"{where}: a polygon of {len(coordinates) // 2:,} points; "
            f"PetSeg reads at most {MOST_POINTS:,}."
        )
    if len(coordinates) < 6 or len(coordinates) % 2:
        raise FormatError(
            f"{where}: {len(coordinates)} coordinates; a polygon has 3 points or more, of x and y."
        )
    try:
        points = np.asarray(coordinates, np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"{where}: coordinates that are no numbers.") from error
    if not np.isfinite(points).all():
        raise FormatError(f"{where}: coordinates that are not finite (NaN or infinity).")
    if np.abs(points).max() > _FARTHEST:
        raise FormatError(f"{where}: coordinates far outside of any image.")
    if np.abs(points - np.roll(points, 1, axis=0)).max(axis=1).sum() > _LONGEST_OUTLINE:
        raise FormatError(f"{where}: an outline of more than {_LONGEST_OUTLINE:,.0f} pixels.")
    return points
