"""What a training will use, and why it cannot start."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.files import sha256
from core.labels import PET
from core.masks import write_mask
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.training.config import read_run_config
from core.training.launch import create_run, last_words
from core.training.plan import Plan, plan_training
from core.training.presets import make_config

MakeProject = Callable[..., Path]


def test_without_a_mask_training_says_what_to_do(make_project: MakeProject):
    project = open_project(make_project(3, 0))
    plan = plan_training(project)
    assert plan.problem == "No approved mask yet: correct some masks and approve them first."
    with pytest.raises(BadInput, match="No approved mask yet"):
        create_run(project, make_config("baseline"), plan)
    assert not project.store.exists()


def test_with_one_mask_there_is_nothing_to_check_on(make_project: MakeProject):
    plan = plan_training(open_project(make_project(3, 1)))
    assert plan.problem.startswith("Only one approved mask")


@pytest.mark.parametrize("count", [2, 3, 9])
def test_from_two_masks_on_training_can_start(make_project: MakeProject, count: int):
    plan = plan_training(open_project(make_project(count)))
    assert plan.problem == ""
    assert plan.train
    assert plan.val
    assert len(plan.train) + len(plan.val) == count
    words = f"{count} approved masks: {len(plan.train)} train, {len(plan.val)} val"
    assert plan.sentence == words


def test_edited_masks_train_only_where_that_is_wanted(make_project: MakeProject):
    project = open_project(make_project(4))
    for name, status in (("animal-0.png", Status.EDITED), ("animal-1.png", Status.REJECTED)):
        project.add_review(Review(name, status))

    def used(**options: object) -> set[str]:
        plan = plan_training(project, **options)
        return {n.removesuffix(".png") for n in plan.train + plan.val}

    assert used() == {"animal-2", "animal-3"}
    assert used(include_edited=True) == {"animal-0", "animal-2", "animal-3"}


def test_the_image_that_is_open_does_not_train(make_project: MakeProject):
    plan = plan_training(open_project(make_project(4)), exclude={"animal-2.png"})
    assert "animal-2.png" not in plan.train + plan.val


def test_planning_writes_nothing_and_a_run_writes_the_split_down(make_project: MakeProject):
    root = make_project(5)
    project = open_project(root)
    plan = plan_training(project)
    assert not project.store.exists()
    create_run(project, make_config("baseline"), plan)
    written = json.loads((root / ".petseg" / "split.json").read_text())
    assert {n for n, s in written.items() if s == "val"} == set(plan.val)
    assert {n for n, s in written.items() if s == "train"} == set(plan.train)


def test_new_masks_leave_the_others_where_they_were(make_project: MakeProject):
    root = make_project(8, 4)
    project = open_project(root)
    first = plan_training(project)
    create_run(project, make_config("baseline"), first)
    again = open_project(root)
    for name in again.names[4:]:
        again.save_mask(name, np.eye(48, dtype=np.uint8), Review(name, Status.APPROVED))
    second = plan_training(again)
    assert set(first.train) <= set(second.train)
    assert set(first.val) <= set(second.val)


def test_a_run_folder_says_everything_that_the_worker_needs(make_project: MakeProject):
    project = open_project(make_project(5))
    plan = plan_training(project)
    run = create_run(project, make_config("baseline", epochs=2), plan, name="My pets")
    assert run.parent == project.runs
    config = read_run_config(run)
    assert config.run == run.name
    assert config.name == "My pets"
    assert config.train.epochs == 2
    assert [s.image for s in config.train_samples] == list(plan.train)
    assert [s.image for s in config.val_samples] == list(plan.val)
    for sample in (*config.train_samples, *config.val_samples):
        assert sample.mask == sha256(project.mask_source(sample.image).read_bytes())


def test_two_runs_of_one_second_have_two_folders(make_project: MakeProject):
    project = open_project(make_project(3))
    plan = plan_training(project)
    runs = {create_run(project, make_config("baseline"), plan) for _ in range(3)}
    assert len(runs) == 3


def test_a_run_is_never_written_over(make_project: MakeProject, tmp_path: Path):
    project = open_project(make_project(3))
    plan = plan_training(project)
    run = create_run(project, make_config("baseline"), plan, folder=tmp_path / "run")
    before = (run / "config.json").read_bytes()
    with pytest.raises(BadInput, match="already holds a run"):
        create_run(project, make_config("quick"), plan, folder=run)
    assert (run / "config.json").read_bytes() == before


def test_a_binary_loss_for_three_classes_is_refused_before_anything_is_written(
    make_project: MakeProject,
):
    root = make_project(3, change=lambda m: m + m[::-1])
    project = open_project(root)
    assert len(project.settings.scheme.classes) == 3
    with pytest.raises(BadInput, match="--set loss=ce"):
        create_run(project, make_config("baseline"), plan_training(project))
    assert not project.store.exists()


def test_a_second_folder_trains_but_never_validates(make_project: MakeProject):
    project = open_project(make_project(4, folder="one"))
    other = open_project(make_project(5, 3, folder="two"))
    plan = plan_training(project)
    run = create_run(project, make_config("baseline"), plan, also=[other])
    config = read_run_config(run)
    assert [s.folder for s in config.sources] == [str(project.folder), str(other.folder)]
    assert sum(s.source == 1 for s in config.train_samples) == 3
    assert all(s.source == 0 for s in config.val_samples)
    assert len(config.val_samples) == len(plan.val)
    assert not other.store.exists()


def test_of_a_second_folder_only_what_may_train_is_taken(make_project: MakeProject):
    project = open_project(make_project(4, folder="one"))
    other = open_project(make_project(4, folder="two"))
    other.add_review(Review("animal-0.png", Status.REJECTED))
    other.add_review(Review("animal-1.png", Status.EDITED))
    run = create_run(project, make_config("baseline"), plan_training(project), also=[other])
    taken = [s.image for s in read_run_config(run).train_samples if s.source == 1]
    assert taken == ["animal-2.png", "animal-3.png"]


def test_a_read_only_folder_keeps_its_run_elsewhere(make_project: MakeProject, tmp_path: Path):
    root = make_project(3)
    root.chmod(0o555)
    try:
        project = open_project(root)
        run = create_run(
            project, make_config("baseline"), plan_training(project), folder=tmp_path / "run"
        )
        assert (run / "config.json").exists()
        assert not (root / ".petseg").exists()
    finally:
        root.chmod(0o755)


def test_the_last_words_of_a_worker_are_its_logs_end(tmp_path: Path):
    assert last_words(tmp_path) == ""
    (tmp_path / "worker.log").write_text("\n".join(map(str, range(50))))
    assert last_words(tmp_path, 2) == "48\n49"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(("a",) * 3, ("b",)), "4 approved masks: 3 train, 1 val"),
        (Plan(("a",), ()), "1 approved mask: 1 train, 0 val"),
        (Plan(("a",) * 33, ("b",) * 8, fixed=8), "41 approved masks: 33 train, 8 val (fixed)"),
        (Plan(("a",) * 3, ("b",) * 3, fixed=2), "6 approved masks: 3 train, 3 val (2 fixed)"),
        (Plan(("a",) * 3, ("b",), edited=True), "4 masks: 3 train, 1 val"),
        (Plan(("a",), ("b",), left_out=5), "2 approved masks: 1 train, 1 val; 5 kept for test"),
    ],
)
def test_a_plan_in_words(plan: Plan, words: str):
    assert plan.sentence == words


def test_a_plan_tells_what_is_settled_and_what_is_not(make_project: MakeProject):
    root = make_project(8)
    project = open_project(root)
    new = plan_training(project)
    assert (new.fixed, new.edited) == (0, False)
    create_run(project, make_config("baseline"), new)
    assert plan_training(project).fixed == len(new.val)
    project.add_review(Review(new.train[0], Status.EDITED))
    assert plan_training(project, include_edited=True).edited


def test_masks_of_one_photo_alone_cannot_be_checked(make_project: MakeProject):
    root = make_project(2)
    photo = Image.open(root / "images" / "animal-0.png")
    photo.resize((64, 64)).save(root / "images" / "animal-1.png")
    write_mask(root / "masks" / "animal-1.png", np.eye(64, dtype=np.uint8), PET)
    plan = plan_training(open_project(root))
    assert plan.problem.startswith("No approved mask is left to check on")
    assert len(plan.train) == 2


def test_the_folder_itself_as_second_source_never_leaks_into_validation(
    make_project: MakeProject, tmp_path: Path
):
    root = make_project(4)
    project = open_project(root)
    again = open_project(root, tmp_path / "elsewhere")
    try:
        run = create_run(project, make_config("baseline"), plan_training(project), also=[again])
    except BadInput:
        return  # refusing it is as good
    config = read_run_config(run)
    assert not {s.image for s in config.train_samples} & {s.image for s in config.val_samples}
