"""New runs from old ones: some epochs more, or the same once more."""

from __future__ import annotations

from pathlib import Path

from core.errors import BadInput
from core.project.project import Project, open_project
from core.training.config import RunConfig, start_model
from core.training.launch import create_run
from core.training.plan import Plan, plan_training
from core.training.presets import FINE_TUNING_RATE
from core.training.replay import FOLDER
from core.training.runs import RunInfo


def continue_run(project: Project, info: RunInfo, epochs: int | None = None) -> Path:
    """Make a run that goes on from a run's best model, with its masks and settings.

    epochs: as many as before by default. A run that did not start from a model gets the gentler
    learning rate of those that do. Masks that are gone are left out; of further folders all
    masks that are approved today train. Raises BadInput, WriteError.
    """
    config = _config(info)
    if info.model is None:
        raise BadInput(f"{info.name} has left no model to go on from: train again instead.")
    options = config.train
    gentler = 1.0 if start_model(options.start) is not None else FINE_TUNING_RATE
    changed = options.model_copy(
        update={
            "start": str(info.model.resolve()),
            "epochs": epochs or options.epochs,
            "learning_rate": options.learning_rate * gentler,
        }
    )
    joined = [name for event in info.progress.joined for name in event.images]
    train = [s.image for s in config.train_samples if s.source == 0]
    plan = Plan(
        _still_there(project, [*train, *joined]),
        _still_there(project, [s.image for s in config.val_samples]),
    )
    if not plan.train or not plan.val:
        raise BadInput(f"The masks of {info.name} are gone: train again on today's.")
    name = f"{config.name}, continued"
    return create_run(project, changed, plan, name=name, also=_others(project, config))


def train_again(project: Project, info: RunInfo) -> Path:
    """Make a run with the settings of another, on today's approved masks.

    Raises BadInput (a starting model that is gone, the plan's problem), WriteError.
    """
    config = _config(info)
    plan = plan_training(project)
    name = f"{config.name}, again"
    return create_run(project, config.train, plan, name=name, also=_others(project, config))


def _config(info: RunInfo) -> RunConfig:
    if info.config is None:
        raise BadInput(f"{info.name} is damaged. {info.problem}")
    return info.config


def _still_there(project: Project, names: list[str]) -> tuple[str, ...]:
    known = set(project.names)
    wanted = dict.fromkeys(names)
    return tuple(n for n in wanted if n in known and project.mask_source(n) is not None)


def _others(project: Project, config: RunConfig) -> list[Project]:
    # Drawn animals come by themselves where the settings ask for them.
    drawn = project.store / FOLDER
    return [
        open_project(Path(source.folder), Path(source.store))
        for source in config.sources[1:]
        if Path(source.folder) != drawn
    ]
