"""COCO: what we write pycocotools reads; what others write we read, damage and all."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from core.formats.registry import detect
from core.formats.source import FormatError, Source

from .drawn import SCHEME, beside_borders, drawn, read, write

SQUARE = [2, 3, 6, 3, 6, 8, 2, 8]


def save(folder: Path, shapes: list[dict[str, Any]], **others: Any) -> Path:
    """A file of one image of 20 x 10 pixels and two categories, in the order of COCO's own."""
    content = {
        "info": {"description": "drawn"},
        "licenses": [],
        "images": [{"id": 7, "file_name": "a.jpg", "width": 20, "height": 10, "license": 1}],
        "annotations": [
            {"id": number, "image_id": 7, "category_id": 18, "iscrowd": 0} | annotation
            for number, annotation in enumerate(shapes, 1)
        ],
        "categories": [
            {"id": 18, "name": "dog", "supercategory": "animal"},
            {"id": 3, "name": "grass"},
            {"id": 90, "name": "unused"},
        ],
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(content | others))
    return path


def only(source: Source) -> np.ndarray:
    (entry,) = source.entries
    return entry.read((20, 10))


@pytest.mark.parametrize("polygons", [False, True])
def test_pycocotools_reads_what_we_write(
    polygons: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = drawn(12)
    coco = COCO(str(write("coco", masks, tmp_path, polygons=polygons) / "annotations.json"))
    capsys.readouterr()
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == SCHEME.names[1:]
    assert len(coco.imgs) == 12
    for number, image in enumerate(coco.loadImgs(sorted(coco.imgs))):
        assert (image["width"], image["height"]) == (96, 64)
        mask = masks[int(Path(image["file_name"]).stem)]
        found = np.zeros_like(mask)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            part = coco.annToMask(annotation).astype(bool)
            assert not found[part].any() or polygons
            found[part] = annotation["category_id"]
            if not polygons:
                assert annotation["area"] == part.sum()
                rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
                left, top = int(columns[0]), int(rows[0])
                box = [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]
                assert annotation["bbox"] == box
        wrong = found != mask
        assert not (wrong & ~beside_borders(mask)).any() if polygons else not wrong.any(), number


def test_each_subset_is_a_file_and_a_folder_is_read_as_one(tmp_path: Path) -> None:
    written = write("coco", drawn(5), tmp_path, subsets=["train", "val"], photos=True)
    files = sorted(path.name for path in (written / "annotations").iterdir())
    assert files == ["instances_train.json", "instances_val.json"]
    for name in files:
        content = json.loads((written / "annotations" / name).read_text())
        assert all((written / "images" / i["file_name"]).is_file() for i in content["images"])
    assert sorted(entry.image for entry in read(written, "coco").entries) == [
        f"pets/{number}.png" for number in range(5)
    ]


def test_of_cocos_own_folder_the_instances_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "annotations"
    folder.mkdir()
    instances = save(folder, [{"segmentation": [SQUARE]}]).rename(folder / "instances_val2017.json")
    (folder / "captions_val2017.json").write_text(
        instances.read_text().replace("category_id", "caption")
    )
    (folder / "person_keypoints_val2017.json").write_text(instances.read_text())
    assert [entry.image for entry in read(tmp_path, "coco").entries] == ["a.jpg"]


def test_a_crowd_is_of_its_class_and_the_later_covers_the_earlier(tmp_path: Path) -> None:
    crowd = {"counts": [0, 100, 100], "size": [10, 20]}
    hole = {"counts": "", "size": [10, 20]}
    shapes = [
        {"segmentation": crowd, "iscrowd": 1},
        {"segmentation": [SQUARE, [12, 1, 15, 1, 15, 4, 12, 4]], "category_id": 3},
        {"segmentation": hole | {"counts": [200]}},
    ]
    source = read(save(tmp_path, shapes), "coco")
    expected = np.zeros((10, 20), np.uint8)
    expected[:, :10] = 1
    expected[3:8, 2:6] = expected[1:4, 12:15] = 2
    np.testing.assert_array_equal(only(source), expected)
    assert [c.name for c in source.classes] == ["background", "dog", "grass"]
    assert any("later one covers the earlier" in note for note in source.notes)
    assert source.entries[0].classes == {1, 2}


def test_classes_come_in_the_order_of_their_list(tmp_path: Path) -> None:
    shapes = [{"segmentation": [SQUARE], "category_id": 3}, {"segmentation": [SQUARE]}]
    source = read(save(tmp_path, shapes), "coco")  # the list comes last
    assert [c.name for c in source.classes] == ["background", "dog", "grass"]


def test_names_that_mean_background_or_void_are_taken_so(tmp_path: Path) -> None:
    categories = [{"id": 18, "name": "Void"}, {"id": 3, "name": "background"}]
    inner = [3, 4, 5, 4, 5, 6, 3, 6]
    shapes = [{"segmentation": [SQUARE]}, {"segmentation": [inner], "category_id": 3}]
    source = read(save(tmp_path, shapes, categories=categories), "coco")
    assert [c.name for c in source.classes] == ["background"]
    assert set(np.unique(only(source))) == {0, 255}
    assert only(source)[4, 3] == 0
    assert source.entries[0].classes == {0}


def test_what_has_no_outline_is_left_out_and_told(tmp_path: Path) -> None:
    images = [
        {"id": 7, "file_name": "a.jpg"},
        {"id": 8, "file_name": "bare.jpg"},
    ]
    shapes = [
        {"segmentation": [SQUARE, [1, 1, 2, 2]]},
        {"bbox": [1, 2, 3, 4]},
        {"segmentation": [SQUARE], "image_id": 99},
    ]
    source = read(save(tmp_path, shapes, images=images), "coco")
    assert [entry.image for entry in source.entries] == ["a.jpg"]
    assert source.entries[0].size is None
    told = " ".join(source.notes)
    for words in (
        "polygons of fewer than 3 points (1)",
        "annotations without an outline (1)",
        "images without any annotation",
        "annotated images that the file does not list (1)",
    ):
        assert words in told


def test_ids_may_be_text_and_images_named_by_their_address(tmp_path: Path) -> None:
    images = [{"id": "x-1", "coco_url": "http://images.cocodataset.org/val2017/000.jpg"}]
    shapes = [{"segmentation": [SQUARE], "image_id": "x-1", "category_id": "c"}]
    categories = [{"id": "c", "name": "cat"}]
    source = read(save(tmp_path, shapes, images=images, categories=categories), "coco")
    assert source.entries[0].image == "000.jpg"
    assert source.classes[1].name == "cat"


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ({"counts": [0, 201], "size": [10, 20]}, "201 pixels, longer than the 20 x 10"),
        ({"counts": [0, 199], "size": [10, 20]}, "shorter"),
        ({"counts": "ooooooooo0", "size": [10, 20]}, "longer than any image"),
        ({"counts": "0`\x7f", "size": [10, 20]}, "damaged"),
        ({"counts": [1.5], "size": [10, 20]}, "text or whole numbers"),
        ({"counts": [0, 200], "size": [20, 10]}, "made for 10 x 20 pixels, the photo has 20 x 10"),
        ({"counts": [0, 200], "size": [10**6, 10**6]}, "more than the limit of 250 megapixels"),
        ({"counts": [0, 200]}, "need a size"),
        ({"counts": [0, 10**18], "size": [10, 20]}, "longer than any image"),
        ([[1, 1, 9, 9, 1e300, 5]], "far outside"),
        ([[1, 1, 9, 9, "5", {}]], "no numbers"),
        ("polygon", "list of polygons"),
        ([SQUARE, 5], "list of polygons"),
    ],
)
def test_a_hostile_annotation_spoils_its_own_image_only(
    segmentation: Any, words: str, tmp_path: Path
) -> None:
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 20, "height": 10} for i in (7, 8)]
    shapes = [{"segmentation": segmentation}, {"segmentation": [SQUARE], "image_id": 8}]
    source = read(save(tmp_path, shapes, images=images), "coco")
    bad, good = source.entries
    with pytest.raises(FormatError, match=words) as error:
        bad.read((20, 10))
    assert "instances.json, annotation 1" in str(error.value)
    assert good.read((20, 10)).sum() == 20


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"images": [{"id": 7}]}, "image 1: the image's name is missing"),
        ({"images": [{"file_name": "a.jpg"}]}, "image 1: id is missing"),
        ({"images": [{"id": 7, "file_name": "a.jpg\x1b[2J"}]}, "control characters"),
        ({"images": [{"id": 7, "file_name": "a"}] * 2}, "the second image with the id 7"),
        ({"images": ["a.jpg"]}, "image 1: no JSON object"),
        ({"categories": [{"id": 18, "name": "x" * 200}]}, "category 1: a class's name"),
        ({"annotations": [{"id": 1, "image_id": [7]}]}, "annotation 1: image_id is missing"),
        ({"annotations": [{"id": json.loads("[" * 30 + "]" * 30)}]}, "nested more than"),
    ],
)
def test_a_file_that_says_nothing_clear_is_refused(
    others: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(FormatError, match=words) as error:
        read(save(tmp_path, [{"segmentation": [SQUARE]}], **others), "coco")
    assert "instances.json" in str(error.value)


def test_an_image_of_no_size_is_named_when_it_is_read(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "a.jpg", "width": 10**9, "height": 10**9}]
    (entry,) = read(save(tmp_path, [{"segmentation": [SQUARE]}], images=images), "coco").entries
    with pytest.raises(FormatError, match="limit of 250 megapixels"):
        entry.read((20, 10))


@pytest.mark.parametrize("name", ["instances.json", "INSTANCES.JSON"])
def test_a_file_of_windows(name: str, tmp_path: Path) -> None:
    path = save(tmp_path, [{"segmentation": [SQUARE]}])
    windows = path.read_text().replace(": ", ":\r\n")
    path.unlink()
    (tmp_path / name).write_bytes(BOM_UTF8 + windows.encode())
    assert only(read(tmp_path, "coco")).sum() == 20


def test_roboflows_subsets_are_one_source(tmp_path: Path) -> None:
    for subset in ("train", "valid"):
        (tmp_path / subset).mkdir()
        path = save(tmp_path, [{"segmentation": [SQUARE]}])
        path.rename(tmp_path / subset / "_annotations.coco.json")
    assert detect(tmp_path).id == "coco"
    assert len(read(tmp_path, "coco").entries) == 2
