"""All figures of a folder: of known masks, by group, with what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.evaluation.groups import group_of, groups_of
from core.evaluation.result import Evaluation, read_evaluation, write_evaluation
from core.evaluation.sources import Answer, FileAnswers, ModelAnswers
from core.labels import VOID, BorderRule
from core.modelfile import ModelFileError
from core.project.project import Project, open_project


def shifted(_name: str, pixels: np.ndarray) -> Answer:
    """A box ten pixels to the right of a.png's, quite sure."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[10:30, 20:50] = 1
    return Answer(mask, np.where(mask, np.uint8(204), np.uint8(51)), 0.25)


@pytest.fixture
def found(boxes: Project, judge) -> Evaluation:
    return judge(boxes, shifted).evaluation


def row(evaluation: Evaluation, name: str):
    return next(r for r in evaluation.rows if r.image == name)


def test_an_image_s_figures(found: Evaluation):
    a = row(found, "a.png")
    assert (a.width, a.height) == (60, 40)
    assert a.iou == pytest.approx(400 / 800)
    assert a.dice == a.precision == a.recall == pytest.approx(400 / 600)
    assert a.pixel_accuracy == pytest.approx(2000 / 2400)
    assert a.hd95 == 10
    assert a.truth_share == a.predicted_share == pytest.approx(600 / 2400)
    assert a.uncertainty == 0.25
    # Bands of one pixel (2 % of a diagonal of 72): two edges of 20 shared pixels, and the corners.
    assert a.boundary_iou == pytest.approx(40 / (2 * 96 - 40))


def test_an_object_where_there_is_none_scores_0_and_is_a_diagonal_away(found: Evaluation):
    empty = row(found, "empty.png")
    assert (empty.iou, empty.dice, empty.precision, empty.recall) == (0, 0, 0, 0)
    assert empty.boundary_iou == 0
    assert empty.hd95 == empty.surface_distance == pytest.approx(np.hypot(40, 60))
    assert found.one_empty == 1


def test_nothing_where_there_is_nothing_is_perfect(boxes: Project, judge):
    nothing = judge(boxes, lambda _n, p: Answer(np.zeros(p.shape[:2], np.uint8))).evaluation
    empty = row(nothing, "empty.png")
    assert (empty.iou, empty.boundary_iou, empty.hd95, empty.surface_distance) == (1, 1, 0, 0)
    assert nothing.one_empty == 3


def test_means_and_sums_and_their_intervals(found: Evaluation):
    ious = [r.iou for r in found.rows]
    assert found.images == len(ious) == 4
    assert found.per_image.iou == pytest.approx(np.mean(ious))
    hits = 400 + 20 * 30 + 0 + 600
    either = 800 + 900 + 600 + 2400
    assert found.dataset.iou == pytest.approx(hits / either)
    assert set(found.intervals.per_image) == set(type(found.per_image).model_fields)
    for name, (low, high) in found.intervals.per_image.items():
        assert low <= getattr(found.per_image, name) <= high
    assert set(found.intervals.dataset) == set(type(found.dataset).model_fields)
    assert found.floor.iou == pytest.approx((600 + 900 + 0 + 2400) / 2400 / 4)


def test_what_nobody_labelled_is_skipped_with_the_reason(found: Evaluation):
    assert [(s.image, s.reason) for s in found.skipped] == [
        ("void.png", "nothing in its mask is labelled")
    ]


def test_folders_are_groups(found: Evaluation):
    assert found.grouping == "folder"
    assert {g: s.images for g, s in found.groups.items()} == {".": 3, "cats": 1}
    assert found.groups["cats"].per_image.iou == pytest.approx(600 / 2400)
    assert found.groups["cats"].intervals.per_image == {}


def test_classes_are_scored_apart(found: Evaluation):
    background, thing = found.per_class
    assert thing.iou == pytest.approx(found.dataset.iou)
    assert thing.images == 3
    assert thing.boundary_iou == pytest.approx(found.dataset.boundary_iou)
    assert (background.boundary_iou, background.hd95) == (None, None)
    assert found.classes == {background.name: background.iou, thing.name: thing.iou}


def test_probabilities_give_calibration_and_thresholds(found: Evaluation):
    assert found.calibration is not None
    assert found.calibration.of == "object"
    assert sum(b.pixels for b in found.calibration.bins) == 4 * 2400
    at_half = next(p for p in found.thresholds if p.threshold == 0.5)
    assert at_half.iou == pytest.approx(found.per_image.iou)
    assert at_half.dataset_iou == pytest.approx(found.dataset.iou)
    assert at_half.precision == pytest.approx(found.dataset.precision)
    # From 0.81 on nothing is said to be the object: only the empty image is right.
    assert next(p for p in found.thresholds if p.threshold == 0.81).iou == pytest.approx(1 / 4)


def test_the_file_reads_as_it_was_written_and_damage_is_named(found: Evaluation, tmp_path: Path):
    path = tmp_path / "evaluation.json"
    write_evaluation(path, found)
    assert read_evaluation(path) == found
    compact = tmp_path / "compact.json"
    compact.write_text(json.dumps(json.loads(path.read_text()), separators=(",", ":")))
    assert read_evaluation(compact) == found
    for spoiled in (
        path.read_text()[:-200],
        path.read_text().replace('"format": 1', '"format": 2'),
        path.read_text().replace('"class_id":1', '"class_id":7'),
        path.read_text().replace('"iou":', '"iou": 1e9, "was":'),
        "[]",
        "[" * 100_000,
        '{"rows": [{}]}',
        "\0",
    ):
        path.write_text(spoiled)
        with pytest.raises(BadInput, match=r"evaluation\.json is no evaluation"):
            read_evaluation(path)
    with pytest.raises(BadInput, match="Cannot read"):
        read_evaluation(tmp_path / "gone.json")


def test_the_worst_images_come_first_and_have_pictures(boxes: Project, judge):
    done = judge(boxes, shifted)
    order = [r.image for r in done.evaluation.worst]
    assert order[:2] == ["empty.png", "cats/c.png"]
    assert list(done.pictures) == order
    assert all(picture.startswith(b"\xff\xd8") for picture in done.pictures.values())


def test_only_the_24_worst_of_many_are_drawn(masks_project, judge):
    masks = {f"{i:02}.png": np.tri(8, 8, i - 12, np.uint8) for i in range(30)}
    done = judge(masks_project(masks), lambda _n, p: Answer(np.tri(8, 8, -4, np.uint8)))
    assert len(done.pictures) == 24
    assert list(done.pictures) == [r.image for r in done.evaluation.worst]


def test_truth_of_one_class_has_figures(masks_project, judge):
    project = masks_project({f"{i}.png": np.ones((20, 20), np.uint8) for i in range(2)})
    half = np.zeros((20, 20), np.uint8)
    half[:10] = 1
    found = judge(project, lambda _n, _p: Answer(half, half * np.uint8(255))).evaluation
    assert found.per_image.iou == 0.5
    assert found.floor.iou == 1
    assert found.per_class[0].iou == 0
    assert found.calibration is not None
    assert found.calibration.ece == pytest.approx(0.5)
    assert found.best_threshold is not None


def test_images_of_one_pixel_and_of_one_row(masks_project, judge):
    project = masks_project(
        {"dot.png": np.ones((1, 1), np.uint8), "row.png": np.eye(1, 900, 3, np.uint8)}
    )
    done = judge(project, lambda _n, p: Answer(np.ones(p.shape[:2], np.uint8)))
    dot, line = (row(done.evaluation, name) for name in ("dot.png", "row.png"))
    assert (dot.iou, dot.boundary_iou, dot.hd95) == (1, 1, 0)
    assert line.iou == pytest.approx(1 / 900)
    assert line.hd95 == pytest.approx(np.percentile([abs(x - 3) for x in range(900)], 95))


def test_void_is_taken_out_of_borders_too(masks_project, judge):
    truth = np.zeros((40, 60), np.uint8)
    truth[10:30, 10:40] = 1
    truth[:, 40:] = VOID
    said = np.zeros((40, 60), np.uint8)
    said[10:30, 10:60] = 1  # right, as far as anybody knows
    found = judge(masks_project({"a.png": truth}), lambda _n, _p: Answer(said)).evaluation
    a = found.rows[0]
    assert (a.iou, a.boundary_iou, a.hd95) == (1, 1, 0)


def test_with_three_classes_answers_are_calibrated_and_no_threshold_decides(masks_project, judge):
    truth = np.zeros((30, 30), np.uint8)
    truth[:10], truth[20:] = 1, 2
    project = masks_project({"a.png": truth, "b.png": truth})
    said = np.where(truth == 2, 1, truth).astype(np.uint8)
    found = judge(project, lambda _n, _p: Answer(said, np.full((30, 30), 153, np.uint8))).evaluation
    assert found.per_image.iou == pytest.approx((1 + 0.5 + 0) / 3)
    assert found.calibration is not None
    assert found.calibration.of == "answer"
    assert found.calibration.ece == pytest.approx(2 / 3 - 0.6)
    assert found.thresholds == []
    assert [b.class_id for b in found.rows[0].borders] == [1, 2]
    assert found.per_class[2].hd95 == pytest.approx(np.hypot(30, 30))


def test_a_file_name_of_any_bytes_is_scored(tmp_path: Path, judge):
    name = "odd-\udcff.png"
    for folder, mode in (("images", "RGB"), ("masks", "L")):
        (tmp_path / "odd" / folder).mkdir(parents=True)
        Image.new(mode, (8, 8), 1 if mode == "L" else 0).save(tmp_path / "odd" / folder / name)
    project = open_project(tmp_path / "odd")
    found = judge(project, lambda _n, p: Answer(np.ones(p.shape[:2], np.uint8))).evaluation
    assert [r.image for r in found.rows] == ["odd-\\udcff.png"]
    write_evaluation(tmp_path / "evaluation.json", found)


def test_without_one_image_to_score_the_reason_is_told(boxes: Project, judge):
    with pytest.raises(BadInput, match=r"could be scored\. a\.png: its prediction is 3 x 2"):
        judge(boxes, lambda _n, _p: Answer(np.zeros((2, 3), np.uint8)))


def test_a_model_s_threshold_is_that_of_its_mask(make_project, tiny_model: Path):
    project = open_project(make_project(1))
    pixels = project.read_image(project.names[0]).pixels
    shares = []
    for threshold in (0.2, 0.5, 0.8):
        model = ModelAnswers(
            project.settings.scheme, tiny_model, BorderRule.FOREGROUND, threshold=threshold
        )
        answer = model.answer(project.names[0], pixels)
        assert answer.level is not None
        said = answer.level >= threshold * 255
        assert (said == answer.mask).mean() > 0.98
        shares.append(answer.mask.mean())
    assert shares[0] > shares[1] > shares[2]


def test_a_damaged_model_is_refused_before_anything_is_scored(
    make_project, tiny_model: Path, tmp_path: Path
):
    project = open_project(make_project(1))
    for suffix in (".safetensors", ".onnx"):
        data = tiny_model.with_suffix(suffix).read_bytes()
        middle = len(data) // 2
        if suffix == ".onnx":
            data = data[:middle] + bytes(64) + data[middle + 64 :]
        (tmp_path / f"spoiled{suffix}").write_bytes(data)
    with pytest.raises(ModelFileError, match="spoiled"):
        ModelAnswers(
            project.settings.scheme, tmp_path / "spoiled.safetensors", BorderRule.FOREGROUND
        )


def test_a_foreign_folder_of_predictions_is_refused_with_a_hint(boxes: Project, tmp_path: Path):
    for folder in ("out/nested/cats", "out/other"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(BadInput, match="no mask files in it"):
        FileAnswers(boxes, tmp_path / "out", BorderRule.FOREGROUND)
    Image.new("L", (60, 40)).save(tmp_path / "out" / "other" / "x.png")
    with pytest.raises(BadInput, match=r"It holds other/x\.png"):
        FileAnswers(boxes, tmp_path / "out", BorderRule.FOREGROUND)
    Image.new("L", (60, 40)).save(tmp_path / "out" / "nested" / "a.png")
    with pytest.raises(BadInput, match=r"nested: give that folder"):
        FileAnswers(boxes, tmp_path / "out", BorderRule.FOREGROUND)
    extras = FileAnswers(boxes, tmp_path / "made" / "masks", BorderRule.FOREGROUND).extras
    assert extras == []
    (tmp_path / "out" / "nested" / "a.png").rename(tmp_path / "out" / "a.png")
    assert FileAnswers(boxes, tmp_path / "out", BorderRule.FOREGROUND).extras == ["other/x.png"]


def test_oxford_s_images_have_species_and_breeds_others_folders(tmp_path: Path, make_project):
    names = ["Maine_Coon_12", "american_bulldog_3", "american_bulldog_4"]
    for folder in ("images", "annotations/trimaps"):
        (tmp_path / "pets" / folder).mkdir(parents=True)
        for name in names:
            Image.new("L", (4, 4), 1).save(tmp_path / "pets" / folder / f"{name}.png")
    pets = open_project(tmp_path / "pets")
    groups = groups_of(pets, pets.names)
    assert list(groups) == ["species", "breed"]
    assert sorted(set(groups["species"].values())) == ["cats", "dogs"]
    assert groups["breed"]["american_bulldog_4.png"] == "american bulldog"
    plain = open_project(make_project(2))
    assert groups_of(plain, plain.names) == {}
    assert group_of(plain, "Abyssinian_1.jpg") == ""
