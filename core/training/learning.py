"""Learn as you go: when a short run is due, what it does, and whether its model takes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.labels import BorderRule
from core.modelfile import ModelDescription, read_description
from core.project.project import Project
from core.project.reviews import Status
from core.training.config import TrainConfig, start_model, trained_scheme
from core.training.launch import create_run
from core.training.plan import Plan
from core.training.presets import PRESETS, make_config
from core.training.progress import RunState
from core.training.runs import RunInfo, State

EVERY = 10
"""So many approvals make a run due."""

# A short run sees so many images of 160 px: a laptop without a GPU learns from some 20 of them a
# second, so it takes about a minute. Pixels are what costs: at other sizes they are as many.
_IMAGES = 1200
_SIZE = 160
_MOST_EPOCHS = 6


@dataclass(frozen=True)
class Judgement:
    """Whether a run's model is better than the one it started from, and a sentence on it."""

    better: bool
    text: str


def is_due(project: Project, runs: Sequence[RunInfo], every: int = EVERY) -> bool:
    """Whether a short run should start: enough fresh masks, and none such waits or trains."""
    under_way = any(
        info.config is not None
        and info.config.purpose == "learn"
        and (info.live or info.state is State.QUEUED)
        for info in runs
    )
    return not under_way and fresh_masks(project, runs) >= every


def fresh_masks(project: Project, runs: Sequence[RunInfo]) -> int:
    """How many masks a person approved that the newest run has not seen as they are now.

    Masks that came with the folder count for nothing: nobody approved them here.
    """
    newest = next((info for info in runs if info.config is not None), None)
    seen: dict[str, str] = {}
    joined: set[str] = set()
    if newest is not None and newest.config is not None:
        samples = (*newest.config.train_samples, *newest.config.val_samples)
        seen = {s.image: s.mask for s in samples if s.source == 0}
        joined = {name for event in newest.progress.joined for name in event.images}
    fresh = 0
    for name in project.named([Status.APPROVED]):
        review = project.review(name)
        known = name in joined or (review is not None and seen.get(name) == review.mask)
        fresh += review is not None and not known
    return fresh


def learning_config(start: str, train: int) -> TrainConfig:
    """The settings of a short run on so many train masks, from a model (a file, or ``bundled``).

    As many epochs as ``_IMAGES`` allow, at most 6: about a minute. One epoch at least, so that
    every mask is seen: with thousands of them it takes longer. Raises ModelFileError.
    """
    model = start_model(start)
    about = read_description(model) if model is not None else None
    size = about.size if about is not None else _SIZE
    quick = make_config("quick", start=start, **_as_it_was_trained(about))
    batch = min(quick.batch, max(train, 1))
    steps = max(1, round(_IMAGES * (_SIZE / size) ** 2 / batch))
    least = min(quick.min_steps, steps)
    epochs = min(max(steps // max(least, -(-train // batch)), 1), _MOST_EPOCHS)
    return quick.model_copy(update={"epochs": epochs, "min_steps": least})


def create_learning_run(project: Project, model: Path | str, plan: Plan) -> Path:
    """Make the short run that learns from all masks, starting from the present model.

    Raises BadInput (the plan's problem; a model for other classes), WriteError.
    """
    config = learning_config(str(model), len(plan.train))
    if len(trained_scheme(config, project.settings.scheme).classes) > 2:
        config = config.model_copy(update={"loss": "ce_dice"})
    total = len(plan.train) + len(plan.val)
    name = f"Learnt from {total} masks"
    return create_run(project, config, plan, name=name, purpose="learn")


def takes_over(progress: RunState) -> Judgement:
    """Whether a run's model should segment from now on: it must beat the model it started from.

    Both are compared on the run's validation images, at their own size, by the mean IoU under one
    border rule. Equal at three decimals is not better. The run's model is the best of its epochs
    on these images, so a gain of some thousandths may be luck.
    """
    if progress.finished is None or progress.finished.val is None or progress.model is None:
        return Judgement(False, "The short training has left no model.")
    gain, started = progress.gain, progress.started
    if gain is None or started is None:
        return Judgement(False, "What the training started from was not scored.")
    images = "image" if started.val_images == 1 else "images"
    told = f"Val IoU {gain} on the same {started.val_images} validation {images}."
    return Judgement(gain.better, told)


def _as_it_was_trained(about: ModelDescription | None) -> dict[str, object]:
    """The options without which a model would lose its last layer."""
    if about is None:
        return {}
    recipe = PRESETS.get(about.preset)
    known = recipe.values if recipe is not None else {}
    return {
        "border": about.border_rule,
        "loss": "bce_dice" if about.activation == "sigmoid" else "ce_dice",
        "score_border": known.get("score_border", BorderRule.FOREGROUND),
    }
