"""Masks with everything that outlines get wrong, and a way there and back through a format."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from core.formats.items import Item, WriteOptions
from core.formats.registry import format_of
from core.formats.source import ReadOptions, Source
from core.labels import LabelScheme, scheme_of

SCHEME = scheme_of("things", ["background", "cat", "dog & 'bone' <1>", "grass"])
SIZE = (96, 64)


@cache
def draw(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A mask of four classes: blobs, rings in rings, thin lines, specks; also at the edges."""
    rng = np.random.default_rng(seed)
    width, height = size
    mask = np.zeros((height, width), np.uint8)

    def point() -> tuple[int, int]:
        return int(rng.integers(-5, width + 5)), int(rng.integers(-5, height + 5))

    for value in (1, 2, 3):
        turn = float(rng.uniform(0, 180))
        cv2.ellipse(mask, point(), (int(rng.integers(3, 30)), 12), turn, 0, 360, value, -1)
    centre = point()
    for radius, value in ((21, 1), (16, 0), (11, 1), (6, 0), (2, 2)):
        cv2.circle(mask, centre, radius, value, -1)
    for _ in range(3):
        cv2.line(mask, point(), point(), int(rng.integers(0, 4)), 1)
    specks = rng.random(mask.shape) < 0.001
    mask[specks] = rng.integers(0, 4, int(specks.sum()))
    mask.flags.writeable = False
    return mask


def drawn(count: int) -> list[np.ndarray]:
    return [draw(seed) for seed in range(count)]


def items(masks: Sequence[np.ndarray], folder: Path, subsets: Sequence[str] = ("",)) -> list[Item]:
    """One image a mask, below ``folder``: pets/0.png and so on; subsets take turns."""
    (folder / "pets").mkdir(parents=True, exist_ok=True)
    found = []
    for number, mask in enumerate(masks):
        name = f"pets/{number}.png"
        Image.fromarray(mask).save(folder / name)
        size = (mask.shape[1], mask.shape[0])
        subset = subsets[number % len(subsets)]
        found.append(Item(name, folder / name, size, lambda mask=mask: mask, subset=subset))
    return found


def write(
    format_id: str,
    masks: Sequence[np.ndarray],
    folder: Path,
    *,
    polygons: bool = False,
    photos: bool = False,
    subsets: Sequence[str] = ("",),
    scheme: LabelScheme = SCHEME,
) -> Path:
    """Export masks; returns the file or folder that was written."""
    known = format_of(format_id)
    assert known.write is not None
    target = folder / f"export{known.suffix}"
    if not known.suffix:
        target.mkdir()
    options = WriteOptions(photos=photos, polygons=polygons)
    given = items(masks, folder / "photos", subsets)
    assert list(known.write(given, scheme, target, options)) == [item.name for item in given]
    return target


def read(path: Path, format_id: str) -> Source:
    known = format_of(format_id)
    assert known.read is not None
    return known.read(path, ReadOptions())


def masks_of(source: Source, masks: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
    """What a source says of each of the exported masks, in the class ids of SCHEME."""
    names = [c.name for c in source.classes]
    table = np.arange(256, dtype=np.uint8)
    table[: len(names)] = [SCHEME.names.index(name) for name in names]
    found = {}
    for entry in source.entries:
        number = int(Path(entry.image).stem)
        height, width = masks[number].shape
        found[number] = table[entry.read((width, height))]
    return found


def beside_borders(mask: np.ndarray) -> np.ndarray:
    """The pixels at most 1 px from a border between classes: bool."""
    around = np.ones((3, 3), np.uint8)
    near: np.ndarray = cv2.dilate(mask, around) != cv2.erode(mask, around)
    return near
