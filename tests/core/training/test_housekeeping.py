"""Renaming and deleting runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from core.modelfile import read_description
from core.project.project import open_project
from core.training.config import read_run_config
from core.training.control import AlreadyRunning
from core.training.housekeeping import delete_run, rename_run
from core.training.runs import list_runs, read_run

from .told import BEST, GOING, WHOLE, idle_worker, made_run, with_model

MakeProject = Callable[..., Path]


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    return make_project(6)


def test_renaming_renames_the_model_too_and_leaves_its_weights(root: Path, tiny_model: Path):
    from safetensors.numpy import load_file

    run = with_model(made_run(root, WHOLE), tiny_model)
    before = load_file(run / BEST)
    rename_run(run, "  Träge Katze ")
    assert read_run(run).name == "Träge Katze"
    about = read_description(run / BEST)
    assert about == read_description(tiny_model).model_copy(update={"name": "Träge Katze"})
    after = load_file(run / BEST)
    assert before.keys() == after.keys()
    assert all((after[k] == v).all() and after[k].dtype == v.dtype for k, v in before.items())


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_a_name_is_one_line(root: Path, name: str):
    run = made_run(root, name="Before")
    with pytest.raises(BadInput, match="printable"):
        rename_run(run, name)
    assert read_run_config(run).name == "Before"


def test_a_run_that_trains_is_neither_renamed_nor_deleted(root: Path):
    run = made_run(root, GOING, name="Before")
    with idle_worker(run):
        with pytest.raises(AlreadyRunning, match="rename it when it is over"):
            rename_run(run, "After")
        with pytest.raises(BadInput, match="stop it first"):
            delete_run(open_project(root), run)
    assert read_run(run).name == "Before"


def test_the_model_that_segments_is_deleted_only_where_that_is_said(root: Path, tiny_model: Path):
    run = with_model(made_run(root, WHOLE), tiny_model)
    project = open_project(root)
    chosen = str((run / BEST).relative_to(project.store))
    project.change_settings(model=chosen)
    with pytest.raises(BadInput, match="choose another first"):
        delete_run(project, run)
    assert (run / BEST).exists()
    delete_run(project, run, even_chosen=True)
    assert not run.exists()
    assert not [p for p in project.runs.iterdir() if p.is_dir()]


def test_nothing_but_a_run_of_the_project_is_deleted(root: Path, tmp_path: Path):
    run = made_run(root, WHOLE)
    project = open_project(root)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(run, elsewhere)
    for folder in (elsewhere, root, project.store, project.runs, run / "..", project.runs / ".."):
        with pytest.raises(BadInput, match="nothing was deleted"):
            delete_run(project, folder)
    assert run.exists()
    assert elsewhere.exists()


def test_what_a_crash_left_of_a_deletion_is_no_run_and_goes_with_the_next(root: Path):
    left, run = made_run(root), made_run(root)
    left.rename(left.parent / ".deleted-half")
    assert [i.folder for i in list_runs(run.parent)] == [run]
    delete_run(open_project(root), run)
    assert not list(run.parent.glob("*deleted*"))
