"""A check of the masks: which network judges which, and the folder that holds it all.

By cross-validation: the approved masks are divided into folds, and each fold is judged by a
network that was trained on the others. ``STORE/checks/STAMP`` holds check.json (the plan), the
networks' run folders fold-0, fold-1 ... while they are needed, and what was found. Those networks
know validation images, so they are no models to choose: nothing lists them.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import files
from core.errors import BadInput
from core.evaluation.seen import bundled_has_seen, has_seen
from core.labels import BorderRule
from core.modelfile import read_description
from core.project.project import Project
from core.project.reviews import Status
from core.project.split import position
from core.training.config import (
    RunConfig,
    Sample,
    Source,
    Start,
    TrainConfig,
    outputs_for,
    start_model,
)
from core.training.estimate import threads_of
from core.training.presets import make_config

FORMAT = 1
FOLDS = 4
MOST_FOLDS = 20
FEWEST_MASKS = 10
CHECKS = "checks"
_PRESET = "quick"
_VAL_EVERY = 10
_MOST_VAL = 16
_PLAN = "check.json"
_DONE = "done"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Checked(_Strict):
    """A mask that is checked: its image, and the fold that judges it."""

    image: str
    fold: int = Field(ge=0, lt=MOST_FOLDS)


class CheckPlan(_Strict):
    """check.json. rule: what a trimap's border counts as; train: of all folds' networks."""

    format: int = FORMAT
    created: str
    folds: int = Field(ge=2, le=MOST_FOLDS)
    rule: BorderRule
    train: TrainConfig
    masks: tuple[Checked, ...]

    def fold(self, number: int) -> list[str]:
        """The images whose masks a fold's network judges: it never saw them."""
        return [m.image for m in self.masks if m.fold == number]


def checks_folder(project: Project) -> Path:
    """Where a project's checks lie."""
    return project.store / CHECKS


def fold_folder(check: Path, number: int) -> Path:
    """The run folder of a fold's network."""
    return check / f"fold-{number}"


def default_start(project: Project) -> str:
    """Where the networks begin unless a person says otherwise: what has not seen the masks.

    PetSeg's own models were trained on Oxford-IIIT Pet: there ImageNet weights are taken.
    """
    return Start.IMAGENET if bundled_has_seen(project) else Start.BUNDLED


def check_config(project: Project, changes: Mapping[str, object]) -> TrainConfig:
    """How the folds' networks are trained: the preset quick, with some options changed.

    Raises BadInput, also for a start from a model that may have learnt from the masks.
    """
    values = {"start": default_start(project), **changes}
    model = start_model(str(values["start"]))
    if model is not None and model.resolve().is_relative_to(project.store.resolve()):
        raise BadInput(
            "A check cannot start from a model that was trained in this folder: it may have "
            "learnt the very mistakes. Begin from imagenet, scratch or bundled."
        )
    config = make_config(_PRESET, **values)
    if model is not None and has_seen(project, read_description(model).id):
        raise BadInput(
            "PetSeg's own model was trained on these photos and their masks: it would judge what "
            "it has learnt. Begin from ImageNet weights (imagenet) or from nothing (scratch)."
        )
    threads, rule = threads_of(config), project.settings.border_rule
    return config.model_copy(update={"join": False, "score_border": rule, "threads": threads})


def plan_check(
    project: Project,
    config: TrainConfig,
    folds: int = FOLDS,
    alive: Callable[[], None] = lambda: None,
) -> CheckPlan:
    """Divide the approved masks into folds; writes nothing.

    Near-duplicates stay together: else a network would have seen the photo that it judges.
    ``alive`` is called before each photo that is read for that. Raises BadInput: too few masks,
    a loss for other classes.
    """
    outputs_for(config, project.settings.scheme)
    names = [n for n in project.named([Status.APPROVED]) if project.mask_source(n)]
    if len(names) < FEWEST_MASKS:
        raise BadInput(
            f"{len(names)} approved masks are too few to check: there must be {FEWEST_MASKS}, so "
            "that networks can learn from most of them."
        )
    divided = divide(names, project.near_duplicates(names, alive), folds)
    if len(set(divided.values())) < folds:
        raise BadInput(f"Too many of the photos show the same to divide them into {folds} folds.")
    return CheckPlan(
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        folds=folds,
        rule=project.settings.border_rule,
        train=config,
        masks=tuple(Checked(image=n, fold=divided[n]) for n in names),
    )


def divide(names: Collection[str], groups: Mapping[str, str], folds: int) -> dict[str, int]:
    """Image -> its fold (0 to folds - 1), as even as groups allow; the same for the same names.

    groups: image -> its group's name, for those that must stay together.
    """
    units: dict[str, list[str]] = defaultdict(list)
    for name in names:
        units[groups.get(name, name)].append(name)
    sizes = [0] * folds
    divided: dict[str, int] = {}
    # The largest first, so that the small ones even out what they leave.
    for group in sorted(units, key=lambda g: (-len(units[g]), position(g))):
        fold = sizes.index(min(sizes))
        sizes[fold] += len(units[group])
        divided |= dict.fromkeys(units[group], fold)
    return divided


def make_check(project: Project, plan: CheckPlan) -> Path:
    """Write the plan down in a new folder. Raises WriteError, BadInput (read-only)."""
    project.keep_detected()  # the networks' training opens the folder by itself
    check = files.unused(checks_folder(project) / f"{datetime.now():%Y%m%d-%H%M%S}")
    files.write_json(check / _PLAN, plan.model_dump(mode="json"))
    return check


def read_plan(check: Path) -> CheckPlan:
    """Raises BadInput: missing, damaged, or of a newer format."""
    path = check / _PLAN
    raw = files.read_json(path)
    if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
        raise BadInput(f"{check} was made by a newer PetSeg. Update PetSeg to use it.")
    try:
        return CheckPlan.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadInput(f"{path} is damaged ({where}: {first['msg']}).") from error


def last_check(project: Project) -> Path | None:
    """The newest check there is, done or not; one that cannot be read is none."""
    folder = checks_folder(project)
    found = [p.parent for p in folder.glob(f"*/{_PLAN}")] if folder.is_dir() else []
    return max(found, key=lambda p: p.name, default=None)


def is_done(check: Path) -> bool:
    """Whether every mask of a check was judged that could be."""
    return (check / _DONE).is_file()


def finish(check: Path) -> None:
    """Say that a check is done: its networks and the checks before it go, they take much room.

    Raises WriteError.
    """
    files.write_bytes(check / _DONE, b"")
    for number in range(MOST_FOLDS):
        shutil.rmtree(fold_folder(check, number), ignore_errors=True)
    for other in check.parent.iterdir():
        if other.is_dir() and other.name < check.name:
            shutil.rmtree(other, ignore_errors=True)


def make_fold(check: Path, plan: CheckPlan, project: Project, number: int) -> Path:
    """The run folder of a fold's network, made where it is not there yet.

    It trains on all the other folds but for a few masks that choose its best epoch: the masks it
    judges have no part in it. Raises WriteError.
    """
    run = fold_folder(check, number)
    if (run / "config.json").exists():
        return run
    others = [m.image for m in plan.masks if m.fold != number and project.mask_source(m.image)]
    others.sort(key=position)
    val = set(others[::_VAL_EVERY][:_MOST_VAL])
    config = RunConfig(
        run=run.name,
        name=f"Check of the masks, network {number + 1}",
        version=version("petseg"),
        created=plan.created,
        train=plan.train,
        sources=(Source(folder=str(project.folder), store=str(project.store)),),
        train_samples=tuple(Sample(source=0, image=n) for n in others if n not in val),
        val_samples=tuple(Sample(source=0, image=n) for n in others if n in val),
    )
    files.write_json(run / "config.json", config.model_dump(mode="json"))
    return run
