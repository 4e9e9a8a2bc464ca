"""Mask files: what is drawn is what is read back, and what is not a mask is refused."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from core.errors import BadInput
from core.files import WriteError, sha256
from core.labels import PET, TRIMAP, VOID, LabelScheme, scheme_of
from core.masks import (
    MaskEncoding,
    MaskError,
    detect_encoding,
    encode_mask,
    present_values,
    read_mask,
    read_values,
    write_mask,
)

SIX = scheme_of("custom", ["background", *"abcde"])


def save(path: Path, values: np.ndarray, mode: str | None = None, **options: object) -> Path:
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def masks_of(*ids: int) -> st.SearchStrategy[np.ndarray]:
    shape = st.tuples(st.integers(1, 9), st.integers(1, 9))
    return hnp.arrays(np.uint8, shape, elements=st.sampled_from(ids))


HOLDS = [
    (MaskEncoding.IDS, SIX, (0, 1, 2, 3, 4, 5, VOID)),
    (MaskEncoding.IDS, PET, (0, 1, VOID)),
    (MaskEncoding.BINARY255, PET, (0, 1)),
    (MaskEncoding.BINARY1, PET, (0, 1)),
    (MaskEncoding.TRIMAP, TRIMAP, (0, 1, 2, VOID)),
]


@pytest.mark.parametrize(("encoding", "scheme", "ids"), HOLDS)
@given(st.data())
def test_a_mask_comes_back_as_it_was_drawn(
    tmp_path_factory: pytest.TempPathFactory,
    encoding: MaskEncoding,
    scheme: LabelScheme,
    ids: tuple[int, ...],
    data: st.DataObject,
):
    mask = data.draw(masks_of(*ids))
    path = tmp_path_factory.getbasetemp() / "round-trip.png"
    path.write_bytes(encode_mask(mask, encoding, scheme))
    back = read_mask(path, encoding, scheme, (mask.shape[1], mask.shape[0]))
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, mask)


@pytest.mark.parametrize(
    ("encoding", "scheme", "expected"),
    [
        (MaskEncoding.IDS, PET, [0, 1, VOID]),
        (MaskEncoding.BINARY255, PET, [0, 255]),
        (MaskEncoding.BINARY1, PET, [0, 1]),
        (MaskEncoding.TRIMAP, TRIMAP, [2, 1, 3]),
    ],
)
def test_the_file_holds_the_numbers_of_its_encoding(
    encoding: MaskEncoding, scheme: LabelScheme, expected: list[int]
):
    drawn = [0, 1, 2] if scheme is TRIMAP else [0, 1, VOID][: len(expected)]
    data = encode_mask(np.array([drawn], np.uint8), encoding, scheme)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        assert np.asarray(image).tolist() == [expected]


def test_a_mask_in_ids_shows_the_schemes_colours_in_any_viewer():
    data = encode_mask(np.array([[0, 1, VOID]], np.uint8), MaskEncoding.IDS, PET)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "P"
        shown = np.asarray(image.convert("RGB"))[0]
    assert shown.tolist() == [list(PET.classes[0].colour), list(PET.classes[1].colour), [128] * 3]


def test_a_trimap_for_two_classes_has_its_border_in_the_pet(tmp_path: Path):
    path = save(tmp_path / "a.png", np.array([[1, 2, 3]], np.uint8))
    assert read_mask(path, MaskEncoding.TRIMAP, PET).tolist() == [[1, 0, 1]]
    assert read_mask(path, MaskEncoding.TRIMAP, TRIMAP).tolist() == [[1, 0, 2]]


@pytest.mark.parametrize("encoding", [MaskEncoding.BINARY255, MaskEncoding.BINARY1])
@pytest.mark.parametrize(("value", "word"), [(VOID, "void"), (2, "class 2")])
def test_a_binary_folder_refuses_what_it_cannot_hold(
    tmp_path: Path, encoding: MaskEncoding, value: int, word: str
):
    path = tmp_path / "a.png"
    write_mask(path, np.zeros((2, 2), np.uint8), TRIMAP, encoding)
    before = path.read_bytes()
    with pytest.raises(BadInput, match=f"{encoding}: they cannot hold {word}"):
        write_mask(path, np.array([[0, value]], np.uint8), TRIMAP, encoding)
    assert path.read_bytes() == before


def test_a_mask_of_another_size_than_its_photo_is_refused(tmp_path: Path):
    path = save(tmp_path / "a.png", np.zeros((4, 6), np.uint8))
    assert read_mask(path, MaskEncoding.IDS, PET, (6, 4)).shape == (4, 6)
    with pytest.raises(MaskError, match=r"^a\.png: the mask is 6 x 4 pixels, its photo 4 x 6"):
        read_mask(path, MaskEncoding.IDS, PET, (4, 6))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_grey_stored_as_three_channels_is_a_mask(tmp_path: Path, mode: str):
    values = np.array([[0, 1, 255]], np.uint8)
    path = save(tmp_path / "a.png", values, mode)
    assert read_mask(path, MaskEncoding.IDS, PET).tolist() == values.tolist()


@pytest.mark.parametrize(("mode", "name"), [("RGB", "a.png"), ("RGBA", "a.png"), ("CMYK", "a.tif")])
def test_a_picture_in_colours_is_no_mask(tmp_path: Path, mode: str, name: str):
    colours = np.zeros((2, 2, 3), np.uint8)
    colours[0, 0] = (255, 0, 0)
    path = save(tmp_path / name, colours, mode)
    with pytest.raises(MaskError, match="in colours"):
        read_mask(path, MaskEncoding.IDS, PET)


def test_grey_with_alpha_is_a_mask(tmp_path: Path):
    path = save(tmp_path / "a.png", np.array([[0, 1]], np.uint8), "LA")
    assert read_mask(path, MaskEncoding.IDS, PET).tolist() == [[0, 1]]


def test_one_bit_is_a_binary_mask(tmp_path: Path):
    path = save(tmp_path / "a.png", np.array([[False, True]]))
    assert read_mask(path, MaskEncoding.BINARY255, PET).tolist() == [[0, 1]]


def test_the_index_counts_and_not_the_palettes_colour(tmp_path: Path):
    image = Image.fromarray(np.array([[0, 1, 5]], np.uint8)).convert("P")
    image.putpalette([9, 9, 9] * 6)  # six classes that all look alike
    image.save(tmp_path / "a.png")
    assert read_mask(tmp_path / "a.png", MaskEncoding.IDS, SIX).tolist() == [[0, 1, 5]]
    assert read_values(tmp_path / "a.png")[1] is True


@pytest.mark.parametrize(
    ("encoding", "values", "named"),
    [
        (MaskEncoding.IDS, [0, 1, 2, 77], "2, 77"),
        (MaskEncoding.BINARY255, [0, 128, 255], "128"),
        (MaskEncoding.BINARY1, [0, 1, 255], "255"),
        (MaskEncoding.TRIMAP, [0, 1, 2, 3], "0"),
    ],
)
def test_unknown_ids_are_refused_and_named(
    tmp_path: Path, encoding: MaskEncoding, values: list[int], named: str
):
    path = save(tmp_path / "a.png", np.array([values], np.uint8))
    with pytest.raises(MaskError, match=rf"no class of this project \({encoding}\): {named}$"):
        read_mask(path, encoding, PET)


def test_many_unknown_ids_are_not_all_listed(tmp_path: Path):
    path = save(tmp_path / "a.png", np.arange(256, dtype=np.uint8)[None])
    with pytest.raises(MaskError, match=r"2, 3, 4, 5, 6, 7, 8, 9 \.\.\. and 245 more$"):
        read_mask(path, MaskEncoding.IDS, PET)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_ids_in_wider_numbers_are_read(tmp_path: Path, dtype: type):
    path = save(tmp_path / "a.tif", np.array([[0, 1, 255]], dtype))
    assert read_mask(path, MaskEncoding.IDS, PET).tolist() == [[0, 1, 255]]


@pytest.mark.parametrize("values", [[0, 256], [0, 65535]])
def test_ids_above_255_are_refused(tmp_path: Path, values: list[int]):
    path = save(tmp_path / "a.png", np.array([values], np.uint16))
    with pytest.raises(MaskError, match="no class ids"):
        read_mask(path, MaskEncoding.IDS, PET)


@pytest.mark.parametrize("bad", [-1, 0.5, float("nan"), float("inf")])
def test_numbers_that_are_no_ids_are_refused(tmp_path: Path, bad: float):
    path = save(tmp_path / "a.tif", np.array([[0, 1, bad]], np.float32))
    with pytest.raises(MaskError, match=r"^a\.tif: "):
        read_mask(path, MaskEncoding.IDS, PET)


@pytest.mark.parametrize(
    "data", [b"", b"no mask", encode_mask(np.eye(40, dtype=np.uint8), MaskEncoding.IDS, PET)[:-40]]
)
def test_a_broken_mask_file_is_named(tmp_path: Path, data: bytes):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(MaskError, match=r"^a\.png: "):
        read_mask(path, MaskEncoding.IDS, PET)


@pytest.mark.parametrize(
    ("values", "palette", "expected"),
    [
        ({0, 1, 2, 5}, False, MaskEncoding.IDS),
        ({0, 1, 2}, False, MaskEncoding.IDS),
        ({0, 1, 255}, False, MaskEncoding.IDS),
        ({0, 255}, False, MaskEncoding.BINARY255),
        ({255}, False, MaskEncoding.BINARY255),
        ({0, 1}, False, MaskEncoding.BINARY1),
        ({1}, False, MaskEncoding.BINARY1),
        ({1, 2, 3}, False, MaskEncoding.TRIMAP),
        ({1, 3}, False, MaskEncoding.TRIMAP),
        ({0, 255}, True, MaskEncoding.IDS),
        ({0, 1}, True, MaskEncoding.IDS),
        ({0}, True, MaskEncoding.IDS),
        ({1, 2}, False, None),
        ({2}, False, None),
        ({0}, False, None),
        (set(), False, None),
        ({0, 7, 255}, False, MaskEncoding.IDS),
    ],
)
def test_the_encoding_of_a_folder(values: set[int], palette: bool, expected: MaskEncoding | None):
    assert detect_encoding([(values, palette)]) == expected


def test_the_encoding_is_that_of_all_files_together():
    assert detect_encoding([({1, 2}, False), ({1, 2, 3}, False)]) is MaskEncoding.TRIMAP
    assert detect_encoding([({0}, False), ({0, 255}, False)]) is MaskEncoding.BINARY255
    assert detect_encoding([]) is None


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_full_disk_keeps_the_old_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str):
    path = tmp_path / "a.png"
    write_mask(path, np.zeros((3, 3), np.uint8), PET)
    before = path.read_bytes()

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(WriteError, match="No space left"):
        write_mask(path, np.ones((3, 3), np.uint8), PET)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


def test_writing_tells_the_files_hash(tmp_path: Path):
    digest = write_mask(tmp_path / "a.png", np.eye(3, dtype=np.uint8), PET)
    assert digest == sha256((tmp_path / "a.png").read_bytes())


@given(hnp.arrays(np.uint8, (3, 5)))
def test_present_values_are_the_distinct_ones(values: np.ndarray):
    assert present_values(values) == np.unique(values).tolist()
