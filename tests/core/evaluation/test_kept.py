"""Evaluations that are kept with a project: listed, read again, deleted, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import BadInput
from core.evaluation.assess import assess, names_to_score
from core.evaluation.kept import delete_kept, list_kept, new_folder, write_about
from core.evaluation.result import FILE_NAME, write_evaluation
from core.evaluation.sources import answers_of
from core.labels import BorderRule
from core.project.project import Project, open_project


@pytest.fixture
def project(make_project) -> Project:
    return open_project(make_project(images=3))


@pytest.fixture
def make_kept(project, tiny_model):
    """make_kept() -> the folder of an evaluation of the project."""

    def make() -> Path:
        rule = BorderRule.FOREGROUND
        answers = answers_of(project, rule, model=tiny_model)
        found = assess(project, names_to_score(project, "all"), answers, "all", rule)
        folder = new_folder(project)
        write_evaluation(folder / FILE_NAME, found.evaluation)
        write_about(folder, found.evaluation)
        return folder

    return make


def test_the_newest_is_listed_first_with_its_figures(project, make_kept):
    folders = [make_kept(), make_kept()]
    listed = list_kept(project)
    assert [kept.folder for kept in listed] == folders[::-1]
    evaluation = json.loads((folders[0] / FILE_NAME).read_text())
    first = listed[-1]
    assert (first.title, first.images, first.subset) == ("Tiny", 3, "all")
    assert first.iou == evaluation["per_image"]["iou"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"iou": "much"}'])
def test_what_is_damaged_or_was_not_finished_is_left_out(project, make_kept, text):
    (make_kept() / FILE_NAME).unlink()
    folder = make_kept()
    (folder / "about.json").write_text(text)
    (folder.parent / "stray.txt").write_text("not ours")
    (folder.parent / "empty").mkdir()
    assert list_kept(project) == []


def test_a_deleted_one_is_gone(project, make_kept):
    folder = make_kept()
    other = make_kept()
    delete_kept(project, folder)
    assert [kept.folder for kept in list_kept(project)] == [other]
    assert not folder.exists()


def test_nothing_but_an_evaluation_of_the_project_is_deleted(project, make_kept, tmp_path):
    kept = make_kept()
    photos = project.layout.images
    inside = kept.parent / "photos"
    inside.symlink_to(photos)
    for folder in (photos, project.store, kept / "..", kept.parent / "..", inside, tmp_path):
        with pytest.raises(BadInput):
            delete_kept(project, folder)
    assert len(list(photos.iterdir())) == 3
    assert kept.is_dir()
