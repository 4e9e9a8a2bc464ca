"""What is written down when a run is made, and drawn animals that are replayed in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from core.labels import PET, TRIMAP, LabelScheme, scheme_of
from core.project.project import open_project
from core.project.settings import ProjectSettings, write_settings
from core.training.config import read_run_config
from core.training.launch import create_run, last_words
from core.training.plan import Plan, plan_training
from core.training.presets import make_config
from core.training.replay import fits

from .told import made_run

MakeProject = Callable[..., Path]


def test_the_number_of_threads_is_written_down(make_project: MakeProject):
    root = make_project(3)
    assert read_run_config(made_run(root, threads=3)).train.threads == 3
    assert read_run_config(made_run(root)).train.threads >= 1


def test_what_was_validated_on_never_trains_whatever_a_plan_says(make_project: MakeProject):
    project = open_project(make_project(6))
    plan = plan_training(project)
    create_run(project, make_config("baseline"), plan)
    mixed = Plan((*plan.train, plan.val[0]), plan.train[:1])
    with pytest.raises(BadInput, match="plan it again"):
        create_run(project, make_config("baseline"), mixed)
    assert len(list(project.runs.iterdir())) == 1


def test_a_folder_whose_split_cannot_be_kept_keeps_no_run_either(
    make_project: MakeProject, tmp_path: Path
):
    project = open_project(make_project(6))
    project.writable = False  # its masks are read-only, say; its .petseg need not be
    plan = plan_training(project)
    with pytest.raises(BadInput, match="read-only"):
        create_run(project, make_config("baseline"), plan)
    assert not project.runs.exists()
    run = create_run(project, make_config("baseline"), plan, folder=tmp_path / "elsewhere")
    assert read_run_config(run).train_samples


def test_of_a_long_log_only_the_end_is_read(tmp_path: Path):
    assert last_words(tmp_path) == ""
    lines = [f"line {i}" for i in range(50_000)]
    (tmp_path / "worker.log").write_bytes(b"\xff\xff" + "\n".join(lines).encode())
    assert last_words(tmp_path, 3).splitlines() == lines[-3:]


# --- Replay ------------------------------------------------------------------------------------


def project_of(scheme: LabelScheme, make_project: MakeProject) -> Path:
    root = make_project(4)
    write_settings(root / ".petseg" / "project.json", ProjectSettings(scheme=scheme))
    return root


def test_drawn_animals_train_beside_the_masks_and_are_drawn_once(make_project: MakeProject):
    root = project_of(PET, make_project)
    config = read_run_config(made_run(root, replay=2))
    drawn = [s for s in config.train_samples if s.source == 1]
    assert len(drawn) == 2
    assert all(s.mask for s in drawn)
    assert not any(s.source for s in config.val_samples), "what is checked is the person's own"
    source = config.sources[1]
    project = open_project(Path(source.folder), Path(source.store))
    assert project.folder.is_relative_to(root / ".petseg")
    for sample in drawn:
        assert {0, 1} <= set(project.read_mask(sample.image).flat)
    first = project.image_path(drawn[0].image)
    before = first.stat().st_mtime_ns
    again = read_run_config(made_run(root, replay=1))
    assert [s for s in again.train_samples if s.source == 1] == drawn[:1]
    assert first.stat().st_mtime_ns == before


def test_drawn_animals_are_replayed_only_where_they_mean_the_same(make_project: MakeProject):
    assert fits(PET)
    assert fits(TRIMAP)
    root = project_of(scheme_of("custom", ["background", "nucleus"]), make_project)
    with pytest.raises(BadInput, match="background, nucleus: set replay to 0"):
        made_run(root, replay=1)
    assert not (root / ".petseg" / "runs").exists()
    assert not (root / ".petseg" / "replay").exists()
