"""``petseg evaluate``: a model and the masks it wrote score the same, under every border rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

from core.evaluation import seen
from core.evaluation.terms import SEEN
from core.labels import TRIMAP
from core.project.project import open_project

MakeProject = Callable[..., Path]


@pytest.fixture
def oxford(tmp_path: Path, animal) -> Path:
    """Six drawn animals with a border, arranged as Oxford-IIIT Pet; two official test images."""
    from core.data.decoding import with_border

    root = tmp_path / "pets"
    (root / "images").mkdir(parents=True)
    (root / "annotations" / "trimaps").mkdir(parents=True)
    names = ["Bombay_1", "Bombay_2", "Persian_3", "beagle_4", "pug_5", "pug_6"]
    for seed, name in enumerate(names):
        pixels, mask = animal(seed, 64, 48)
        Image.fromarray(pixels).save(root / "images" / f"{name}.png")
        trimap = np.array([2, 1, 3], np.uint8)[with_border(mask, 2)]
        Image.fromarray(trimap).save(root / "annotations" / "trimaps" / f"{name}.png")
    (root / "annotations" / "test.txt").write_text("Bombay_1 1 1 1\npug_6 1 1 1\n")
    return root


def evaluate(petseg, tmp_path: Path, *words: object) -> dict:
    report = tmp_path / "report.json"
    outcome = petseg("evaluate", *words, "--json", report)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    return json.loads(report.read_text())


@pytest.mark.parametrize("rule", ["foreground", "ignore", "background", "class"])
def test_a_model_scores_what_the_masks_that_it_wrote_score(
    petseg, oxford: Path, tmp_path: Path, make_model, rule: str
):
    model = make_model(TRIMAP)
    common = ("--subset", "all", "--border", rule)
    by_model = evaluate(petseg, tmp_path, oxford, "--model", model, *common)
    out = tmp_path / "out"
    petseg("predict", oxford, "--out", out, "--model", model, "--border", rule)
    by_files = evaluate(petseg, tmp_path, oxford, "--predictions", out, *common)
    for part in ("images", "per_image", "dataset", "classes", "groupings", "floor", "intervals"):
        assert by_files[part] == by_model[part]
    assert by_model["border"] == rule
    assert by_model["images"] == 6
    assert 0 < by_model["per_image"]["iou"] < 1


def test_the_json_holds_what_is_promised(petseg, oxford: Path, tmp_path: Path):
    value = evaluate(petseg, tmp_path, oxford, "--subset", "all")
    assert value["images"] == 6
    measures = {"iou", "dice", "precision", "recall", "pixel_accuracy", "boundary_iou"}
    assert set(value["dataset"]) == measures
    assert set(value["per_image"]) == measures | {"hd95", "surface_distance"}
    assert set(value["intervals"]["per_image"]) == set(value["per_image"])
    assert set(value["classes"]) == {"background", "pet"}
    assert set(value["floor"]) == {"iou", "dice"}
    assert value["threshold"] == 0.5
    assert value["skipped"] == []
    assert 0 < value["calibration"]["ece"] < 1
    assert len(value["thresholds"]) == 99
    assert value["rows"][0]["image"] == "beagle_4.png"


def test_petsegs_own_model_is_not_trusted_on_photos_that_it_has_learnt_from(
    petseg, oxford: Path, make_project: MakeProject, tiny_model: Path, monkeypatch, tmp_path: Path
):
    monkeypatch.setattr(seen, "bundled_models", lambda: [tiny_model])
    report = tmp_path / "report.html"
    warned = petseg("evaluate", oxford, "--subset", "all", "--report", report)
    assert warned.err.strip() == SEEN
    assert escape(SEEN) in report.read_text()
    evaluate(petseg, tmp_path, make_project(3), "--subset", "all")  # not a word on stderr


def test_cats_and_dogs_are_scored_apart(petseg, oxford: Path, tmp_path: Path):
    value = evaluate(petseg, tmp_path, oxford, "--subset", "all")
    groups = value["groups"]
    assert {g: v["images"] for g, v in groups.items()} == {"cats": 3, "dogs": 3}
    mean = (groups["cats"]["per_image"]["iou"] + groups["dogs"]["per_image"]["iou"]) / 2
    assert value["per_image"]["iou"] == pytest.approx(mean)


def test_images_are_grouped_as_asked(petseg, oxford: Path, tmp_path: Path):
    words = (oxford, "--subset", "all")
    value = evaluate(petseg, tmp_path, *words, "--group", "breed")
    assert {g: v["images"] for g, v in value["groups"].items()} == {
        "Bombay": 2,
        "Persian": 1,
        "beagle": 1,
        "pug": 2,
    }
    refused = petseg("evaluate", *words, "--group", "folder")
    assert refused.code == 2
    assert "have no folder to group them by; they have species, breed" in refused.err


def test_a_report_and_a_table_are_written(petseg, oxford: Path, tmp_path: Path):
    report, table = tmp_path / "report.html", tmp_path / "images.csv"
    words = ("--subset", "all", "--report", report, "--csv", table)
    evaluate(petseg, tmp_path, oxford, *words)
    assert "Tiny on pets" in report.read_text()
    assert len(table.read_text().splitlines()) == 7


def test_another_threshold_scores_otherwise_and_is_told(petseg, oxford: Path, tmp_path: Path):
    low, high = (
        evaluate(petseg, tmp_path, oxford, "--subset", "all", "--threshold", t)
        for t in ("0.3", "0.7")
    )
    assert (low["threshold"], high["threshold"]) == (0.3, 0.7)
    assert low["dataset"]["recall"] > high["dataset"]["recall"]
    out = petseg("evaluate", oxford, "--subset", "all", "--threshold", "0.3").out
    assert "threshold 0.3" in out


def test_two_models_are_compared_on_the_same_images(
    petseg, oxford: Path, tmp_path: Path, make_model
):
    other = make_model(seed=3, name="Other")
    report = tmp_path / "report.html"
    outcome = petseg("evaluate", oxford, "--subset", "all", "--compare", other, "--report", report)
    assert outcome.code == 0, outcome.err
    verdict = outcome.out.splitlines()[-1]
    assert "Tiny" in verdict or "which is better" in verdict
    header = next(line for line in outcome.out.splitlines() if line.startswith("per image"))
    assert header.split() == ["per", "image", "Tiny", "Other", "difference", "95", "%", "interval"]
    assert verdict in report.read_text().replace("&#39;", "'")


def test_the_subsets_are_those_of_the_split(petseg, oxford: Path, tmp_path: Path):
    project = open_project(oxford)
    split = list(project.split(project.names).values())
    for subset in ("train", "val", "test"):
        value = evaluate(petseg, tmp_path, oxford, "--subset", subset)
        assert value["images"] == split.count(subset) > 0
    assert split.count("test") == 2


def test_evaluating_writes_nothing_into_the_folder(petseg, oxford: Path, tmp_path: Path, snapshot):
    before = snapshot(oxford)
    evaluate(petseg, tmp_path, oxford)
    assert snapshot(oxford) == before


def test_perfect_masks_score_1_and_the_border_rule_stands_beside_the_score(
    petseg, make_project: MakeProject, tmp_path: Path
):
    root = make_project(3)
    words = ("evaluate", root, "--predictions", root / "masks", "--subset", "all")
    outcome = petseg(*words)
    assert outcome.code == 0
    assert "3 images, subset all, border = foreground" in outcome.out
    assert "1.0000" in outcome.out
    assert evaluate(petseg, tmp_path, *words[1:])["per_image"]["iou"] == 1


def test_missing_and_wrong_predictions_are_named_and_the_rest_is_scored(
    petseg, make_project: MakeProject, tmp_path: Path
):
    root = make_project(4)
    out = tmp_path / "out"
    assert petseg("predict", root, "--out", out).code == 0
    (out / "animal-0.png").unlink()
    Image.new("L", (3, 3)).save(out / "animal-1.png")
    Image.new("L", (48, 48), 9).save(out / "animal-2.png")
    report = tmp_path / "report.json"
    outcome = petseg("evaluate", root, "--predictions", out, "--subset", "all", "--json", report)
    assert outcome.code == 3
    lines = outcome.err.splitlines()
    assert len(lines) == 3
    assert "animal-0.png: there is no prediction animal-0.png" in lines[0]
    assert "3 x 3 pixels, its photo 48 x 48" in lines[1]
    assert "no class of this project" in lines[2]
    value = json.loads(report.read_text())
    assert value["images"] == 1
    assert [s["image"] for s in value["skipped"]] == [f"animal-{i}.png" for i in range(3)]


def test_predictions_of_no_image_are_named(petseg, make_project: MakeProject, tmp_path: Path):
    root = make_project(2)
    out = tmp_path / "out"
    assert petseg("predict", root, "--out", out).code == 0
    Image.new("L", (48, 48)).save(out / "stranger.png")
    outcome = petseg("evaluate", root, "--predictions", out, "--subset", "all")
    assert outcome.code == 0
    assert outcome.err.splitlines() == ["belongs to no image: stranger.png"]
    for option in (("--flip",), ("--threshold", "0.4")):
        refused = petseg("evaluate", root, "--predictions", out, *option)
        assert refused.code == 2
        assert "no --flip and no --threshold" in refused.err


@pytest.mark.parametrize("subset", ["val", "all"])
def test_without_an_approved_mask_there_is_nothing_to_score(
    petseg, make_project: MakeProject, subset: str
):
    outcome = petseg("evaluate", make_project(3, 0), "--subset", subset)
    assert outcome.code == 2
    assert "no approved mask" in outcome.err


def test_a_model_and_predictions_at_once_are_refused(
    petseg, make_project: MakeProject, tiny_model: Path, tmp_path: Path
):
    root = make_project(2)
    outcome = petseg("evaluate", root, "--model", tiny_model, "--predictions", root)
    assert outcome.code == 2
    assert "not both" in outcome.err
    gone = petseg("evaluate", root, "--predictions", tmp_path / "gone")
    assert gone.code == 2


def test_a_model_without_a_border_is_not_scored_on_one(petseg, oxford: Path):
    outcome = petseg("evaluate", oxford, "--border", "class")
    assert outcome.code == 2
    assert "knows no border" in outcome.err


def test_a_model_of_other_classes_is_refused_at_once(petseg, make_project: MakeProject, make_model):
    root = make_project(2, change=lambda m: m * 3)
    outcome = petseg("evaluate", root, "--model", make_model(), "--subset", "all")
    assert outcome.code == 2
    assert "This model knows background, pet" in outcome.err


def test_masks_that_can_be_read_two_ways_need_a_word(
    petseg, make_project: MakeProject, tmp_path: Path
):
    root = make_project(2)
    for path in (root / "masks").iterdir():
        mask = np.array(Image.open(path))
        Image.fromarray(np.where(mask == 1, 1, 2).astype(np.uint8)).save(path)
    words = ("evaluate", root, "--subset", "all")
    outcome = petseg(*words)
    assert outcome.code == 2
    assert "--encoding ids or --encoding trimap" in outcome.err
    assert petseg(*words, "--encoding", "trimap").code == 0
