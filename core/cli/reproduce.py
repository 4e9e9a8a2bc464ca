"""``petseg reproduce``: each preset trained whole, its figures beside what is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.cli.evaluate import Asked, Files, evaluate_project
from core.cli.follow import follow_run
from core.cli.output import DONE, FAILED, save_json, say, table, warn
from core.cli.train import new_run
from core.errors import BadInput
from core.files import read_json
from core.inference.catalogue import RUN_MODEL
from core.labels import BorderRule
from core.project.project import Project, open_project
from core.training import events
from core.training.config import Start, read_run_config
from core.training.control import Wanted
from core.training.presets import make_config
from core.training.runs import State, read_run

ORDER = ("baseline", "transfer", "trimap", "attention", "custom", "quick")
"""Long ones last."""

# The bundled model may have seen the photos that are scored.
_CHANGES: dict[str, dict[str, Any]] = {"quick": {"start": Start.IMAGENET}}
_RUN = "whole"


@dataclass(frozen=True)
class Claim:
    """A published figure for this kind of network on Oxford-IIIT Pet, and what it really means."""

    figure: str
    meaning: str


CLAIMS = {
    "baseline": Claim(
        "IoU 0.8964, Dice 0.9367",
        "a U-Net of 31 M parameters, 128 px, 100 epochs on a GPU; Oxford's test photos, "
        "border = foreground, and the best epoch was picked on those test photos",
    ),
    "trimap": Claim(
        "accuracy 0.918",
        "256 px, 20 epochs, border = class; of the one-hot masks, where a wrong pixel is two wrong "
        "numbers of three: its true pixel accuracy is 0.877, its per-image IoU 0.698",
    ),
    "transfer": Claim(
        "IoU 0.9075, data-set IoU 0.9144",
        "an FPN on a ResNet34, 256 px, 10 epochs on a GPU; Oxford's test photos, "
        "border = foreground",
    ),
    "quick": Claim(
        "data-set IoU 0.773",
        "a U-Net on a MobileNetV2, 256 px; the mean over three classes, border = class",
    ),
}


def reproduce_command(
    data: Path, presets: Sequence[str], out: Path, changes: dict[str, Any], json_file: Path | None
) -> int:
    """Train and score each preset in a project of its own below ``out``; print all figures.

    A preset that is done there already is only read, one that was interrupted goes on.
    """
    wanted = {preset: {**_CHANGES.get(preset, {}), **changes} for preset in presets}
    for preset, values in wanted.items():
        make_config(preset, **values)  # refuse what cannot work now, not hours later
    results = []
    for preset, values in wanted.items():
        say(f"\n{preset}")
        # Its own store: the split has the ratio that the recipe asks for.
        project = open_project(data, out / preset)
        state = _train(project, preset, values)
        if state is State.DONE:
            results.append(_result(project, preset))
            save_json(json_file, results)
            continue
        warn(f"{preset} was not trained to its end; the same command again goes on.")
        if state is State.PAUSED:
            break
    if results:
        _print(results)
    return DONE if len(results) == len(wanted) else FAILED


def _train(project: Project, preset: str, changes: dict[str, Any]) -> State:
    """Train what is missing of the preset's run; how it stands then."""
    run = project.runs / _RUN
    if not (run / "config.json").exists():
        new_run(project, preset, changes, run)
    if read_run(run).state is not State.DONE:
        follow_run(run, on_interrupt=Wanted.PAUSE)
    return read_run(run).state


def _result(project: Project, preset: str) -> dict[str, Any]:
    run = project.runs / _RUN
    told, options = read_run(run).progress, read_run_config(run).train
    if told.started is None or told.finished is None:
        raise BadInput(f"{run / events.FILE_NAME} is damaged: remove {run} to train it again.")
    rules = [BorderRule.FOREGROUND]
    if options.border is BorderRule.CLASS and project.settings.scheme.border_id is not None:
        rules.append(BorderRule.CLASS)
    claim = CLAIMS.get(preset, Claim("none published", ""))
    return {
        "preset": preset,
        "train": told.started.train_images,
        "val": told.started.val_images,
        "epochs": len(told.epochs),
        "best_epoch": told.finished.best_epoch,
        "minutes": told.seconds / 60,
        "parameters": told.started.parameters,
        "device": told.started.device,
        "threads": told.started.threads,
        "scores": [_scores(project, run, rule) for rule in rules],
        "published": claim.figure,
        "meaning": claim.meaning,
    }


def _scores(project: Project, run: Path, rule: BorderRule) -> dict[str, Any]:
    """What ``petseg evaluate --json`` says of the run's model on its validation images."""
    path = run / f"val-{rule.value}.json"
    if not path.exists():
        model = str(run / RUN_MODEL)
        evaluate_project(project, Asked(model, border=rule), Files(path))
    scores: dict[str, Any] = read_json(path)
    scores.pop("rows", None)  # each image's own: they stay in the run
    return scores


def _print(results: Sequence[dict[str, Any]]) -> None:
    groups = sorted({group for r in results for group in r["scores"][0].get("groups", {})})
    rows = []
    for result in results:
        for scores in result["scores"]:
            figures = (
                scores["per_image"]["iou"],
                scores["dataset"]["iou"],
                scores["per_image"]["dice"],
                scores["per_image"]["pixel_accuracy"],
                scores["floor"]["iou"],
                *(scores["groups"][group]["per_image"]["iou"] for group in groups),
            )
            rows.append(
                [
                    result["preset"],
                    f"{result['train']} / {result['val']}",
                    str(result["epochs"]),
                    f"{result['minutes']:.1f}",
                    scores["border"],
                    *(f"{figure:.4f}" for figure in figures),
                ]
            )
    say("\nOn the validation photos, at native size; the best epoch was picked on them.")
    header = ["preset", "train / val", "epochs", "minutes", "border", "IoU", "data-set IoU"]
    header += ["Dice", "accuracy", "floor IoU", *(f"{group} IoU" for group in groups)]
    table(header, rows)
    say("\nPublished for such networks on Oxford-IIIT Pet:")
    for result in results:
        meaning = f" ({result['meaning']})" if result["meaning"] else ""
        say(f"{result['preset']}: {result['published']}{meaning}")
