"""``petseg predict``: every photo comes out under its own name, or is named with its reason."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli import predict
from core.cli.segmenting import Job, Segmenter, Way
from core.formats.pictures import draw_overlay
from core.inference.options import PredictOptions
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP, VOID, BorderRule
from core.masks import MaskEncoding, read_mask
from core.modelfile import onnx_path

MakeProject = Callable[..., Path]


def photo(path: Path, seed: int = 0, size: tuple[int, int] = (50, 34)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    coarse.resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def written(out: Path) -> set[str]:
    """All files but those in which what is done is noted."""
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    return {name for name in files if not name.startswith(predict.STATE + "/")}


def test_masks_have_the_photos_sizes_and_the_models_answer(
    petseg, tmp_path: Path, tiny_model: Path
):
    path = photo(tmp_path / "in" / "a.png", size=(131, 77))
    outcome = petseg("predict", path, "--out", tmp_path / "out")
    assert outcome.code == 0
    assert "Segmented 1 image in" in outcome.out
    assert outcome.err == ""
    mask = read_mask(tmp_path / "out" / "a.png", MaskEncoding.IDS, PET, (131, 77))
    pixels = np.array(Image.open(path))
    expected = Predictor(tiny_model).predict(pixels).mask(PET, BorderRule.FOREGROUND)
    assert (mask == expected).mean() > 0.999
    assert set(np.unique(mask)) == {0, 1}


def test_a_folders_names_and_subfolders_are_kept(petseg, tmp_path: Path):
    root = tmp_path / "in"
    for name in ("a.jpg", "a.png", "b.jpg", "sub/dir/c d.webp", "ünï/猫.bmp"):
        photo(root / name)
    outcome = petseg("predict", root, "--out", tmp_path / "out")
    assert outcome.code == 0
    assert written(tmp_path / "out") == {
        "a.jpg.png",
        "a.png.png",
        "b.png",
        "sub/dir/c d.png",
        "ünï/猫.png",
    }


def test_of_a_data_set_the_images_are_predicted(petseg, make_project: MakeProject, tmp_path: Path):
    root = make_project(2, 2)
    before = {p: p.read_bytes() for p in root.rglob("*.png")}
    outcome = petseg("predict", root, "--out", tmp_path / "out")
    assert outcome.code == 0
    assert written(tmp_path / "out") == {"animal-0.png", "animal-1.png"}
    assert {p: p.read_bytes() for p in root.rglob("*.png")} == before


def test_single_photos_of_one_stem_keep_both_their_masks(petseg, tmp_path: Path):
    paths = [photo(tmp_path / "in" / name) for name in ("a.jpg", "a.png")]
    assert petseg("predict", *paths, "--out", tmp_path / "out").code == 0
    assert written(tmp_path / "out") == {"a.jpg.png", "a.png.png"}


def test_a_photo_that_is_given_twice_is_predicted_once(petseg, tmp_path: Path):
    path = photo(tmp_path / "in" / "a.png")
    outcome = petseg("predict", path, path, tmp_path / "in", "--out", tmp_path / "out")
    assert outcome.code == 0
    assert "Segmented 1 image in" in outcome.out


def test_photos_that_would_write_one_mask_are_refused_before_anything_is_written(
    petseg, tmp_path: Path
):
    one, other = (photo(tmp_path / folder / "a.png") for folder in ("x", "y"))
    outcome = petseg("predict", one, other, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "would both write" in outcome.err
    assert not (tmp_path / "out").exists()


def bomb(path: Path) -> None:
    info = struct.pack("<IiiHHIIiiII", 40, 60_000, 50_000, 1, 24, 0, 0, 2835, 2835, 0, 0)
    path.write_bytes(b"BM" + struct.pack("<IHHI", 154, 0, 0, 54) + info + bytes(100))


def test_bad_files_are_named_with_their_reasons_and_the_rest_is_done(petseg, tmp_path: Path):
    root = tmp_path / "in"
    photo(root / "good.png")
    photo(root / "grey.png").write_bytes(b"")
    (root / "text.png").write_text("no image")
    data = photo(root / "cut.jpg").read_bytes()
    (root / "cut.jpg").write_bytes(data[: len(data) // 2])
    bomb(root / "bomb.bmp")
    Image.new("L", (1, 1)).save(root / "dot.png")
    report = tmp_path / "report.json"
    outcome = petseg("predict", root, "--out", tmp_path / "out", "--json", report)
    assert outcome.code == 3
    assert written(tmp_path / "out") == {"good.png", "dot.png"}
    lines = outcome.err.splitlines()
    assert len(lines) == 4
    for name, reason in {
        "grey.png": "the file is empty (0 bytes)",
        "text.png": "not an image that can be read",
        "cut.jpg": "damaged or unreadable",
        "bomb.bmp": "60000 x 50000 pixels is more than the limit",
    }.items():
        (line,) = [line for line in lines if name in line]
        assert line.startswith(f"skipped {root / name}: ")
        assert reason in line
        assert line.count(name) == 1
    value = json.loads(report.read_text())
    assert {Path(s["image"]).name for s in value["skipped"]} == {
        "grey.png",
        "text.png",
        "cut.jpg",
        "bomb.bmp",
    }
    assert all(s["reason"] for s in value["skipped"])


def test_the_json_lists_every_photo(petseg, tmp_path: Path):
    path = photo(tmp_path / "in" / "a.png", size=(40, 30))
    report = tmp_path / "report.json"
    assert petseg("predict", path, "--out", tmp_path / "out", "--json", report).code == 0
    value = json.loads(report.read_text())
    assert set(value) == {"model", "classes", "border", "options", "images", "skipped"}
    assert value["options"]["threshold"] == 0.5
    assert value["model"] == "tiny-0"
    assert value["classes"] == ["background", "pet"]
    (row,) = value["images"]
    mask = np.array(Image.open(tmp_path / "out" / "a.png"))
    assert (row["width"], row["height"]) == (40, 30)
    assert row["foreground"] == pytest.approx(mask.mean())
    assert 0 <= row["uncertainty"] <= 1
    assert row["image"] == str(path)
    assert row["mask"] == str(tmp_path / "out" / "a.png")


def test_overlays_lie_beside_the_masks(petseg, tmp_path: Path):
    path = photo(tmp_path / "in" / "a.png", size=(120, 90))
    assert petseg("predict", path, "--out", tmp_path / "out", "--overlay").code == 0
    assert written(tmp_path / "out") == {"a.png", "a_overlay.jpg"}
    with Image.open(tmp_path / "out" / "a_overlay.jpg") as overlay:
        assert overlay.size == (120, 90)


def test_an_overlay_tints_the_pet_and_nothing_else():
    pixels = np.full((20, 20, 3), 100, np.uint8)
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 1
    mask[:3] = VOID
    picture = draw_overlay(pixels, mask, PET)
    assert (picture[16:] == 100).all()
    assert (picture[:3] == 100).all()
    inside = picture[8:12, 8:12].reshape(-1, 3)
    assert (inside == inside[0]).all()
    assert inside[0, 2] > inside[0, 0]  # towards the class's blue
    assert (pixels == 100).all()


def test_flip_averaging_is_done_where_it_is_asked_for(petseg, tmp_path: Path):
    path = photo(tmp_path / "in" / "a.png", size=(96, 96))
    report = tmp_path / "report.json"
    rows = []
    for flags in ([], ["--flip"]):
        words = ("--out", tmp_path / "out", "--json", report, "--anew", *flags)
        assert petseg("predict", path, *words).code == 0
        rows.append(json.loads(report.read_text())["images"][0]["uncertainty"])
    assert rows[0] != rows[1]


def foregrounds(petseg, path: Path, *flags: object) -> list[float]:
    """The share of the pixels that is not background, of each photo."""
    report = path.parent / "report.json"
    words = ("--out", path.parent / "out", "--anew", "--json", report, *flags)
    outcome = petseg("predict", path, *words)
    assert outcome.code == 0, outcome.err
    return [row["foreground"] for row in json.loads(report.read_text())["images"]]


@pytest.mark.parametrize(
    ("flags", "changes"),
    [
        (["--threshold", 0.9], -1),
        (["--threshold", 0.1], 1),
        (["--classes", "background"], -1),
        (["--remove-islands", 300], -1),
        (["--fill-holes", 10**9], 1),
        (["--keep-largest"], -1),
    ],
)
def test_threshold_classes_and_clean_ups_act_on_the_masks(
    petseg, tmp_path: Path, flags: list, changes: int
):
    for seed in range(3):
        photo(tmp_path / "in" / f"{seed}.png", seed, size=(150, 110))
    before = sum(foregrounds(petseg, tmp_path / "in"))
    after = sum(foregrounds(petseg, tmp_path / "in", *flags))
    assert (after - before) * changes > 0


def test_tiles_look_closer(petseg, tmp_path: Path, tiny_model: Path):
    path = photo(tmp_path / "a.png", size=(200, 150))
    foregrounds(petseg, path, "--tiles", 3)
    mask = read_mask(tmp_path / "out" / "a.png", MaskEncoding.IDS, PET, (200, 150))
    predictor = Predictor(tiny_model, threads=1)
    pixels = np.array(Image.open(path))
    near, far = (
        (mask == predictor.predict(pixels, tiles=n).mask(PET, BorderRule.FOREGROUND)).mean()
        for n in (3, 1)
    )
    assert near > 0.999 > far


@pytest.mark.parametrize(
    ("text", "values"), [("pet", {0, 1}), ("Border, 1", {0, 1, 2}), ("0", {0}), ("2", {0, 2})]
)
def test_classes_go_by_name_or_number(petseg, tmp_path: Path, make_model, animal, text, values):
    path = tmp_path / "a.png"
    Image.fromarray(animal(0)[0]).save(path)
    flags = ["--model", make_model(TRIMAP), "--border", "class", "--classes", text]
    foregrounds(petseg, path, *flags)
    assert set(np.unique(np.array(Image.open(tmp_path / "out" / "a.png")))) == values


def test_a_class_that_the_model_does_not_know_is_named(petseg, tmp_path: Path):
    path = photo(tmp_path / "a.png")
    outcome = petseg("predict", path, "--out", tmp_path / "out", "--classes", "pet,unicorn")
    assert outcome.code == 2
    assert "unicorn: this model's classes are background, pet" in outcome.err
    assert not (tmp_path / "out").exists()


def test_photos_that_go_away_on_the_way_are_listed_and_the_rest_is_done(
    petseg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    paths = [photo(tmp_path / "in" / f"{n}.png", n) for n in range(6)]
    segment = Segmenter.__call__

    def shoo(self: Segmenter, job: Job) -> dict | str:
        paths[4].unlink(missing_ok=True)
        return segment(self, job)

    monkeypatch.setattr(Segmenter, "__call__", shoo)
    outcome = petseg("predict", tmp_path / "in", "--out", tmp_path / "out")
    assert outcome.code == 3
    assert written(tmp_path / "out") == {f"{n}.png" for n in (0, 1, 2, 3, 5)}
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"skipped {paths[4]}: ")
    assert "No such file" in line


def test_who_stops_on_the_way_does_not_wait_for_the_photos_under_way(
    tmp_path: Path, crops_model: Path
):
    small = photo(tmp_path / "small.png")
    large = tmp_path / "large.png"
    Image.new("RGB", (4000, 4000)).save(large)  # ten thousand windows
    out = tmp_path / "out"
    jobs = [Job(path, out, path.name) for path in (small, large)]
    way = Way(PET, BorderRule.FOREGROUND, PredictOptions())
    results = predict.segment_files(jobs, 2, crops_model, way, cores=2)
    assert isinstance(next(results)[1], dict)
    results.close()
    assert written(out) == {"small.png"}


def test_a_damaged_model_writes_nothing(petseg, tmp_path: Path, tiny_model: Path):
    for file in (tiny_model, onnx_path(tiny_model)):
        shutil.copy(file, tmp_path)
    twin = onnx_path(tmp_path / tiny_model.name)
    data = bytearray(twin.read_bytes())
    data[len(data) // 2] ^= 1
    twin.write_bytes(data)
    path = photo(tmp_path / "a.png")
    model = tmp_path / tiny_model.name
    outcome = petseg("predict", path, "--out", tmp_path / "out", "--model", model)
    assert outcome.code == 2
    assert "is damaged" in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rule", "values"),
    [("foreground", {0, 1}), ("ignore", {0, 1}), ("background", {0, 1}), ("class", {0, 1, 2})],
)
def test_a_trimap_model_answers_under_every_border_rule(
    petseg, tmp_path: Path, make_model, animal, rule: str, values: set[int]
):
    path = tmp_path / "a.png"
    Image.fromarray(animal(0)[0]).save(path)
    model = make_model(TRIMAP)
    outcome = petseg("predict", path, "--out", tmp_path / "out", "--model", model, "--border", rule)
    assert outcome.code == 0
    assert set(np.unique(np.array(Image.open(tmp_path / "out" / "a.png")))) == values


def test_what_is_no_photo_no_folder_and_no_model_is_bad_input(petseg, tmp_path: Path):
    out = tmp_path / "out"
    (tmp_path / "empty").mkdir()
    path = photo(tmp_path / "a.png")
    (tmp_path / "m.safetensors").write_bytes(b"no model")
    for words, reason in (
        (["predict", tmp_path / "gone.png", "--out", out], "gone.png does not exist"),
        (["predict", tmp_path / "empty", "--out", out], "No images in"),
        (["predict", path, "--out", out, "--model", tmp_path / "gone"], "No model at"),
        (["predict", path, "--out", out, "--model", tmp_path / "m.safetensors"], "not a model"),
    ):
        outcome = petseg(*words)
        assert outcome.code == 2
        assert reason in outcome.err
        assert len(outcome.err.splitlines()) == 1
        assert not out.exists()


def test_a_place_that_cannot_be_written_to_is_a_failure(petseg, tmp_path: Path):
    path = photo(tmp_path / "a.png")
    (tmp_path / "file").write_text("a file")
    outcome = petseg("predict", path, "--out", tmp_path / "file" / "out")
    assert outcome.code == 1
    assert outcome.err.startswith("Cannot write ")
    assert len(outcome.err.splitlines()) == 1


def test_a_file_is_no_place_for_masks(petseg, tmp_path: Path):
    path = photo(tmp_path / "a.png")
    (tmp_path / "out").write_text("a file")
    outcome = petseg("predict", path, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "is a file" in outcome.err


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("a.png", ["a.jpg"]),
        ("b_overlay.jpg", ["b.jpg"]),
        ("b_overlay.jpg", ["b.jpg", "b_overlay.jpg", "--anew"]),
    ],
)
def test_a_photo_is_never_overwritten(
    petseg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: list[str]
):
    kept = photo(tmp_path / name)
    photo(tmp_path / given[0], seed=1)
    before = kept.read_bytes()
    monkeypatch.chdir(tmp_path)
    outcome = petseg("predict", *given, "--out", ".", "--overlay")
    assert outcome.code == 2
    assert name in outcome.err
    assert kept.read_bytes() == before


@pytest.mark.parametrize("masked", [2, 0])
def test_predictions_do_not_go_where_a_folders_own_masks_are(
    petseg, make_project: MakeProject, tmp_path: Path, snapshot, masked: int
):
    root = make_project(2, masked)
    before = snapshot(root)
    outcome = petseg("predict", root, "--out", root / "masks")
    assert outcome.code == 2
    assert "own masks" in outcome.err
    assert snapshot(root) == before
