"""Probabilities on disk: the same again, bounded, and never worse than not there."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.images import ImageError
from core.inference.cache import ProbabilityCache, key_of
from core.inference.options import PredictOptions
from core.inference.prediction import Prediction
from core.labels import LabelClass, LabelScheme
from core.modelfile import ModelDescription, read_description

SCHEME = LabelScheme(
    "ünï",
    (
        LabelClass(0, "background", (0, 0, 0)),
        LabelClass(1, "line\nend", (9, 8, 7), "q"),
        LabelClass(2, "猫", (255, 255, 255)),
    ),
)


def prediction(seed: int = 0, side: int = 20) -> Prediction:
    planes = np.random.default_rng(seed).random((3, side, side + 1), np.float32)
    return Prediction(planes / planes.sum(0), (200, 100), SCHEME, "model-1")


def key(number: int) -> str:
    return f"{number:064x}"


def stored(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_what_is_put_is_got_back_as_it_is_quantised(tmp_path: Path):
    cache = ProbabilityCache(tmp_path / "probabilities")
    assert cache.get(key(1)) is None
    cache.put(key(1), prediction())
    cache.put(key(2), prediction(1).quantised())
    for again in (cache, ProbabilityCache(tmp_path / "probabilities")):
        for number, seed in ((1, 0), (2, 1)):
            found, expected = again.get(key(number)), prediction(seed).quantised()
            np.testing.assert_array_equal(found.planes, expected.planes)
            assert found.planes.dtype == np.uint8
            assert (found.size, found.scheme, found.model) == ((200, 100), SCHEME, "model-1")
    cache.put(key(1), prediction(5))
    np.testing.assert_array_equal(cache.get(key(1)).planes, prediction(5).quantised().planes)


def test_the_least_recently_used_goes_first(tmp_path: Path):
    one = ProbabilityCache(tmp_path / "one")
    one.put(key(0), prediction())
    (file,) = stored(tmp_path / "one")
    size = file.stat().st_size
    folder = tmp_path / "many"
    cache = ProbabilityCache(folder, limit=size * 10)
    for number in range(9):
        cache.put(key(number), prediction(number))
        for path in stored(folder):
            if path.stem == key(number):
                os.utime(path, (number, number))
    assert cache.get(key(0)) is not None  # used now
    for number in range(9, 12):
        cache.put(key(number), prediction(number))
    assert sum(p.stat().st_size for p in stored(folder)) <= size * 10
    found = {number for number in range(12) if cache.get(key(number)) is not None}
    assert {0, 9, 10, 11} <= found
    assert 1 not in found
    assert found == {0} | set(range(min(found - {0}), 12))


def test_what_an_earlier_window_left_counts_too(tmp_path: Path):
    ProbabilityCache(tmp_path).put(key(1), prediction(1))
    (file,) = stored(tmp_path)
    cache = ProbabilityCache(tmp_path, limit=file.stat().st_size * 3 // 2)
    cache.put(key(2), prediction(2))
    assert cache.get(key(1)) is None
    assert cache.get(key(2)) is not None


def test_what_is_larger_than_the_whole_cache_is_not_kept(tmp_path: Path):
    cache = ProbabilityCache(tmp_path, limit=100)
    cache.put(key(1), prediction())
    assert stored(tmp_path) == []


def test_a_cache_that_was_deleted_is_begun_anew(tmp_path: Path):
    folder = tmp_path / "probabilities"
    cache = ProbabilityCache(folder)
    cache.put(key(1), prediction())
    for path in stored(folder):
        path.unlink()
        path.parent.rmdir()
    folder.rmdir()
    assert cache.get(key(1)) is None
    cache.put(key(1), prediction())
    assert cache.get(key(1)) is not None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path):
    (tmp_path / "file").write_text("a file")
    cache = ProbabilityCache(tmp_path / "file" / "probabilities")
    cache.put(key(1), prediction())
    assert cache.get(key(1)) is None


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    ProbabilityCache(folder).put(key(1), prediction())
    return stored(folder)[0].read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


def read(place: Path, data: bytes) -> Prediction | None:
    path = place / key(1)[:2] / f"{key(1)}.probabilities"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return ProbabilityCache(place).get(key(1))


@given(st.data())
def test_a_damaged_file_counts_as_not_there(whole: bytes, place: Path, data: st.DataObject):
    """Cut anywhere, or with a byte changed: what is got, if anything, has the right numbers."""
    at = data.draw(st.integers(0, len(whole) - 1))
    assert read(place, whole[:at]) is None
    assert stored(place) == []
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    found = read(place, bytes(changed))
    if found is not None:  # a letter of a name
        np.testing.assert_array_equal(found.planes, prediction().quantised().planes)


@pytest.mark.parametrize(
    "header",
    [
        b'{"shape": [3, 99999, 99999], "size": [1, 1], "scheme": {}, "model": ""}',
        b'{"shape": [3, -1, -1], "size": [1, 1], "scheme": {}, "model": ""}',
        b'{"shape": [3], "size": [1, 1], "scheme": {}, "model": ""}',
        b'{"shape": 3}',
        b"[]",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        b"",
    ],
)
def test_a_hostile_header_is_refused_before_anything_is_unpacked(place: Path, header: bytes):
    bomb = zlib.compress(bytes(50_000_000))
    assert read(place, header + b"\n" + bomb) is None


@pytest.mark.parametrize(
    ("is_so", "would_be"),
    [
        (b'"size": [200, 100]', b'"size": [999999, 999999]'),
        (b'"size": [200, 100]', b'"size": [Infinity, 1]'),
        (b'"size": [200, 100]', b'"size": [0, 100]'),
        (b'"shape": [3, 20, 21]', b'"shape": [1e999, 20, 21]'),
        (b'"id": 2', b'"id": 7'),
    ],
)
def test_a_header_that_cannot_be_is_refused(
    whole: bytes, place: Path, is_so: bytes, would_be: bytes
):
    assert read(place, whole) is not None
    assert is_so in whole
    assert read(place, whole.replace(is_so, would_be)) is None


def test_a_folder_that_can_only_be_read_serves_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cache = ProbabilityCache(tmp_path)
    for number in (1, 2):
        cache.put(key(number), prediction())
    damaged = tmp_path / key(2)[:2] / f"{key(2)}.probabilities"
    damaged.write_bytes(b"")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    # Bits on the disk would not stop a superuser.
    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    assert cache.get(key(1)) is not None
    assert cache.get(key(2)) is None


def test_a_bomb_is_unpacked_no_further_than_its_header_says(whole: bytes, place: Path):
    header, _, _ = whole.partition(b"\n")
    assert read(place, header + b"\n" + zlib.compress(bytes(60_000_000))) is None


# --- Keys --------------------------------------------------------------------------------------


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(b"one photo")
    return path


@pytest.fixture(scope="module")
def description(tiny_model: Path) -> ModelDescription:
    return read_description(tiny_model)


def test_a_key_stays_as_long_as_nothing_changes(image: Path, description: ModelDescription):
    plain = key_of(image, description, PredictOptions())
    assert len(plain) == 64
    assert set(plain) <= set("0123456789abcdef")
    # What is done with an answer is no other answer.
    same = PredictOptions(threshold=0.9, classes=(1,), fill_holes=9, keep_largest=True)
    assert key_of(image, description, same) == plain
    assert key_of(image, description.model_copy(update={"name": "renamed"}), same) == plain
    crops = description.model_copy(update={"view": "crops"})
    tiled = PredictOptions(tiles=4)  # which such a model does by itself
    assert key_of(image, crops, tiled) == key_of(image, crops, PredictOptions())


def test_a_key_changes_with_the_file_the_model_and_how_it_is_asked(
    image: Path, description: ModelDescription
):
    def plain() -> str:
        return key_of(image, description, PredictOptions())

    keys = [
        plain(),
        key_of(image, description, PredictOptions(flip=True)),
        key_of(image, description, PredictOptions(tiles=2)),
        key_of(image, description.model_copy(update={"onnx_sha256": "0"}), PredictOptions()),
        key_of(image, description.model_copy(update={"view": "crops"}), PredictOptions()),
        key_of(image, description.model_copy(update={"temperature": 2.0}), PredictOptions()),
        key_of(image, description.model_copy(update={"id": "imported twice"}), PredictOptions()),
        key_of(image, description.model_copy(update={"scheme": SCHEME}), PredictOptions()),
    ]
    os.utime(image, (1, 1))
    keys.append(plain())
    image.write_bytes(b"another photo")
    os.utime(image, (1, 1))
    keys.append(plain())
    other = image.with_name("b.png")
    other.write_bytes(b"another photo")
    os.utime(other, (1, 1))
    keys.append(key_of(other, description, PredictOptions()))
    assert len(set(keys)) == len(keys)


def test_of_a_file_that_is_gone_there_is_no_key(tmp_path: Path, description: ModelDescription):
    with pytest.raises(ImageError, match="No such file"):
        key_of(tmp_path / "gone.png", description, PredictOptions())
