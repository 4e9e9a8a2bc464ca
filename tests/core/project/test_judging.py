"""Approving and rejecting predictions that are not open, and taking that back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput
from core.files import WriteError
from core.labels import PET, VOID
from core.masks import MaskEncoding, read_mask, write_mask
from core.project.judging import accept, approve, reject, take_back
from core.project.predictions import PredictionRecord
from core.project.project import MaskChanged, Project, open_project
from core.project.reviews import Review, Status

NAME = "animal-0.png"


@pytest.fixture
def said(animal) -> np.ndarray:
    """What the model says: the mask of another animal."""
    return animal(5)[1]


@pytest.fixture
def project(make_project, said: np.ndarray) -> Project:
    """Two images; the first has a prediction, the second a mask that came with the folder."""
    folder = make_project(images=2, masked=0)
    write_mask(folder / "masks" / "animal-1.png", said, PET)
    project = open_project(folder)
    project.save_prediction(NAME, said, PredictionRecord(NAME, "tiny-0"))
    return project


def _again(project: Project) -> Project:
    """As another program would see it."""
    return open_project(project.folder)


def _file(project: Project) -> Path:
    return project.folder / "masks" / NAME


def test_an_approved_prediction_becomes_the_mask_and_says_whose_it_was(project, said):
    made = approve(project, NAME)
    assert (read_mask(_file(project), MaskEncoding.IDS, PET) == said).all()
    again = _again(project)
    assert again.status(NAME) is Status.APPROVED
    assert again.review(NAME) == made.said
    assert (made.said.model, made.said.dice) == ("tiny-0", 1.0)
    assert made.said.mask == again.mask_digest(NAME)


def test_taking_an_approval_back_leaves_the_prediction(project, said):
    assert take_back(project, approve(project, NAME)) == ""
    assert not _file(project).exists()
    for seen in (project, _again(project)):
        assert seen.status(NAME) is Status.PREDICTED
        assert (seen.read_prediction(NAME, (48, 48)) == said).all()


def test_a_mask_file_that_cannot_be_removed_is_not_approved_any_more(project, monkeypatch):
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    made = approve(project, NAME)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(WriteError, match="Permission denied"):
        take_back(project, made)
    assert _file(project).exists()
    assert _again(project).status(NAME) is Status.PREDICTED


def test_a_mask_that_another_program_puts_where_one_was_taken_back_counts(project, said):
    made = approve(project, NAME)
    take_back(project, made)
    write_mask(_file(project), 1 - said, project.settings.scheme)
    assert _again(project).status(NAME) is Status.APPROVED


def test_an_edited_mask_is_approved_as_it_is_and_keeps_its_time(project, said):
    drawn = 1 - said
    project.save_mask(NAME, drawn, Review(NAME, Status.EDITED, seconds=12.5, strokes=3))
    made = approve(project, NAME, lambda review: replace(review, dice=0.25))
    assert (made.said.seconds, made.said.strokes, made.said.dice) == (12.5, 3, 0.25)
    assert _again(project).status(NAME) is Status.APPROVED
    take_back(project, made)
    assert _again(project).status(NAME) is Status.EDITED
    assert (_again(project).read_mask(NAME) == drawn).all()


@pytest.mark.parametrize("painted", [False, True])
def test_an_edited_mask_whose_rest_is_the_prediction_s_is_not_approved_unseen(
    project, said, painted
):
    project.change_settings(unpainted="unlabelled")
    drawn = np.where(said > 0, 1, 0 if painted else VOID).astype(np.uint8)
    project.save_mask(NAME, drawn, Review(NAME, Status.EDITED))
    if painted:
        approve(project, NAME)
    else:
        with pytest.raises(BadInput, match="not painted"):
            approve(project, NAME)
    assert (_again(project).status(NAME) is Status.APPROVED) == painted


def test_a_rejected_prediction_stays_stored_and_can_be_taken_after_all(project, said):
    made = reject(project, NAME)
    again = _again(project)
    assert again.status(NAME) is Status.REJECTED
    assert again.review(NAME).model == "tiny-0"
    accepted = accept(again, NAME)
    assert _again(project).status(NAME) is Status.PREDICTED
    assert (again.read_prediction(NAME, (48, 48)) == said).all()
    take_back(again, accepted)
    assert _again(project).status(NAME) is Status.REJECTED
    assert made.before.status is Status.PREDICTED


@pytest.mark.parametrize("act", [approve, reject, accept])
def test_a_mask_of_a_persons_is_never_judged_so(project, act):
    before = (project.folder / "masks" / "animal-1.png").read_bytes()
    with pytest.raises(BadInput):
        act(project, "animal-1.png")
    assert (project.folder / "masks" / "animal-1.png").read_bytes() == before
    assert not (project.store / "reviews.jsonl").exists()


@pytest.mark.parametrize(("act", "told"), [(approve, "no mask yet"), (reject, "no prediction")])
def test_without_a_prediction_there_is_nothing_to_judge(make_project, act, told):
    project = open_project(make_project(images=1, masked=0))
    with pytest.raises(BadInput, match=told):
        act(project, NAME)


def test_a_mask_that_appears_meanwhile_is_not_overwritten(project, said):
    write_mask(_file(project), 1 - said, PET)
    with pytest.raises(MaskChanged):
        approve(project, NAME)
    assert (read_mask(_file(project), MaskEncoding.IDS, PET) == 1 - said).all()


def test_what_was_edited_since_is_not_taken_back(project, said):
    made = approve(project, NAME)
    project.save_mask(NAME, 1 - said, Review(NAME, Status.EDITED))
    with pytest.raises(BadInput, match="since"):
        take_back(project, made)
    assert (_again(project).read_mask(NAME) == 1 - said).all()
    assert _again(project).status(NAME) is Status.EDITED


def test_a_file_that_another_program_changed_is_not_removed(project, said):
    made = approve(project, NAME)
    write_mask(_file(project), 1 - said, PET)
    with pytest.raises(MaskChanged):
        take_back(project, made)
    assert (read_mask(_file(project), MaskEncoding.IDS, PET) == 1 - said).all()


def test_a_read_only_folder_is_judged_by_nobody(project):
    project.writable = False
    with pytest.raises(BadInput, match="read-only"):
        reject(project, NAME)
    with pytest.raises(BadInput, match="read-only"):
        approve(project, NAME)
    assert not _file(project).exists()
