"""Which model made each stored prediction, and what the one before had said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.project.predictions import RECORDS, PredictionRecord, read_predictions
from core.project.project import Project, open_project
from core.project.reviews import Review, Status

NAME = "a.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, no masks."""
    for name in (NAME, "b.png"):
        Image.new("RGB", (6, 4), (9, 99, 199)).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def project(folder: Path) -> Project:
    return open_project(folder)


def mask_of(number: int) -> np.ndarray:
    """A mask that can be told from others: so many pixels are pet."""
    mask = np.zeros((4, 6), np.uint8)
    mask.flat[:number] = 1
    return mask


def predict(project: Project, model: str, pixels: int, uncertainty: float = 0.25) -> None:
    record = PredictionRecord(NAME, model, f"Model {model}", uncertainty, threshold=0.4)
    project.save_prediction(NAME, mask_of(pixels), record)


def said(project: Project) -> tuple[int | None, int | None]:
    """How many pixels the stored prediction and the previous one call pet."""
    now = project.read_prediction(NAME, (6, 4))
    before = project.read_previous_prediction(NAME, (6, 4))
    return (
        None if now is None else int(now.sum()),
        None if before is None else int(before.sum()),
    )


def test_who_made_a_prediction_is_written_down(project: Project):
    assert project.prediction(NAME) is None
    predict(project, "one", 3)
    for opened in (project, open_project(project.folder)):
        record = opened.prediction(NAME)
        assert replace(record, time="") == PredictionRecord(NAME, "one", "Model one", 0.25, 0.4)
        assert record.time.endswith("+00:00")
        assert opened.prediction("b.png") is None
        assert opened.previous_prediction(NAME) is None
        assert said(opened) == (3, None)


def test_another_models_prediction_is_kept_as_the_previous_one(project: Project):
    predict(project, "one", 1)
    predict(project, "one", 2)
    assert said(project) == (2, None)
    predict(project, "two", 3)
    assert said(project) == (3, 2)
    predict(project, "two", 4)  # once more by the same model: the one before stays
    for opened in (project, open_project(project.folder)):
        assert said(opened) == (4, 2)
        assert opened.prediction(NAME).model == "two"
        assert opened.previous_prediction(NAME).model == "one"
    predict(project, "one", 5)
    assert said(project) == (5, 4)
    assert project.previous_prediction(NAME).model == "two"


def test_a_previous_prediction_that_was_deleted_is_none(project: Project):
    predict(project, "one", 1)
    predict(project, "two", 2)
    for path in (project.store / "previous").rglob("*.png"):
        path.unlink()
    assert project.previous_prediction(NAME) is None
    assert said(project) == (2, None)


def test_predictions_of_before_there_were_records_have_no_maker(project: Project):
    predict(project, "one", 1)
    (project.store / RECORDS).unlink()
    opened = open_project(project.folder)
    assert opened.status(NAME) is Status.PREDICTED
    assert opened.prediction(NAME) is None
    predict(opened, "two", 2)
    assert opened.prediction(NAME).model == "two"
    assert said(opened) == (2, None)


def test_records_of_a_prediction_that_was_deleted_do_not_count(project: Project):
    predict(project, "one", 1)
    project.prediction_path(NAME).unlink()
    opened = open_project(project.folder)
    assert opened.prediction(NAME) is None
    predict(opened, "two", 2)
    assert said(opened) == (2, None)
    assert opened.previous_prediction(NAME) is None


def test_damaged_records_are_left_out(project: Project):
    predict(project, "one", 1)
    path = project.store / RECORDS
    whole = path.read_bytes()
    lines = [b"{", b"[1]", b'{"image": 3, "model": "x"}', b'{"image": "b.png"}']
    odd = {"image": "b.png", "model": "odd", "uncertainty": "nan", "threshold": [1], "title": 5}
    path.write_bytes(b"\n".join([*lines, json.dumps(odd).encode(), whole]) + b'{"image": "a.p')
    found = read_predictions(path)
    assert found[NAME].current.model == "one"
    assert found["b.png"].current == PredictionRecord("b.png", "odd", "5")
    opened = open_project(project.folder)
    predict(opened, "two", 2)  # behind a torn line
    assert open_project(project.folder).prediction(NAME).model == "two"


@pytest.mark.parametrize("file", [RECORDS, "reviews.jsonl"])
def test_records_that_cannot_be_read_are_named(project: Project, file: str):
    predict(project, "one", 1)
    path = project.store / file
    path.unlink(missing_ok=True)
    path.mkdir()
    with pytest.raises(BadInput, match=f"Cannot read .*{file}"):
        open_project(project.folder)


@pytest.mark.parametrize(
    ("model", "status"), [("rejected", Status.REJECTED), ("better", Status.PREDICTED)]
)
def test_a_rejected_image_waits_again_once_another_model_has_spoken(
    project: Project, model: str, status: Status
):
    predict(project, "rejected", 1)
    project.add_review(Review(NAME, Status.REJECTED, model="rejected"))
    predict(project, model, 2)
    assert project.status(NAME) is status
    assert open_project(project.folder).status(NAME) is status


def test_an_approved_mask_stays_approved_whatever_is_predicted(project: Project):
    predict(project, "one", 1)
    project.save_mask(NAME, mask_of(7), Review(NAME, Status.APPROVED, model="one"))
    predict(project, "two", 2)
    assert project.status(NAME) is Status.APPROVED
    assert project.read_mask(NAME).sum() == 7
