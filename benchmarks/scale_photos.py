"""Very many small photos, each another one, with their masks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZE = 64, 48
_A_FOLDER = 1000
_BLOBS = 6, 8  # the random colours that a photo is made of


def draw_photos(folder: Path, images: int) -> Iterator[int]:
    """Make images/000/000000.jpg ... and masks/: an ellipse before random soft colours.

    Yields the number of those that are there, a folder after the other.
    """
    for first in range(0, images, _A_FOLDER):
        numbers = range(first, min(first + _A_FOLDER, images))
        for number in numbers:
            _draw(folder, number)
        yield numbers.stop


def part_of(folder: Path, images: int, part: Path) -> Path:
    """The first so many of the photos and masks, as hard links."""
    for number in range(images):
        for name in (_name("images", number, "jpg"), _name("masks", number, "png")):
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(folder / name, part / name)
    return part


def _name(kind: str, number: int, extension: str) -> str:
    return f"{kind}/{number // _A_FOLDER:03}/{number:06}.{extension}"


def _draw(folder: Path, number: int) -> None:
    random = np.random.default_rng(number)
    photo = cv2.resize(
        random.integers(0, 200, (*_BLOBS, 3), dtype=np.uint8), SIZE, interpolation=cv2.INTER_CUBIC
    )
    mask = np.zeros(SIZE[::-1], np.uint8)
    centre = random.integers((16, 12), (48, 36)).tolist()
    axes = random.integers(6, (22, 16)).tolist()
    cv2.ellipse(mask, centre, axes, float(random.integers(180)), 0, 360, (1,), -1)
    photo[mask == 1] = photo[mask == 1] // 4 + np.array((180, 150, 110), np.uint8)
    for kind, pixels, extension in (("images", photo, "jpg"), ("masks", mask, "png")):
        path = folder / _name(kind, number, extension)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
