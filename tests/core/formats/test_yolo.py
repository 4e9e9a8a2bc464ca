"""YOLO segmentation: read as its documentation has it, written so that trainers find everything."""

from __future__ import annotations

from codecs import BOM_UTF8
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image

from core.formats.registry import detect
from core.formats.source import FormatError

from .drawn import SCHEME, beside_borders, draw, drawn, read, write

TRIANGLE = "0 0.1 0.2 0.9 0.2 0.5 0.8\n"


def save(root: Path, labels: dict[str, str], description: str = "names: [dog, cat]\n") -> Path:
    (root / "data.yaml").write_text(description)
    for name, text in labels.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def images_of(root: Path, subset: str) -> list[Path]:
    """As trainers find them: the list that data.yaml names, its lines beside the list."""
    description = yaml.safe_load((root / "data.yaml").read_text())
    lines = (root / description[subset]).read_text().splitlines()
    return [root / line.removeprefix("./") for line in lines]


def drawn_by_the_book(image: Path, names: dict[int, str]) -> np.ndarray:
    """The mask of an image's label file: images/ becomes labels/, and the extension .txt."""
    with Image.open(image) as photo:
        width, height = photo.size
    mask = np.zeros((height, width), np.uint8)
    label = Path(*("labels" if part == "images" else part for part in image.parts))
    for line in label.with_suffix(".txt").read_text().splitlines():
        index, *shares = line.split()
        points = np.array(shares, float).reshape(-1, 2)
        assert points.min() >= 0
        assert points.max() <= 1
        whole = (points * (width, height)).astype(np.int32)  # as trainers have it
        cv2.fillPoly(mask, [whole], SCHEME.names.index(names[int(index)]))
    return mask


def test_an_independent_reader_finds_images_and_masks(tmp_path: Path) -> None:
    masks = drawn(9)
    root = write("yolo", masks, tmp_path, photos=True, subsets=["train", "val", "test", ""])
    names = yaml.safe_load((root / "data.yaml").read_text())["names"]
    assert names == dict(enumerate(SCHEME.names[1:]))
    found = {subset: images_of(root, subset) for subset in ("train", "val", "test")}
    assert [len(images) for images in found.values()] == [5, 2, 2]
    for image in chain(*found.values()):
        mask = masks[int(image.stem)]
        wrong = drawn_by_the_book(image, names) != mask
        assert not (wrong & ~beside_borders(mask)).any(), image.name


def test_without_a_validation_set_the_lists_are_still_there(tmp_path: Path) -> None:
    root = write("yolo", [draw(0)], tmp_path)
    assert images_of(root, "val") == images_of(root, "train")
    assert not (root / "images").exists()


@pytest.mark.parametrize(
    ("label", "photo"),
    [
        ("labels/train/a.txt", "images/train/a.jpg"),
        ("train/labels/a.txt", "train/images/a.jpg"),
        ("labels/a.jpg.txt", "images/a.jpg.png"),
    ],
)
def test_images_are_named_as_they_lie_beside_labels(label: str, photo: str, tmp_path: Path) -> None:
    root = save(tmp_path, {label: TRIANGLE, photo: ""})
    assert [entry.image for entry in read(root, "yolo").entries] == [photo]


def test_no_path_of_the_description_is_followed(tmp_path: Path) -> None:
    hostile = "path: /etc\ntrain: ../../../etc/passwd\nval: [/dev/zero]\nnames: {0: dog, 1: cat}\n"
    source = read(save(tmp_path, {"labels/a.txt": TRIANGLE}, hostile), "yolo")
    assert [entry.image for entry in source.entries] == ["images/a"]


def test_empty_files_boxes_and_classes(tmp_path: Path) -> None:
    labels = {
        "labels/a.txt": TRIANGLE + "\n1 0.5 0.5 0.2 0.2\n",
        "labels/boxes.txt": "1 0.5 0.5 0.2 0.2\n",  # nobody drew what is in it
        "labels/empty.txt": "",
        "labels/classes.txt": "dog\ncat\n",
    }
    source = read(save(tmp_path, labels), "yolo")
    assert [c.name for c in source.classes] == ["background", "dog"]
    first, empty = source.entries
    mask = first.read((20, 10))
    assert mask[4, 10] == 1
    assert mask[0, 0] == 0
    assert not empty.read((20, 10)).any()
    assert source.notes == ("Left out: boxes without an outline (2).",)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("7 0.1 0.1 0.9 0.1 0.5 0.9", "“7” is no class"),
        ("dog 0.1 0.1 0.9 0.1 0.5 0.9", "is no class of data.yaml"),
        ("0 0.1 0.1 0.9 nan 0.5 0.9", "not finite"),
        ("0 0.1 0.1 0.9 x 0.5 0.9", "no numbers"),
        ("0 10 10 90 10 50 90", "shares of the image's size"),
        ("0 0.1 0.1 0.9 0.1 0.5", "3 points or more"),
        ("0" + " 0.5" * 1_000_002, "more than 500,000 points"),
    ],
)
def test_a_damaged_line_spoils_its_own_image_only(line: str, words: str, tmp_path: Path) -> None:
    labels = {"labels/bad.txt": TRIANGLE + line + "\n", "labels/good.txt": TRIANGLE}
    bad, good = read(save(tmp_path, labels), "yolo").entries
    with pytest.raises(FormatError, match=words) as error:
        bad.read((20, 10))
    assert "labels/bad.txt, line 2" in str(error.value)
    assert good.read((20, 10)).any()


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("a: &a [x]\nb: &b [*a, *a]\nnames: [*b, *b]\n", "aliases"),
        ("names: !!python/object/apply:os.system [id]\n", "damaged"),
        ("names: {cat: 0}\n", "names must list the classes"),
        ("train: x\n", "names must list the classes"),
        ("names: [" + "[" * 3000, "damaged"),
        ('names: ["a\\nb"]\n', "in one line"),
        ("names: [a]\n" + "#" * 1_000_000, "more than PetSeg reads"),
    ],
)
def test_a_hostile_description_is_refused(description: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=words) as error:
        read(save(tmp_path, {"labels/a.txt": TRIANGLE}, description), "yolo")
    assert str(error.value).startswith("data.yaml")


def test_files_of_windows(tmp_path: Path) -> None:
    root = save(tmp_path, {"labels/A.TXT": "", "images/A.jpg": ""})
    (root / "labels/A.TXT").write_bytes(BOM_UTF8 + TRIANGLE.replace("\n", "\r\n").encode())
    (root / "data.yaml").write_bytes(BOM_UTF8 + b"names: [dog, cat]\r\n")
    (entry,) = read(root, "yolo").entries
    assert entry.image == "images/A.jpg"
    assert entry.read((20, 20)).any()


def test_classes_may_be_named_line_by_line(tmp_path: Path) -> None:
    root = save(tmp_path, {"labels/a.txt": "1" + TRIANGLE[1:]})
    (root / "data.yaml").rename(root / "classes.txt").write_text("dog\n\ncat\n")
    for path in (root, root / "classes.txt"):
        assert detect(path).id == "yolo"
        assert [label.name for label in read(path, "yolo").classes] == ["background", "cat"]
