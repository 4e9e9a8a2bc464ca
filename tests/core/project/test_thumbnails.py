"""Thumbnails on disk: read instead of made, bounded, and made anew where something is wrong."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.images import ImageError
from core.project import thumbnails as module
from core.project.thumbnails import ThumbnailCache

SIZE = 32


def _photo(path: Path, grey: int = 90, size: tuple[int, int] = (80, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (grey, grey, grey)).save(path)
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The photos that thumbnails were made of, in order."""
    photos: list[Path] = []
    make = module.read_thumbnail

    def counted(path: Path, size: int) -> np.ndarray:
        photos.append(path)
        return make(path, size)

    monkeypatch.setattr(module, "read_thumbnail", counted)
    return photos


def _grey(cache: ThumbnailCache, photo: Path) -> int:
    pixels = cache.read(photo, SIZE)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (SIZE // 2, SIZE, 3)
    return round(float(pixels.mean()))


def test_a_thumbnail_is_made_once_and_read_by_the_next_window(tmp_path: Path, made: list[Path]):
    photo, file = _photo(tmp_path / "photos" / "a.png"), tmp_path / "cache" / "t.sqlite"
    for _ in range(2):
        cache = ThumbnailCache(file)
        assert _grey(cache, photo) == 90
        assert _grey(cache, photo) == 90
        cache.close()
    assert made == [photo]
    assert os.listdir(photo.parent) == ["a.png"]


def test_a_photo_that_changed_or_another_size_is_made_anew(tmp_path: Path, made: list[Path]):
    photo, cache = _photo(tmp_path / "a.png"), ThumbnailCache(tmp_path / "t.sqlite")
    cache.read(photo, SIZE)
    cache.flush()
    _photo(photo, grey=200)
    os.utime(photo, (1, 1))
    assert _grey(cache, photo) == 200
    assert cache.read(photo, 2 * SIZE).shape == (SIZE, 2 * SIZE, 3)
    assert len(made) == 3
    cache.close()


def test_what_cannot_be_read_says_why_each_time(tmp_path: Path):
    cache = ThumbnailCache(tmp_path / "t.sqlite")
    (tmp_path / "a.png").write_text("no image")
    for _ in range(2):
        with pytest.raises(ImageError, match="not an image"):
            cache.read(tmp_path / "a.png", SIZE)
    cache.close()


def test_what_was_not_used_for_the_longest_time_goes_first(
    tmp_path: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch
):
    limit = 200_000
    cache = ThumbnailCache(tmp_path / "t.sqlite", limit)
    noise = np.random.default_rng(0)
    photos = []
    for number in range(150):
        photo = tmp_path / f"{number}.png"
        Image.fromarray(noise.integers(0, 255, (64, 64, 3), np.uint8)).save(photo)
        photos.append(photo)
    now = time.time()
    for hour, photo in enumerate(photos):
        monkeypatch.setattr(module.time, "time", lambda hour=hour: now + 3601 * hour)
        cache.read(photo, SIZE)
        cache.read(photos[0], SIZE)  # which is looked at all the time
        cache.flush()
    assert (tmp_path / "t.sqlite").stat().st_size <= limit + 20_000
    made.clear()
    for photo in (photos[0], photos[-1], photos[1]):
        cache.read(photo, SIZE)
    assert made == [photos[1]]
    cache.close()


def test_a_damaged_entry_is_made_anew(tmp_path: Path, made: list[Path]):
    photo, file = _photo(tmp_path / "a.png"), tmp_path / "t.sqlite"
    cache = ThumbnailCache(file)
    cache.read(photo, SIZE)
    cache.close()
    with sqlite3.connect(file) as database:
        (picture,) = database.execute("SELECT picture FROM thumbnails").fetchone()
        damaged = bytearray(picture)
        damaged[-20] ^= 255
        database.execute("UPDATE thumbnails SET picture = ?", (bytes(damaged),))
    database.close()
    for _ in range(2):
        assert _grey(cache, photo) == 90
    assert made == [photo, photo]
    cache.close()


@pytest.mark.parametrize(
    "content",
    [b"no database at all", b"SQLite format 3\0" + b"\xff" * 4000, "stranger"],
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, made: list[Path], content: bytes | str):
    photo, file = _photo(tmp_path / "a.png"), tmp_path / "t.sqlite"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        stranger = sqlite3.connect(file)
        stranger.execute("CREATE VIEW thumbnails AS SELECT 1 AS key")
        stranger.close()
    for _ in range(2):
        cache = ThumbnailCache(file)
        assert _grey(cache, photo) == 90
        cache.close()
        assert cache.problem == ""
    assert made == [photo]


def test_a_file_that_is_damaged_while_it_is_used_is_made_anew(tmp_path: Path, made: list[Path]):
    photos = [_photo(tmp_path / f"{n}.png") for n in range(3)]
    file = tmp_path / "t.sqlite"
    cache = ThumbnailCache(file)
    cache.read(photos[0], SIZE)
    cache.flush()
    with open(file, "r+b") as raw:
        raw.write(b"\xff" * file.stat().st_size)
    for photo in photos:
        assert _grey(cache, photo) == 90
        cache.flush()
    made.clear()
    assert _grey(cache, photos[2]) == 90
    assert made == []
    cache.close()


def test_where_nothing_can_be_kept_thumbnails_are_made(tmp_path: Path, made: list[Path]):
    photo = _photo(tmp_path / "a.png")
    (tmp_path / "file").write_text("in the way of the folder")
    cache = ThumbnailCache(tmp_path / "file" / "t.sqlite")
    assert _grey(cache, photo) == 90
    cache.flush()
    assert "are not kept" in cache.problem
    assert _grey(cache, photo) == 90
    cache.close()


def test_two_windows_share_the_file(tmp_path: Path, made: list[Path]):
    photo, file = _photo(tmp_path / "a.png"), tmp_path / "t.sqlite"
    first, second = ThumbnailCache(file), ThumbnailCache(file)
    first.read(photo, SIZE)
    first.flush()
    assert _grey(second, photo) == 90
    assert made == [photo]
    first.close()
    second.close()
