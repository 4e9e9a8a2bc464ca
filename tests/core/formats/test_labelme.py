"""labelme: its own loader opens what we write; files of all its versions are read."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.formats.source import FormatError
from core.labels import VOID

from .drawn import SCHEME, beside_borders, drawn, read, write

LABELME = Path(sys.prefix) / "labelme"  # where `make test` puts it, apart from our own libraries

# labelme asks for PyQt5. Neither its loader nor its converter calls it; PySide6 lends the names.
CONVERT = """
import sys
import numpy as np
import PySide6
from PySide6 import QtCore, QtGui, QtWidgets
sys.modules |= {"PyQt5": PySide6, "PyQt5.QtCore": QtCore, "PyQt5.QtGui": QtGui,
                "PyQt5.QtWidgets": QtWidgets}
from labelme import LabelFile, utils
out, classes, *files = sys.argv[1:]
names = {"__ignore__": 255} | {name: i for i, name in enumerate(classes.split("|"))}
masks = []
for file in files:
    opened = LabelFile(file)
    size = utils.img_data_to_pil(opened.image_data).size
    masks.append(utils.shapes_to_label(size[::-1], opened.shapes, names)[0])
np.save(out, np.stack(masks))
"""


@pytest.mark.parametrize("polygons", [False, True])
def test_labelme_opens_what_we_write(polygons: bool, tmp_path: Path) -> None:
    if not LABELME.is_dir():
        pytest.skip("labelme is not there: `make test` installs it")
    masks = [mask.copy() for mask in drawn(8)]
    masks[0][5:20, 5:30] = VOID
    root = write("labelme", masks, tmp_path, polygons=polygons, photos=True)
    files = [str(root / "pets" / f"{number}.json") for number in range(len(masks))]
    out = tmp_path / "labels.npy"
    subprocess.run(
        [sys.executable, "-c", CONVERT, str(out), "|".join(SCHEME.names), *files],
        env=os.environ | {"PYTHONPATH": str(LABELME), "QT_QPA_PLATFORM": "offscreen"},
        check=True,
        capture_output=True,
    )
    for mask, found in zip(masks, np.load(out), strict=True):
        wrong = found != mask
        assert not (wrong & ~beside_borders(mask)).any() if polygons else not wrong.any()


def save(folder: Path, shapes: list[Any], name: str = "a.json", **others: Any) -> Path:
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": [{"label": "cat", "shape_type": "polygon"} | shape for shape in shapes],
        "imagePath": "a.jpg",
        "imageData": None,
        "imageHeight": 10,
        "imageWidth": 20,
    }
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({k: v for k, v in (content | others).items() if v != "absent"}))
    return path


def only(path: Path) -> np.ndarray:
    (entry,) = read(path, "labelme").entries
    return entry.read((20, 10))


def png(width: int, height: int) -> str:
    buffer = io.BytesIO()
    Image.new("L", (width, height), 1).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


SQUARE = {"points": [[2, 3], [6, 3], [6, 8], [2, 8]]}
CORNERS = [[2, 3], [5, 7]]


@pytest.mark.parametrize(
    "shape",
    [
        SQUARE,
        {"shape_type": "rectangle", "points": [[6, 8], [2, 3]]},
        {"shape_type": "rectangle", **SQUARE},
        {"shape_type": "oriented_rectangle", **SQUARE},
        {"shape_type": "rotation", **SQUARE},
        {"shape_type": "mask", "points": CORNERS, "mask": png(4, 5)},
        {"shape_type": "mask", "points": [[2.0, 3.0], [5.0, 7.0]], "mask": png(4, 5)},
        {"shape_type": None, **SQUARE},
    ],
)
def test_shapes_with_an_area(shape: dict[str, Any], tmp_path: Path) -> None:
    wanted = np.zeros((10, 20), np.uint8)
    wanted[3:8, 2:6] = 1
    np.testing.assert_array_equal(only(save(tmp_path, [shape])), wanted)


def test_a_circle(tmp_path: Path) -> None:
    mask = only(save(tmp_path, [{"shape_type": "circle", "points": [[10, 5], [10, 1]]}]))
    assert mask.sum() == pytest.approx(np.pi * 16, rel=0.1)
    assert mask[5, 10] == 1


def test_a_file_of_an_old_version(tmp_path: Path) -> None:
    """No kinds of shapes, no size, the photo inside; the path is of Windows."""
    shape = {"label": "cat", "line_color": None, "fill_color": None, **SQUARE, "shape_type": None}
    path = save(
        tmp_path,
        [shape],
        version="2.9.0",
        imageData="A" * 9_000_000,
        imagePath="..\\photos\\a.jpg",
        imageHeight="absent",
        imageWidth="absent",
        lineColor=[0, 255, 0, 128],
        name="labels/a.json",
    )
    (entry,) = read(path.parent.parent, "labelme").entries
    assert (entry.image, entry.size) == ("photos/a.jpg", None)
    assert entry.read((20, 10)).sum() == 20
    (entry,) = read(path.parent, "labelme").entries  # the photos lie beside this folder
    assert entry.image == "photos/a.jpg"


def test_the_later_shape_covers_and_ignored_pixels_are_void(tmp_path: Path) -> None:
    inner = {"points": [[3, 4], [5, 4], [5, 6], [3, 6]]}
    ignored = {"label": "__ignore__", "points": [[10, 0], [20, 0], [20, 10], [10, 10]]}
    path = save(tmp_path, [SQUARE, {"label": "dog", **inner}, ignored])
    wanted = np.zeros((10, 20), np.uint8)
    wanted[3:8, 2:6] = 1
    wanted[4:6, 3:5] = 2
    wanted[:, 10:] = VOID
    np.testing.assert_array_equal(only(path), wanted)
    source = read(path, "labelme")
    assert [c.name for c in source.classes] == ["background", "cat", "dog"]
    assert source.entries[0].classes == {1, 2}


def test_other_files_and_lines_are_left_out_and_told(tmp_path: Path) -> None:
    lines = [
        {"shape_type": "linestrip", "points": [[1, 1], [5, 5], [7, 1]]},
        {"shape_type": "point", "points": [[1, 1]]},
        {"points": [[1, 1], [2, 2]]},
    ]
    save(tmp_path, [SQUARE, *lines])
    save(tmp_path, lines, "lines.json", imagePath="lines.jpg")  # nobody drew an area there
    save(tmp_path, [], "sub/nothing.json", imagePath="nothing.jpg")
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "list.json").write_text("[1, 2]")
    source = read(tmp_path, "labelme")
    assert [entry.image for entry in source.entries] == ["a.jpg", "sub/nothing.jpg"]
    assert source.entries[0].read((20, 10)).sum() == 20
    assert not source.entries[1].read((20, 10)).any()
    assert source.notes == (
        "Left out: files that are not labelme's (2).",
        "Left out: points and lines (6).",
    )


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"points": [[1, 1], [2, 2], [3]]}, "a list of"),
        ({"points": [[1, 1], [2, "x"], [3, 3]]}, "no numbers"),
        ({"points": [[1, 1], [2, 1e300], [3, 3]]}, "far outside"),
        ({"points": [[1, 1], [2, 2], [3, 3]], "label": ""}, "a class's name"),
        ({"points": [[1, 1], [2, 2], [3, 3]], "shape_type": "cube"}, "'cube' is no shape"),
        ({"points": [[1, 1]], "shape_type": "circle"}, "a circle has no 1 points"),
        ({"points": [[1, 1], [5e5, 1]], "shape_type": "circle"}, "outline of more than"),
        ({"points": CORNERS, "shape_type": "mask", "mask": "no base64!"}, "a PNG in base64"),
        ({"points": CORNERS, "shape_type": "mask", "mask": png(4, 5)[:40]}, "a PNG in base64"),
        ({"points": CORNERS, "shape_type": "mask"}, "a PNG in base64"),
        ({"points": CORNERS, "shape_type": "mask", "mask": png(5, 5)}, "5 x 5 pixels for a box"),
        ({"points": [[2, 3], [50, 7]], "shape_type": "mask", "mask": png(49, 5)}, "beyond its"),
    ],
)
def test_a_hostile_shape_spoils_its_own_file_only(
    shape: dict[str, Any], words: str, tmp_path: Path
) -> None:
    save(tmp_path, [SQUARE, shape], "bad.json", imagePath="bad.jpg")
    save(tmp_path, [SQUARE], "good.json", imagePath="good.jpg")
    bad, good = read(tmp_path, "labelme").entries
    with pytest.raises(FormatError, match=words) as error:
        bad.read((20, 10))
    assert str(error.value).startswith("bad.json, shape 2")
    assert good.read((20, 10)).sum() == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"version": "5", "shapes": [', "bad.json"),
        ('{"version": "5", "shapes": [{"points": [[NaN, 1]]}]}', "bad.json, "),
        ('{"version": "5", "shapes": [], "imageWidth": 1e9, "imageHeight": 1e9}', "megapixels"),
        ('{"version": "5", "imagePath": 5}', "image's name"),
        ('{"version": "5", "shapes": [{"label": "' + "x" * 9_000_000 + '"}]}', "longer than"),
    ],
)
def test_a_damaged_file_is_named_when_it_is_read(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(text)
    save(tmp_path, [SQUARE], "good.json")
    bad, good = read(tmp_path, "labelme").entries
    with pytest.raises(FormatError, match=words):
        bad.read((20, 10))
    assert good.image == "a.jpg"


def test_files_of_windows(tmp_path: Path) -> None:
    square = {"label": "cat", "points": [[2, 3], [6, 3], [6, 8], [2, 8]]}
    path = save(tmp_path, [square], "A.JSON", imagePath="..\\photos\\a.jpg")
    path.write_bytes(BOM_UTF8 + path.read_bytes())
    (entry,) = read(tmp_path, "labelme").entries
    assert entry.image == "photos/a.jpg"
    assert only(tmp_path).sum() == 20
