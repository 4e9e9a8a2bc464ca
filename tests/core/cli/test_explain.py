"""``petseg explain``: a heat map over the photo, or a reason why there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path: Path, animal) -> Path:
    path = tmp_path / "pet.jpg"
    Image.fromarray(animal(0, 90, 60)[0]).save(path)
    return path


@pytest.mark.parametrize("method", ["gradcam", "occlusion"])
def test_it_writes_a_heat_map_of_the_photos_size(petseg, photo: Path, tmp_path, method) -> None:
    out = tmp_path / "why.png"
    done = petseg(
        "explain", photo, "--out", out, "--method", method, "--detail", "coarse",
        "--box", "10,10,50,40", "--class", "pet",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "the place you chose" in done.out
    assert "not a proof" in done.out
    with Image.open(out) as picture:
        assert picture.size == (90, 60)
        shown = np.asarray(picture.convert("RGB")).astype(int)
    plain = np.asarray(Image.open(photo)).astype(int)
    assert np.abs(shown - plain).mean() > 10


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--out", "why.jpg"], "ends in .png"),
        (["--out", "why.png", "--class", "dog"], "knows background, pet"),
        (["--out", "why.png", "--box", "1,2,3"], "LEFT,TOP,RIGHT,BOTTOM"),
        (["--out", "why.png", "--box", "200,200,300,300"], "outside the photo of 90 x 60"),
        (["--out", "why.png", "--model", "missing.safetensors"], "missing.safetensors"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    petseg, photo: Path, tmp_path, monkeypatch, words, reason
) -> None:
    monkeypatch.chdir(tmp_path)
    done = petseg("explain", photo, *words)
    assert done.code == 2
    assert reason in done.err
    assert not (tmp_path / "why.png").exists()


def test_a_photo_that_is_not_there_is_told(petseg, photo: Path, tmp_path) -> None:
    (tmp_path / "why.png").touch()
    done = petseg("explain", tmp_path / "missing.jpg", "--out", tmp_path / "why.png")
    assert done.code == 2
    assert "missing.jpg" in done.err


def test_the_photo_is_never_overwritten(petseg, tmp_path: Path, animal) -> None:
    path = tmp_path / "pet.png"
    Image.fromarray(animal(0)[0]).save(path)
    before = path.read_bytes()
    assert petseg("explain", path, "--out", path).code == 2
    assert path.read_bytes() == before
