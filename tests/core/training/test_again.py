"""New runs from old ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from core.modelfile import onnx_path
from core.project.project import open_project
from core.training import events
from core.training.again import continue_run, train_again
from core.training.compare import differences
from core.training.config import read_run_config
from core.training.runs import masks_of, read_run

from .told import BEST, WHOLE, made_run, tell

MakeProject = Callable[..., Path]


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    return make_project(8, 6)


def add_mask(root: Path, number: int) -> str:
    shutil.copy(root / "masks" / "animal-0.png", root / "masks" / f"animal-{number}.png")
    return f"animal-{number}.png"


@pytest.fixture
def old(root: Path, tiny_model: Path) -> Path:
    """A run that is over; a mask joined it, and another one came later."""
    run = made_run(root, WHOLE[:2], name="Old", epochs=9, augment="full")
    joined = add_mask(root, 6)
    tell(run, [events.Joined(epoch=2, step=2, images=(joined,)), *WHOLE[2:]])
    shutil.copy(tiny_model, run / BEST)
    shutil.copy(onnx_path(tiny_model), onnx_path(run / BEST))
    project = open_project(root)
    project.fix_split([joined])
    add_mask(root, 7)
    return run


def test_a_run_is_continued_from_its_model_on_its_own_masks(root: Path, old: Path):
    project = open_project(root)
    before = read_run(old)
    if project.split(["animal-6.png"])["animal-6.png"] != "train":
        pytest.fail("the test needs a mask that trains")
    after = read_run(continue_run(project, before, epochs=4))
    assert masks_of(after) == masks_of(before)
    assert before.config is not None
    assert after.config is not None
    assert after.name == "Old, continued"
    changed = {
        d.option: d.values[1] for d in differences([before.config.train, after.config.train])
    }
    assert changed == {"start": old.name, "epochs": "4", "learning_rate": "0.0003"}
    # Once it starts from a model the rate stays as it is.
    shutil.copy(old / BEST, after.folder / BEST)
    tell(after.folder, WHOLE)
    once_more = read_run_config(continue_run(project, read_run(after.folder)))
    assert once_more.train.learning_rate == after.config.train.learning_rate
    assert once_more.train.epochs == 4


def test_masks_that_are_gone_are_left_out(root: Path, old: Path):
    gone = read_run_config(old).train_samples[0].image
    (root / "masks" / gone).unlink()
    info = read_run(continue_run(open_project(root), read_run(old)))
    used = {m.image for m in masks_of(info).train}
    assert gone not in used
    assert len(used) == len(masks_of(read_run(old)).train) - 1


def test_a_run_without_a_model_cannot_be_continued(root: Path):
    with pytest.raises(BadInput, match="has left no model"):
        continue_run(open_project(root), read_run(made_run(root, name="Old")))


def test_training_again_takes_the_settings_and_todays_masks(root: Path, old: Path):
    project = open_project(root)
    before = read_run(old)
    after = read_run(train_again(project, before))
    assert before.config is not None
    assert after.config is not None
    assert after.config.train == before.config.train
    assert after.name == "Old, again"
    masks = masks_of(after)
    assert {m.image for m in masks.train + masks.val} == {f"animal-{i}.png" for i in range(8)}
    assert set(masks_of(before).val) <= set(masks.val), "what was validated on stays so"


def test_other_folders_train_again_too_and_drawn_animals_only_once(
    root: Path, make_project: MakeProject
):
    from dataclasses import replace

    from core.labels import PET
    from core.training.launch import create_run
    from core.training.plan import plan_training
    from core.training.presets import make_config

    project, other = open_project(root), open_project(make_project(3, folder="other"))
    project.settings = replace(project.settings, scheme=PET)
    config = make_config("baseline", replay=1)
    run = create_run(project, config, plan_training(project), also=[other])
    again = read_run_config(train_again(project, read_run(run)))
    assert again.sources == read_run_config(run).sources
    assert len(again.sources) == 3


def test_a_damaged_run_is_no_start(root: Path, old: Path):
    (old / "config.json").write_text("{")
    for make in (continue_run, train_again):
        with pytest.raises(BadInput, match="is damaged"):
            make(open_project(root), read_run(old))
