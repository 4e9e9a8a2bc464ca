"""Learn as you go: when a short run is due, what it trains, and whether its model takes over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from core.files import sha256
from core.labels import BorderRule, scheme_of
from core.modelfile import read_description
from core.project.project import Project, open_project
from core.project.reviews import Review, Status
from core.project.settings import ProjectSettings, write_settings
from core.training import events
from core.training.config import outputs_for, read_run_config, trained_scheme
from core.training.learning import (
    create_learning_run,
    fresh_masks,
    is_due,
    learning_config,
    takes_over,
)
from core.training.plan import plan_training
from core.training.queue import enqueue
from core.training.runs import list_runs, read_run

from .told import WHOLE, epoch, finished, made_run, scores, started, state_of, tell

MakeProject = Callable[..., Path]


def approve(project: Project, *numbers: int) -> None:
    for number in numbers:
        name = f"animal-{number}.png"
        path = project.mask_source(name)
        assert path is not None
        project.add_review(Review(name, Status.APPROVED, sha256(path.read_bytes())))


# --- When --------------------------------------------------------------------------------------


def test_a_run_is_due_after_so_many_approvals(make_project: MakeProject):
    project = open_project(make_project(8))
    assert fresh_masks(project, []) == 0, "nobody approved the masks that came with the folder"
    approve(project, 0, 1)
    assert not is_due(project, [], every=3)
    approve(project, 2)
    assert is_due(project, [], every=3)


def test_what_the_newest_run_has_seen_counts_no_more(make_project: MakeProject):
    root = make_project(8)
    project = open_project(root)
    approve(project, 0, 1, 2)
    run = made_run(root)
    assert fresh_masks(project, list_runs(run.parent)) == 0
    # One is corrected once more, a new one is approved and joined the run meanwhile.
    project.mask_target("animal-0.png").write_bytes((root / "masks" / "animal-1.png").read_bytes())
    approve(project, 0)
    assert fresh_masks(project, list_runs(run.parent)) == 1
    (root / "images" / "animal-9.png").write_bytes((root / "images" / "animal-1.png").read_bytes())
    (root / "masks" / "animal-9.png").write_bytes((root / "masks" / "animal-1.png").read_bytes())
    project = open_project(root)
    approve(project, 9)
    assert fresh_masks(project, list_runs(run.parent)) == 2
    tell(run, [started(), events.Joined(epoch=1, step=0, images=("animal-9.png",))])
    assert fresh_masks(project, list_runs(run.parent)) == 1


def test_while_a_short_run_waits_no_other_is_due(make_project: MakeProject, tiny_model: Path):
    root = make_project(8)
    project = open_project(root)
    approve(project, 0, 1)
    run = create_learning_run(project, tiny_model, plan_training(project))
    (root / "masks" / "animal-0.png").write_bytes((root / "masks" / "animal-1.png").read_bytes())
    approve(project, 0)
    enqueue(run)
    assert not is_due(project, list_runs(run.parent), every=1)
    tell(run, WHOLE)
    assert is_due(project, list_runs(run.parent), every=1)


# --- What --------------------------------------------------------------------------------------


def test_a_short_run_starts_from_the_present_model_with_all_masks(
    make_project: MakeProject, tiny_model: Path
):
    project = open_project(make_project(8))
    config = read_run_config(create_learning_run(project, tiny_model, plan_training(project)))
    assert config.purpose == "learn"
    assert config.name == "Learnt from 8 masks"
    assert config.train.start == str(tiny_model)
    assert len(config.train_samples) + len(config.val_samples) == 8
    assert config.train.size == read_description(tiny_model).size


def images_seen(train: int, size: int, make_model: Callable[..., Path]) -> int:
    config = learning_config(str(make_model(size=size)), train)
    steps = max(config.min_steps, -(-train // config.batch))
    return config.epochs * steps * min(config.batch, train)


@pytest.mark.parametrize("train", [1, 5, 33, 200, 1000])
@pytest.mark.parametrize("size", [64, 160, 320])
def test_a_short_run_is_short(train: int, size: int, make_model: Callable[..., Path]):
    """About a minute at some 20 images of 160 px a second, or one look at every mask."""
    seen = images_seen(train, size, make_model)
    wanted = 1200 * (160 / size) ** 2
    assert train <= seen <= max(1.1 * wanted, train + 15)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_short_run_keeps_the_models_last_layer_where_the_classes_allow(
    make_project: MakeProject, make_model: Callable[..., Path], activation: str, classes: int
):
    names = ["background", "a", "b", "c"][:classes]
    root = make_project(6)
    settings = ProjectSettings(scheme=scheme_of("custom", names))
    write_settings(root / ".petseg" / "project.json", settings)
    project = open_project(root)
    model = make_model(activation=activation)
    run = read_run_config(create_learning_run(project, model, plan_training(project)))
    assert run.train.border is read_description(model).border_rule
    own = 1 if activation == "sigmoid" else 2
    given = outputs_for(run.train, trained_scheme(run.train, project.settings.scheme))
    assert given == (own if classes == 2 else classes)


def test_the_bundled_model_goes_on_as_the_trimap_model_that_it_is():
    config = learning_config("bundled", 20)
    assert (config.start, config.border, config.loss) == ("bundled", BorderRule.CLASS, "ce_dice")
    assert config.learning_rate < 1e-3, "gently, so that it does not forget"


def test_without_enough_masks_there_is_no_short_run(make_project: MakeProject, tiny_model: Path):
    project = open_project(make_project(3, 1))
    with pytest.raises(BadInput, match="Only one approved mask"):
        create_learning_run(project, tiny_model, plan_training(project))


# --- Whether -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [(0.871, 0.893, True), (0.871, 0.871, False), (0.8710, 0.8714, False), (0.871, 0.85, False)],
)
def test_a_model_takes_over_only_where_it_is_better(before: float, after: float, better: bool):
    state = state_of([started(start_val=scores(before), val_images=8), finished(iou=after)])
    judged = takes_over(state)
    assert judged.better == better
    assert judged.text == f"Val IoU {before:.3f} → {after:.3f} on the same 8 validation images."


@pytest.mark.parametrize(
    "told",
    [
        [started(start_val=scores(0.1)), epoch(1)],
        [started(), finished(iou=0.9)],
        [started(start_val=scores(0.1)), finished(model="", val=None, reason="stopped")],
        [started(start_val=scores(0.1)), events.Failed(reason="full disk")],
    ],
)
def test_what_cannot_be_compared_does_not_take_over(told: list[events.Event]):
    assert not takes_over(state_of(told)).better
    assert takes_over(state_of(told)).text


def test_a_run_is_judged_by_what_is_listed_of_it(make_project: MakeProject):
    run = made_run(make_project(4), [started(start_val=scores(0.7)), *WHOLE[1:]])
    assert takes_over(read_run(run).progress).better
