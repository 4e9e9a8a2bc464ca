"""Which image annotations are of: what is sure is taken, what is not is named."""

from __future__ import annotations

import pytest

from core.formats.matching import match

FOLDER = ["a.jpg", "b.jpg", "b.png", "train/c.jpg", "val/c.jpg", "train/D e.JPG", "x.v2.jpg"]


@pytest.mark.parametrize(
    ("annotated", "image"),
    [
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("A.JPG", "a.jpg"),
        ("a.png", "a.jpg"),
        ("a_mask.png", "a.jpg"),
        ("images/a.jpg", "a.jpg"),
        ("b.png", "b.png"),
        ("b.jpg.png", "b.jpg"),
        ("val/c.png", "val/c.jpg"),
        ("data\\set\\train\\c.jpg", "train/c.jpg"),
        ("d e.png", "train/D e.JPG"),
        ("x.v2.png", "x.v2.jpg"),
        ("/home/me/photos/a.jpg", "a.jpg"),
        ("C:\\photos\\val\\c.jpg", "val/c.jpg"),
        ("\\\\server\\share\\train\\c.jpg", "train/c.jpg"),
    ],
)
def test_an_image_is_found_by_its_path_or_by_its_name(annotated, image):
    found = match(FOLDER, ["nobody.jpg", annotated])
    assert found.found == {image: 1}
    assert found.missing == ["nobody.jpg"]
    assert not found.refused


@pytest.mark.parametrize(
    ("annotated", "why"),
    [
        ("c.jpg", "train/c.jpg, val/c.jpg"),
        ("b.tif", "b.jpg, b.png"),
        ("../a.jpg", "out of the folder"),
        ("train/../../a.jpg", "out of the folder"),
        ("/photos/../../a.jpg", "out of the folder"),
        ("C:\\..\\a.jpg", "out of the folder"),
        ("/home/me/c.jpg", "train/c.jpg, val/c.jpg"),
    ],
)
def test_what_could_be_another_image_or_lies_elsewhere_is_refused(annotated, why):
    found = match(FOLDER, [annotated])
    assert not found.found
    assert not found.missing
    assert why in found.refused[annotated]


def test_of_two_images_of_one_name_the_path_says_which():
    found = match(["a.jpg", "sub/a.jpg"], ["photos/a.jpg", "photos/sub/a.jpg"])
    assert found.found == {"a.jpg": 0, "sub/a.jpg": 1}


def test_of_two_annotations_of_one_image_the_surer_is_taken():
    found = match(FOLDER, ["other/a.jpg", "a.jpg"])
    assert found.found == {"a.jpg": 1}
    assert "a.jpg" in found.refused["other/a.jpg"]


def test_of_two_that_are_as_sure_none_is():
    found = match(FOLDER, ["one/a.jpg", "two/a.jpg", "val/c.jpg"])
    assert found.found == {"val/c.jpg": 2}
    assert found.refused.keys() == {"one/a.jpg", "two/a.jpg"}


def test_a_name_that_is_there_twice_is_refused():
    found = match(FOLDER, ["a.jpg", "a.jpg"])
    assert not found.found
    assert "twice" in found.refused["a.jpg"]
