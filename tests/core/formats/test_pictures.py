"""Pictures and the table of areas."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.formats.items import Item, WriteOptions
from core.formats.pictures import areas
from core.formats.registry import format_of
from core.labels import VOID, scheme_of

SCHEME = scheme_of("zoo", ["background", "cat", "=dog"])
GREEN = (10, 200, 30)


@pytest.fixture
def item(tmp_path: Path) -> Item:
    """A green photo; a cat in two parts at the left, one dog pixel, a void row at the bottom."""
    Image.new("RGB", (20, 10), GREEN).save(tmp_path / "photo.png")
    mask = np.zeros((10, 20), np.uint8)
    mask[1:4, 2:6] = 1
    mask[6:8, 2:4] = 1
    mask[5, 15] = 2
    mask[9] = VOID
    return Item("a b.png", tmp_path / "photo.png", (20, 10), lambda: mask, "a b.png")


def write(item: Item, format_id: str, target: Path, *more: Item) -> list[str]:
    known = format_of(format_id)
    assert known.write is not None
    if not known.suffix:
        target.mkdir()
    return list(known.write([*more, item], SCHEME, target, WriteOptions()))


def test_a_cut_out_is_the_photo_where_objects_are_and_see_through_elsewhere(item, tmp_path):
    write(item, "cutout", tmp_path / "out")
    pixels = np.asarray(Image.open(tmp_path / "out" / "a b.png"))
    assert (pixels[..., :3] == GREEN).all()
    inside = (item.mask() > 0) & (item.mask() != VOID)
    np.testing.assert_array_equal(pixels[..., 3], np.where(inside, 255, 0))


def test_side_by_side_shows_the_mask_in_its_colours_to_the_right(item, tmp_path):
    write(item, "side-by-side", tmp_path / "out")
    pixels = np.asarray(Image.open(tmp_path / "out" / "a b.png"))
    assert pixels.shape == (10, 40, 3)
    assert (pixels[:, :20] == GREEN).all()
    assert tuple(pixels[2, 20 + 3]) == SCHEME.classes[1].colour
    assert tuple(pixels[5, 20 + 15]) == SCHEME.classes[2].colour


def test_an_overlay_tints_objects_only(item, tmp_path):
    write(item, "overlay", tmp_path / "out")
    pixels = np.asarray(Image.open(tmp_path / "out" / "a b.jpg")).astype(int)
    assert abs(pixels[1:4, 12:19] - GREEN).max() < 30
    assert abs(pixels[2, 3] - GREEN).max() > 30


def test_a_photo_that_cannot_be_read_is_named_and_left_out(item, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    told: list[str] = []
    bad = Item("bad.png", tmp_path / "bad.png", (20, 10), item.mask, leave_out=told.append)
    assert write(item, "cutout", tmp_path / "out", bad) == ["a b.png"]
    assert len(told) == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a b.png"]


def test_areas_count_pixels_parts_and_boxes(item, tmp_path):
    assert write(item, "areas", tmp_path / "areas.csv") == ["a b.png"]
    with open(tmp_path / "areas.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    cat, dog = rows
    assert cat == {
        "image": "a b.png",
        "class": "cat",
        "pixels": "16",
        "share": "0.08",
        "parts": "2",
        "left": "2",
        "top": "1",
        "width": "4",
        "height": "7",
    }
    assert dog["class"] == "./=dog"  # no formula in anybody's spreadsheet
    assert (dog["pixels"], dog["parts"], dog["left"], dog["top"]) == ("1", "1", "15", "5")


def test_an_image_without_objects_has_no_line():
    assert areas("a", np.zeros((4, 4), np.uint8), SCHEME) == []
