"""Real masks through COCO, YOLO, labelme and CVAT and back, and COCO files of any size.

``python -m benchmarks.formats DATA [--masks 200] [--images 100000]``: DATA is a copy of Oxford-IIIT
Pet. First each format's round trip of real trimaps: pixels that changed, of those the ones farther
than 1 px from a border, size, time a mask. Then a COCO file of many images, ten annotations each:
time to write and to read it, and the memory of the process before and after.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.report import Row, json_argument, print_table, report
from core.formats.items import Item, WriteOptions
from core.formats.registry import format_of
from core.formats.source import ReadOptions
from core.labels import TRIMAP
from core.masks import MaskEncoding, read_mask

WAYS = (
    ("coco", False),
    ("coco", True),
    ("yolo", True),
    ("labelme", False),
    ("labelme", True),
    ("cvat", False),
    ("cvat", True),
)
OBJECTS = 10  # an image of the large file


def main() -> int:
    """Run both parts."""
    parser = json_argument("Round trips through annotation formats, and COCO at size.")
    parser.add_argument("data", type=Path, help="a copy of Oxford-IIIT Pet")
    parser.add_argument("--masks", type=int, default=200)
    parser.add_argument("--images", type=int, default=100_000)
    arguments = parser.parse_args()
    trimaps = sorted((arguments.data / "annotations" / "trimaps").glob("[!.]*.png"))
    masks = [read_mask(path, MaskEncoding.TRIMAP, TRIMAP) for path in trimaps[: arguments.masks]]
    if not masks:
        raise SystemExit(f"{arguments.data} holds no annotations/trimaps/*.png")
    rows: list[Row] = []
    table = []
    for format_id, polygons in WAYS:
        cells, found = _round_trip(format_id, polygons, masks)
        table.append(cells)
        rows += found
    print(
        f"{len(masks)} masks, {sum(m.size for m in masks) / len(masks) / 1e6:.2f} megapixels each\n"
    )
    header = ["format", "as", "changed", "beyond 1 px", "KB a mask", "ms to write", "ms to read"]
    print_table(header, table)
    print()
    return report([*rows, *_large(arguments.images)], arguments.json)


def _round_trip(
    format_id: str, polygons: bool, masks: Sequence[np.ndarray]
) -> tuple[list[str], list[Row]]:
    known = format_of(format_id)
    assert known.write is not None
    assert known.read is not None
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"export{known.suffix}"
        if not known.suffix:
            target.mkdir()
        options = WriteOptions(polygons=polygons)
        started = time.perf_counter()
        for _ in known.write(_items(masks), TRIMAP, target, options):
            pass
        written = time.perf_counter()
        source = known.read(target, ReadOptions())
        names = [c.name for c in source.classes]
        table = np.array([TRIMAP.names.index(name) for name in names], np.uint8)
        again = {}
        for entry in source.entries:
            number = int(Path(entry.image).stem)
            again[number] = table[entry.read(_size(masks[number]))]
        ended = time.perf_counter()
        files = [target, *target.rglob("*")]
        size = sum(file.stat().st_size for file in files if file.is_file())
    changed = far = 0
    for number, mask in enumerate(masks):
        different = again[number] != mask
        changed += int(np.count_nonzero(different))
        far += int(np.count_nonzero(different & ~_beside_borders(mask)))
    kind = "outlines" if polygons else "masks"
    count = len(masks)
    cells = [
        known.title,
        kind,
        str(changed),
        str(far),
        f"{size / count / 1e3:.1f}",
        f"{(written - started) / count * 1e3:.1f}",
        f"{(ended - written) / count * 1e3:.1f}",
    ]
    limits = [Row(f"{format_id}, {kind}: pixels beyond 1 px", far, "pixels", 0)]
    if not polygons:
        limits.append(Row(f"{format_id}, {kind}: pixels changed", changed, "pixels", 0))
    return cells, limits


def _large(images: int) -> list[Row]:
    """A COCO file of many images, in a folder that is removed."""
    coco = format_of("coco")
    assert coco.write is not None
    assert coco.read is not None
    drawings = [_drawing(seed) for seed in range(100)]
    masks = [drawings[number % 100] for number in range(images)]
    with tempfile.TemporaryDirectory() as folder:
        before, started = _resident(), time.perf_counter()
        for _ in coco.write(_items(masks), TRIMAP, Path(folder), WriteOptions()):
            pass
        written, after_write = time.perf_counter(), _resident()
        source = coco.read(Path(folder), ReadOptions())
        opened, after_open = time.perf_counter(), _resident()
        for entry in source.entries:
            entry.read(_size(drawings[0]))
        ended, after_read = time.perf_counter(), _resident()
        size = (Path(folder) / "annotations.json").stat().st_size
    name = f"COCO, {images:,} images"
    return [
        Row(f"{name}: size", size / 1e6, "MB"),
        Row(f"{name}: write", (written - started) / images * 1e3, "ms/image"),
        Row(f"{name}: open", opened - written, "s"),
        Row(f"{name}: read every mask", (ended - opened) / images * 1e3, "ms/image"),
        Row(f"{name}: memory more after writing", (after_write - before) / 1e6, "MB", 100),
        Row(f"{name}: memory more after opening", (after_open - before) / 1e6, "MB", 250),
        Row(f"{name}: memory more after reading", (after_read - before) / 1e6, "MB", 250),
    ]


def _items(masks: Sequence[np.ndarray]) -> Iterator[Item]:
    for number, mask in enumerate(masks):
        name = f"{number:06d}.jpg"
        yield Item(name, Path(name), _size(mask), partial(np.copy, mask))


def _drawing(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros((128, 128), np.uint8)
    for number in range(OBJECTS):
        centre = (12 + 26 * (number % 5), 20 + 60 * (number // 5))
        axes = (int(rng.integers(4, 12)), int(rng.integers(4, 12)))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1 + number % 2, -1)
    return mask


def _size(mask: np.ndarray) -> tuple[int, int]:
    return mask.shape[1], mask.shape[0]


def _beside_borders(mask: np.ndarray) -> np.ndarray:
    around = np.ones((3, 3), np.uint8)
    near: np.ndarray = cv2.dilate(mask, around) != cv2.erode(mask, around)
    return near


def _resident() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(main())
