"""The robustness benchmark: which photos, which figures, and when it says no."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import conditions, robustness
from benchmarks.conditions import CONDITIONS
from benchmarks.learning_curves import project_of
from benchmarks.robustness import drawn_photos, line_of
from core.labels import TRIMAP
from core.project.project import open_project


@pytest.mark.parametrize(("count", "dogs", "cats"), [(4, 2, 2), (7, 3, 4), (100, 3, 6)])
def test_as_many_cats_as_dogs_of_the_validation_photos(pets, tmp_path, count, dogs, cats):
    names = sorted(open_project(pets).names)
    train = [names[0], names[5], names[11]]  # two cats, one dog
    val = [n for n in names if n not in train]
    photos = drawn_photos(project_of(pets, tmp_path / "store", train, val), count)
    assert not {p.name for p in photos} & set(train)
    groups = [p.group for p in photos]
    assert (groups.count("dogs"), groups.count("cats")) == (dogs, cats)


def test_a_change_is_between_the_same_photos():
    line = line_of("dark", [0.5, 0.7, 0.6], ["cats", "cats", "dogs"], [0.6, 0.8, 0.7])
    assert line.iou.value == pytest.approx(0.6)
    assert [g.value for g in line.groups] == pytest.approx([0.6, 0.6])
    # All photos lose the same: there is no doubt about it, though they differ much.
    assert (line.change.low, line.change.value, line.change.high) == pytest.approx((-0.1,) * 3)
    assert line.iou.low < 0.55 < 0.65 < line.iou.high


def test_original_files_may_be_missing(tmp_path):
    assert robustness._originals(tmp_path / "gone", lambda pixels: pixels[..., 0]) == ([], [])


def test_all_is_told_and_a_bad_original_file_fails_it(
    pets, tmp_path, make_model, monkeypatch, capsys
):
    originals = pets.parent / "oxford-iiit-pet-originals"
    name = open_project(pets).names[0]
    trimap = Path("annotations/trimaps") / name
    for folder in ("images", "annotations/trimaps"):
        (originals / folder).mkdir(parents=True)
    for file in (Path("images") / name, trimap):
        shutil.copy(pets / file, originals / file)
    torn = originals / "images" / "Bombay_1.png"
    torn.write_bytes((pets / "images" / name).read_bytes()[:500])
    shutil.copy(pets / trimap, originals / trimap.with_name(torn.name))
    # Each drawing and each large photo takes a while.
    monkeypatch.setattr(robustness, "MASKED", 2)
    monkeypatch.setattr(conditions, "LARGE", 400)
    results = tmp_path / "rows.json"
    options = ["--model", str(make_model(TRIMAP)), "--photos", "2", "--json", str(results)]
    monkeypatch.setattr(sys, "argv", ["robustness", str(pets), *options])
    assert robustness.main() == 1
    told = {row["name"]: row for row in json.loads(results.read_text())}
    assert [name for name, row in told.items() if not row["ok"]] == [
        "original files that failed, of 2"
    ]
    assert "Bombay_1.png" in capsys.readouterr().err
    assert told["original files: pictures"]["value"] == 1
    assert told["EXIF: other masks, of 16"]["value"] == 0
    assert all(f"{condition}: IoU" in told for condition in CONDITIONS)
    assert told["drawings of the demo: pictures"]["value"] == 2
