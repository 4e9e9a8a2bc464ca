"""Masks that leave in a format and come back: exactly, outlines included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.formats.items import WriteOptions
from core.formats.registry import detect, format_of
from core.formats.source import FormatError, ReadOptions
from core.labels import VOID

from .drawn import SCHEME, beside_borders, draw, drawn, masks_of, read, write

WAYS = [  # format, whether as outlines
    ("coco", False),
    ("coco", True),
    ("yolo", True),
    ("labelme", False),
    ("labelme", True),
    ("cvat", False),
    ("cvat", True),
]


@pytest.mark.parametrize(("format_id", "polygons"), WAYS)
def test_masks_come_back(format_id: str, polygons: bool, tmp_path: Path) -> None:
    masks = drawn(200 if format_id == "coco" and not polygons else 25)
    written = write(format_id, masks, tmp_path, polygons=polygons)
    assert detect(written).id == format_id
    source = read(written, format_id)
    again = masks_of(source, masks)
    assert sorted(again) == list(range(len(masks)))
    for number, mask in enumerate(masks):
        different = again[number] != mask
        if polygons and format_id == "coco":  # pycocotools rounds to a fifth of a pixel
            assert not (different & ~beside_borders(mask)).any(), number
            assert different.mean() < 0.001
        else:
            assert not different.any(), number
    for number, entry in enumerate(source.entries[:10]):
        names = {source.classes[label].name for label in entry.classes}
        mask = masks[int(Path(entry.image).stem)]
        assert names == {SCHEME.names[value] for value in np.unique(mask) if value}, number


@pytest.mark.parametrize(("format_id", "polygons"), WAYS)
def test_void_is_kept_or_said_to_be_lost(format_id: str, polygons: bool, tmp_path: Path) -> None:
    mask = draw(0).copy()
    mask[10:30, 10:40] = VOID
    known = format_of(format_id)
    lost = known.losses(SCHEME, WriteOptions(polygons=polygons))
    written = write(format_id, [mask], tmp_path, polygons=polygons)
    again = masks_of(read(written, format_id), [mask])[0]
    if any("Void" in line and "background" in line for line in lost):
        np.testing.assert_array_equal(again, np.where(mask == VOID, 0, mask))
    else:
        np.testing.assert_array_equal(again, mask)


@pytest.mark.parametrize("format_id", ["coco", "yolo", "labelme", "cvat"])
def test_masks_of_another_size_are_refused_by_name(format_id: str, tmp_path: Path) -> None:
    (entry,) = read(write(format_id, [draw(0)], tmp_path), format_id).entries
    if format_id == "yolo":  # which says shares of the size, whatever it is
        assert entry.read((48, 32)).shape == (32, 48)
        return
    assert entry.size == (96, 64)
    with pytest.raises(FormatError, match="made for 96 x 64 pixels, the photo has 64 x 96"):
        entry.read((64, 96))


@pytest.mark.parametrize("format_id", ["coco", "yolo", "labelme", "cvat"])
def test_an_empty_folder_is_refused(format_id: str, tmp_path: Path) -> None:
    known = format_of(format_id)
    assert known.read is not None
    assert not known.detects(tmp_path)
    with pytest.raises(FormatError):
        known.read(tmp_path, ReadOptions())
