"""Photos that show the same are recognised; those that do not are not."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.images import read_thumbnail
from core.project.duplicates import MOST_DIFFERENT, Fingerprints, fingerprint, groups_of

Animal = Callable[..., tuple[np.ndarray, np.ndarray]]


def half_size(photo: np.ndarray) -> np.ndarray:
    return cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def recompressed(photo: np.ndarray) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=30)
    return np.asarray(Image.open(file).convert("RGB"))


def darker(photo: np.ndarray) -> np.ndarray:
    return (photo * 0.7).astype(np.uint8)


def cropped(photo: np.ndarray) -> np.ndarray:
    height, width = photo.shape[:2]
    y, x = round(height * 0.01), round(width * 0.01)
    return np.ascontiguousarray(photo[y : height - y, x : width - x])


def distance(a: int | None, b: int | None) -> int:
    assert a is not None
    assert b is not None
    return (a ^ b).bit_count()


@pytest.mark.parametrize("change", [half_size, recompressed, darker, cropped])
def test_the_same_photo_is_recognised(
    animal: Animal, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    for seed in range(4):
        photo = animal(seed, 160, 120)[0]
        assert distance(fingerprint(photo), fingerprint(change(photo))) <= MOST_DIFFERENT


def test_other_photos_are_told_apart(animal: Animal) -> None:
    prints = {str(seed): fingerprint(animal(seed)[0]) for seed in range(30)}
    assert groups_of({name: value for name, value in prints.items() if value is not None}) == {}


def test_a_plain_colour_is_like_no_other_photo() -> None:
    assert fingerprint(np.full((40, 60, 3), 90, np.uint8)) is None


def test_real_photos_are_grouped_with_their_copies_only(shared_data: Path) -> None:
    """All nine pairs are the same photo or one taken a moment later: looked at by hand."""
    folder = shared_data / "oxford-iiit-pet" / "images"
    photos = {path.stem: path for path in folder.glob("Bombay_*.jpg")}
    prints = Fingerprints(folder / "nowhere.json").of(photos, lambda: None)
    groups = groups_of(prints)
    together = {frozenset(n for n in groups if groups[n] == g) for g in groups.values()}
    assert together == {
        frozenset({"Bombay_107", "Bombay_132", "Bombay_19"}),
        frozenset({"Bombay_136", "Bombay_150"}),
        frozenset({"Bombay_113", "Bombay_157"}),
        frozenset({"Bombay_114", "Bombay_139"}),
    }


HASHES = st.integers(0, 2**64 - 1)
# Chains: each differs from the one before by a few bits, so that the ends may be far apart.
CHAINS = st.lists(st.tuples(HASHES, st.lists(st.sets(st.integers(0, 63), max_size=9))), max_size=5)


@given(CHAINS)
def test_groups_are_what_near_duplicates_link(chains: list[tuple[int, list[set[int]]]]) -> None:
    prints: dict[str, int] = {}
    for value, steps in chains:
        prints[f"{len(prints):03}"] = value
        for bits in steps:
            value ^= sum(1 << bit for bit in bits)
            prints[f"{len(prints):03}"] = value
    # The definition, step by step: who is near joins, until nobody does.
    group = {name: name for name in prints}
    linked = [(a, b) for a in prints for b in prints if a < b]
    linked = [(a, b) for a, b in linked if (prints[a] ^ prints[b]).bit_count() <= MOST_DIFFERENT]
    for _ in prints:
        for a, b in linked:
            group[a] = group[b] = min(group[a], group[b])
    alone = {n for n in prints if list(group.values()).count(group[n]) == 1}
    assert groups_of(prints) == {n: g for n, g in group.items() if n not in alone}


@pytest.fixture
def photos(tmp_path: Path, animal: Animal) -> dict[str, Path]:
    paths = {f"{seed}.png": tmp_path / f"{seed}.png" for seed in range(3)}
    for seed, path in enumerate(paths.values()):
        Image.fromarray(animal(seed)[0]).save(path)
    return paths


def test_a_photo_is_read_once_as_long_as_its_file_is_the_same(
    photos: dict[str, Path], tmp_path: Path, animal: Animal
) -> None:
    read: list[int] = []

    def count() -> None:
        read.append(1)

    prints = Fingerprints(tmp_path / "kept.json")
    first = prints.of(photos, count)
    assert len(first) == len(read) == 3
    assert prints.of(photos, count) == first
    prints.save()
    again = Fingerprints(tmp_path / "kept.json")
    assert again.of(photos, count) == first
    assert len(read) == 3
    Image.fromarray(animal(7)[0]).save(photos["1.png"])
    os.utime(photos["1.png"], ns=(1, 1))
    changed = again.of(photos, count)
    assert len(read) == 4
    assert changed["1.png"] == fingerprint(read_thumbnail(photos["1.png"], 128)) != first["1.png"]


def test_a_photo_that_is_gone_is_still_known(photos: dict[str, Path], tmp_path: Path) -> None:
    prints = Fingerprints(tmp_path / "kept.json")
    first = prints.of(photos, lambda: None)
    prints.save()
    photos["2.png"].unlink()
    assert Fingerprints(tmp_path / "kept.json").of(photos, lambda: None) == first


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", '{"0.png": 5}', '{"0.png": "1 2"}', '{"0.png": "1 2 -5"}', '{"x": "1 2 z"}'],
)
def test_a_damaged_cache_is_made_anew(photos: dict[str, Path], tmp_path: Path, text: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    prints = Fingerprints(path)
    expected = Fingerprints(tmp_path / "none.json").of(photos, lambda: None)
    assert prints.of(photos, lambda: None) == expected
    prints.save()
    assert Fingerprints(path).of(dict.fromkeys(photos, tmp_path / "gone"), lambda: None) == expected


def test_a_photo_that_cannot_be_read_is_like_no_other(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    prints = Fingerprints(tmp_path / "kept.json")
    assert prints.of({"bad.jpg": tmp_path / "bad.jpg"}, lambda: None) == {}
