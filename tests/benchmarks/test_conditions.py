"""What is made of photos: the truth stays true, and EXIF's tags are those of cameras."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.conditions import CONDITIONS, UPRIGHT, Picture, tagged, without_pets
from benchmarks.robustness import iou


def _scene(seed: int) -> Picture:
    """A bright shape that is not symmetric, off the middle of a dark background."""
    random = np.random.default_rng(seed)
    truth = np.zeros((120, 160), np.uint8)
    truth[30:90, 20:50] = 1
    truth[60:90, 50:100] = 1
    pixels = np.where(truth[..., None] == 1, (235, 170, 60), (20, 40, 110))
    noise = random.integers(-10, 11, (120, 160, 1))
    return Picture((pixels + noise).astype(np.uint8), truth)


@pytest.fixture(scope="module")
def shown() -> dict[str, Picture]:
    photo, *others = (_scene(seed) for seed in range(4))
    random = np.random.default_rng(0)
    return {name: condition(photo, others, random) for name, condition in CONDITIONS.items()}


def _bright(pixels: np.ndarray) -> np.ndarray:
    """What is bright, wherever the limit lies in this picture."""
    red = np.ascontiguousarray(pixels[..., 0])
    return cv2.threshold(red, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_truth_follows_the_pixels(shown, name):
    assert iou(shown[name], _bright) > 0.85


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name != "plain"])
def test_a_condition_changes_the_picture(shown, name):
    assert not np.array_equal(shown[name].pixels, shown["plain"].pixels)


def test_sizes_and_shapes_are_those_in_the_names(shown):
    def shape(start: str) -> tuple[int, ...]:
        return next(p.truth.shape for name, p in shown.items() if name.startswith(start))

    assert shape("large") == (3000, 4000)
    assert shape("tiny") == (48, 64)
    assert max(shape("a 4:1 strip")) == 4 * min(shape("a 4:1 strip"))
    assert shape("small pet, half") == (240, 320)
    assert shape("small pet, a quarter") == (480, 640)
    assert shape("turned by 90") == (160, 120)


def test_as_many_pets_as_the_names_say(shown):
    def pets(start: str) -> int:
        truth = next(p.truth for name, p in shown.items() if name.startswith(start))
        return int(cv2.connectedComponents(truth)[0]) - 1

    assert [pets(s) for s in ("plain", "small", "a 4:1", "two", "four")] == [1, 1, 1, 2, 4]


def test_a_part_of_a_pet_is_about_half_of_it(shown):
    share = shown["part of a pet"].truth.sum() / shown["plain"].truth.sum()
    assert 0.4 < share < 0.65


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_tagged_file_is_read_upright(orientation):
    photo = _scene(0)
    read, upright = tagged(photo.pixels, orientation)
    assert np.array_equal(read, upright)
    assert iou(Picture(read, photo.truth), _bright) > 0.95


def test_the_largest_rectangle_without_a_pet_is_found():
    truth = np.zeros((200, 300), np.uint8)
    truth[20:30, 120:130] = 1
    pixels = np.arange(200 * 300, dtype=np.uint32).view(np.uint8).reshape(200, 300, 4)[..., :3]
    found = without_pets(Picture(pixels, truth))
    assert found is not None
    assert np.array_equal(found.pixels, pixels[30:])  # 170 x 300, against 200 x 170 beside the pet
    assert not found.truth.any()


def test_a_photo_full_of_pet_has_no_rectangle_without():
    truth = np.ones((200, 300), np.uint8)
    truth[:, :95] = 0  # one pixel too narrow
    assert without_pets(Picture(np.zeros((200, 300, 3), np.uint8), truth)) is None
