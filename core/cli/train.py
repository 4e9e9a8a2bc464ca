"""``petseg train``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.cli.follow import follow_run
from core.cli.output import DONE, comparing, open_for_cli, say
from core.cli.queue import follow_queue
from core.errors import BadInput
from core.inference.catalogue import RUN_MODEL
from core.masks import MaskEncoding
from core.project.project import Project
from core.training.config import Start, TrainConfig, start_model
from core.training.estimate import disk_needed
from core.training.grid import Cell, make_grid
from core.training.launch import create_run
from core.training.plan import Plan, plan_training
from core.training.presets import PRESETS, make_config
from core.training.queue import enqueue
from core.training.runs import read_run


@dataclass(frozen=True)
class Training:
    """What is wanted of a training. changes: to the preset; run: its folder; also: folders whose
    masks train too; edited: edited masks train too; queue: it only waits; grid: option -> values;
    then: presets of further trainings, each of which goes on from the best model of the one before.
    """

    preset: str
    changes: Mapping[str, Any]
    run: Path | None = None
    also: Sequence[Path] = ()
    name: str = ""
    edited: bool = False
    queue: bool = False
    grid: Mapping[str, Sequence[str]] = field(default_factory=dict)
    then: Sequence[str] = ()


def train_command(
    data: Path, wanted: Training, store: Path | None, encoding: MaskEncoding | None
) -> int:
    """Train and follow the run to its end; a folder that holds a run goes on with it.

    A grid's runs are queued and followed one after the other.
    """
    run = wanted.run
    if wanted.then:
        if wanted.grid or wanted.queue:
            raise BadInput("--then follows one training to its end: leave out --grid and --queue.")
        for preset in wanted.then:
            make_config(preset)  # refused now, not hours later
    if wanted.grid and (run is not None or wanted.name):
        raise BadInput("--grid makes several trainings: leave out --run and --name.")
    goes_on = run is not None and (run / "config.json").exists()
    if run is not None and goes_on and not wanted.queue:
        say(f"Going on with {run}")
        return _followed(run, data, wanted, store, encoding)
    project = open_for_cli(data, store, encoding)
    if wanted.queue and run is not None and run.parent.resolve() != project.runs.resolve():
        raise BadInput(f"--queue takes a run folder in {project.runs}, where the queue looks.")
    others = [] if goes_on else [open_for_cli(folder) for folder in wanted.also]
    if wanted.grid:
        runs = _new_grid(project, wanted, others)
    elif run is not None and goes_on:
        runs = [run]
    else:
        name, edited = "" if wanted.then else wanted.name, wanted.edited
        runs = [new_run(project, wanted.preset, wanted.changes, run, others, name, edited)]
    if not wanted.queue and not wanted.grid:
        return _followed(runs[0], data, wanted, store, encoding)
    for queued in runs:
        enqueue(queued)
    if not wanted.queue:
        return follow_queue(project.runs)
    noun = "training waits" if len(runs) == 1 else "trainings wait"
    say(f"{len(runs)} {noun}; to start: petseg queue {data}")
    return DONE


def _followed(
    run: Path, data: Path, wanted: Training, store: Path | None, encoding: MaskEncoding | None
) -> int:
    """Follow a run, and those that go on from its best model where that is wanted."""
    code = follow_run(run)
    ended = read_run(run).progress.finished
    if not wanted.then or ended is None or ended.reason not in ("done", "early"):
        return code
    changes = {**wanted.changes, "start": str(run / RUN_MODEL), "weights": ""}
    preset, *later = wanted.then
    following = run.with_name(f"{run.name}-{preset}")
    going_on = replace(wanted, preset=preset, changes=changes, run=following, then=later)
    return train_command(data, going_on, store, encoding)


def new_run(
    project: Project,
    preset: str,
    changes: Mapping[str, Any],
    folder: Path | None = None,
    also: Sequence[Project] = (),
    name: str = "",
    edited: bool = False,
) -> Path:
    """Plan a training and make its run folder. Raises BadInput, WriteError."""
    config, plan = _planned(project, preset, changes, edited)
    run = create_run(project, config, plan, folder=folder, name=name, also=also)
    say(f"{plan.sentence}; run folder {run}")
    needed = disk_needed(config, len(plan.train), len(plan.val))
    if needed:
        say(f"Decoded, the images take {needed / 1e9:.1f} GB in {run} until it is done.")
    return run


def _new_grid(project: Project, wanted: Training, also: Sequence[Project]) -> list[Path]:
    config, plan = _planned(project, wanted.preset, wanted.changes, wanted.edited)
    say(plan.sentence)

    def make(cell: Cell) -> Path:
        run = create_run(project, cell.config, plan, name=cell.name, also=also)
        say(f"{cell.name}; run folder {run}")
        return run

    return [make(cell) for cell in make_grid(config, wanted.grid)]


def _planned(
    project: Project, preset: str, changes: Mapping[str, Any], edited: bool
) -> tuple[TrainConfig, Plan]:
    start = changes.get("start", Start.SCRATCH)
    if start_model(start) is not None:
        changes = {**changes, "start": absolute_start(start)}
    # No window to leave a core for.
    config = make_config(preset, **{"threads": os.cpu_count() or 1, **changes})
    project.suggest_train_share(PRESETS[preset].train_share)
    with comparing(project) as alive:
        return config, plan_training(project, edited, alive=alive)


def absolute_start(start: str) -> str:
    """A starting model as the worker finds it, wherever it is started. Raises BadInput."""
    if start == Start.BUNDLED:
        return start
    path = Path(start)
    if not path.is_file():
        raise BadInput(f"--from {start}: no such model file (or bundled, imagenet, scratch).")
    return str(path.resolve())
