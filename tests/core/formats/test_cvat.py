"""CVAT for images 1.1: shapes of all kinds, in their order, from files that are not trusted."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.formats.source import FormatError

from .drawn import SCHEME, beside_borders, drawn, read, write

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels>
<label><name>cat</name><color>#0a141e</color></label><label><name>dog</name></label>
</labels></task></meta>
"""
SQUARE = '<polygon label="cat" points="2,3;6,3;6,8;2,8" z_order="0"/>'


def save(folder: Path, shapes: str, more: str = "", head: str = HEAD) -> Path:
    image = '<image id="0" name="sub/a.jpg" width="20" height="10">'
    path = folder / "annotations.xml"
    path.write_text(f"{head}{image}{shapes}</image>{more}</annotations>")
    return path


def only(path: Path) -> np.ndarray:
    (entry,) = read(path, "cvat").entries
    return entry.read((20, 10))


def shape_by_the_book(shape: ElementTree.Element, size: tuple[int, int]) -> np.ndarray:
    drawn_shape = Image.new("1", size)
    if shape.tag == "polygon":
        points = [
            tuple(float(v) - 0.5 for v in pair.split(","))  # Pillow's pixels lie around centres
            for pair in shape.attrib["points"].split(";")
        ]
        ImageDraw.Draw(drawn_shape).polygon(points, fill=1)
        return np.asarray(drawn_shape)
    left, top, width, height = (int(shape.attrib[k]) for k in ("left", "top", "width", "height"))
    bits: list[bool] = []
    for number, run in enumerate(shape.attrib["rle"].split(",")):
        bits += [number % 2 == 1] * int(run)
    inside = np.zeros(size[::-1], bool)
    inside[top : top + height, left : left + width] = np.reshape(bits, (height, width))
    return inside


@pytest.mark.parametrize("polygons", [False, True])
def test_an_independent_reader_draws_what_we_write(polygons: bool, tmp_path: Path) -> None:
    masks = drawn(9)
    root = ElementTree.parse(write("cvat", masks, tmp_path, polygons=polygons)).getroot()
    assert root.findtext("version") == "1.1"
    labels = root.findall("meta/task/labels/label")
    assert [label.findtext("name") for label in labels] == SCHEME.names[1:]
    colours = [label.findtext("color") for label in labels]
    assert colours == ["#" + bytes(label.colour).hex() for label in SCHEME.classes[1:]]
    for number, image in enumerate(root.findall("image")):
        assert image.attrib == {
            "id": str(number),
            "name": f"pets/{number}.png",
            "width": "96",
            "height": "64",
        }
        found = np.zeros((64, 96), np.uint8)
        for shape in image:
            inside = shape_by_the_book(shape, (96, 64))
            found[inside] = SCHEME.names.index(shape.attrib["label"])
        wrong = found != masks[number]
        assert not (wrong & ~beside_borders(masks[number])).any() if polygons else not wrong.any()


def test_higher_shapes_cover_lower_ones_whatever_their_order(tmp_path: Path) -> None:
    shapes = (
        '<polygon label="dog" points="0,0;9,0;9,9;0,9" z_order="2"/>'
        '<box label="cat" xtl="0" ytl="0" xbr="20" ybr="10" z_order="-1"/>'
        '<box label="cat" xtl="0" ytl="0" xbr="5" ybr="5" z_order="2"/>'
    )
    source = read(save(tmp_path, shapes), "cvat")
    mask = source.entries[0].read((20, 10))
    names = [c.name for c in source.classes]
    assert names == ["background", "cat", "dog"]  # in the order of the task's list
    assert [names[mask[y, x]] for y, x in ((2, 2), (8, 8), (9, 9), (0, 19))] == [
        "cat",
        "dog",
        "cat",
        "cat",
    ]
    assert dict(zip(names, (c.colour for c in source.classes), strict=True))["cat"] == (10, 20, 30)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ('<box xtl="4" ytl="2" xbr="8" ybr="6" label="cat"/>', np.s_[2:6, 4:8]),
        ('<box xtl="4" ytl="4" xbr="12" ybr="6" rotation="90" label="cat"/>', np.s_[1:9, 7:9]),
        ('<mask rle="0, 6" left="3" top="4" width="3" height="2" label="cat"/>', np.s_[4:6, 3:6]),
    ],
)
def test_boxes_and_masks(shape: str, expected: tuple[slice, slice], tmp_path: Path) -> None:
    wanted = np.zeros((10, 20), np.uint8)
    wanted[expected] = 1
    np.testing.assert_array_equal(only(save(tmp_path, shape)), wanted)


def test_an_ellipse(tmp_path: Path) -> None:
    mask = only(save(tmp_path, '<ellipse cx="10" cy="5" rx="8" ry="4" label="cat"/>'))
    assert mask.sum() == pytest.approx(np.pi * 8 * 4, rel=0.05)
    assert mask[5, 2] == 1
    assert mask[0, 10] == 0


def test_what_has_no_area_is_left_out_and_told(tmp_path: Path) -> None:
    others = '<polyline label="cat" points="1,1;2,2"/><tag label="cat"/><points points="1,1"/>'
    bare = '<image id="1" name="bare.jpg" width="20" height="10"/><track id="0"><box/></track>'
    source = read(save(tmp_path, SQUARE + others, bare), "cvat")
    assert [entry.image for entry in source.entries] == ["sub/a.jpg"]
    told = " ".join(source.notes)
    for words in (
        "polylines (1)",
        "tags (1)",
        "points (1)",
        "videos (1)",
        "nobody may have looked at them (1)",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ('<polygon label="cat" points="1,1;nan,2;3,3"/>', "not finite"),
        ('<polygon label="cat" points="1,1;2,2"/>', "3 points or more"),
        ('<polygon label="cat" points="1,1;2,x;3,3"/>', "'x' is no number"),
        ('<polygon points="1,1;5,1;5,5"/>', "a class's name"),
        ('<polygon label="cat" points="1,1;5,1;5,5" z_order="top"/>', "z_order"),
        ('<box label="cat" xtl="1" ytl="1" xbr="inf" ybr="5" rotation="30"/>', "not finite"),
        ('<ellipse label="cat" cx="1" cy="1" rx="9e5" ry="9e5"/>', "outline of more than"),
        ('<mask rle="0,7" left="3" top="4" width="3" height="2" label="cat"/>', "7 pixels, longer"),
        ('<mask rle="0,5" left="3" top="4" width="3" height="2" label="cat"/>', "5 pixels, short"),
        (
            '<mask rle="0,6" left="18" top="4" width="3" height="2" label="cat"/>',
            "beyond its",
        ),
        (
            '<mask rle="0,6" left="-1" top="4" width="3" height="2" label="cat"/>',
            "beyond its",
        ),
        ('<mask rle="6" left="0" top="0" width="1e9" height="2" label="cat"/>', "whole numbers"),
        ('<mask rle="6" left="0" top="0" width="99999" height="99999" label="cat"/>', "megapixels"),
    ],
)
def test_a_hostile_shape_spoils_its_own_image_only(shape: str, words: str, tmp_path: Path) -> None:
    more = f'<image id="1" name="good.jpg" width="20" height="10">{SQUARE}</image>'
    bad, good = read(save(tmp_path, SQUARE + shape, more), "cvat").entries
    with pytest.raises(FormatError, match=words) as error:
        bad.read((20, 10))
    assert "sub/a.jpg" in str(error.value)
    assert good.read((20, 10)).sum() == 20


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotations>', "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations>', "document type"),
        ("<annotation>", "its root is annotation"),
        ("<annotations>" + "<a>" * 30, "nested more than"),
        ("<annotations>&xxe;", "no XML, or broken off"),
        ("annotations", "no XML, or broken off"),
    ],
)
def test_a_file_that_may_do_more_than_annotate_is_refused(
    head: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(FormatError, match=words) as error:
        read(save(tmp_path, SQUARE, head=head), "cvat")
    assert str(error.value).startswith("annotations.xml")


def test_an_image_of_no_size_is_named_when_it_is_read(tmp_path: Path) -> None:
    path = save(tmp_path, SQUARE)
    path.write_text(path.read_text().replace('width="20"', 'width="twenty"'))
    with pytest.raises(FormatError, match=r"sub/a.jpg: twenty x 10 is no size"):
        only(path)
