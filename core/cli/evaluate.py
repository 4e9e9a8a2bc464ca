"""``petseg evaluate``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core import masks
from core.cli.models import model_path
from core.cli.output import open_for_cli, progress, report_skipped, save_json, say, table
from core.errors import BadInput
from core.evaluation.evaluate import Predict, Report, evaluate
from core.evaluation.groups import group_of
from core.inference.predictor import Predictor, mask_rule
from core.labels import BorderRule, apply_border_rule, scheme_under
from core.masks import MaskEncoding
from core.project.layout import mask_names
from core.project.project import Project
from core.project.reviews import Status


def evaluate_command(
    data: Path,
    model: str,
    predictions: Path | None,
    subset: str,
    border: BorderRule,
    flip: bool,
    json_file: Path | None,
    store: Path | None,
    encoding: MaskEncoding | None,
) -> int:
    """Open a folder and score the approved masks of a subset, as a whole and by group."""
    if model and predictions is not None:
        raise BadInput("Give either --model or --predictions, not both.")
    project = open_for_cli(data, store, encoding)
    return evaluate_project(project, model, predictions, subset, border, flip, json_file)


def evaluate_project(
    project: Project,
    model: str,
    predictions: Path | None,
    subset: str,
    border: BorderRule,
    flip: bool,
    json_file: Path | None,
) -> int:
    """Score a model, or a folder of masks, against the approved masks of a subset."""
    names = _names(project, subset)
    predict = (
        _from_files(project, predictions, border)
        if predictions is not None
        else _from_model(project, model, border, flip)
    )
    rows = tuple(progress(evaluate(project, names, predict, border), len(names), "scoring"))
    scheme = scheme_under(project.settings.scheme, border)
    report = Report(scheme, border, rows)
    groups = {
        group: Report(scheme, border, tuple(r for r in rows if group_of(project, r.image) == group))
        for group in sorted(
            {group_of(project, r.image) for r in rows if r.counts is not None} - {""}
        )
    }
    value = report.to_json()
    if groups:
        value["groups"] = {group: part.to_json() for group, part in groups.items()}
    _print(report, groups, subset)
    save_json(json_file, value)
    return report_skipped([(r.image, r.reason) for r in report.skipped])


def _names(project: Project, subset: str) -> list[str]:
    names = project.named([Status.APPROVED])
    split = project.split(names)
    chosen = [n for n in names if subset in ("all", split[n])]
    if not chosen:
        raise BadInput(
            f"{project.folder} has no approved mask in the subset {subset}"
            + (" (--subset all takes every one)." if names else ": there is nothing to score with.")
        )
    return chosen


def _from_model(project: Project, model: str, border: BorderRule, flip: bool) -> Predict:
    predictor = Predictor(model_path(model))
    scheme = project.settings.scheme
    known = predictor.description.scheme
    if border is BorderRule.CLASS and scheme.border_id is not None and known.border_id is None:
        raise BadInput("This model knows no border class: choose another --border rule.")
    wanted = scheme_under(scheme, border)
    mask_rule(known, wanted, border)  # refuse other classes now, not image by image
    return lambda _name, pixels: predictor.predict(pixels, flip).mask(wanted, border)


def _from_files(project: Project, folder: Path, border: BorderRule) -> Predict:
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder of predicted masks.")
    written = mask_names(project.names)
    scheme = project.settings.scheme

    def predict(name: str, pixels: np.ndarray) -> np.ndarray:
        path = folder / written[name]
        if not path.is_file():
            raise BadInput(f"there is no prediction {written[name]}")
        size = (pixels.shape[1], pixels.shape[0])
        mask = masks.read_mask(path, MaskEncoding.IDS, scheme, size)
        return apply_border_rule(mask, scheme, border)

    return predict


def _print(report: Report, groups: dict[str, Report], subset: str) -> None:
    say(f"{len(report.counts)} images, subset {subset}, border = {report.rule}, native size")
    rows = []
    for title, part in [("all", report), *groups.items()]:
        scores = part.scores
        figures = (
            scores.iou,
            scores.dice,
            scores.pixel_accuracy,
            scores.dataset_iou,
            scores.dataset_dice,
            part.floor,
        )
        rows.append([title, str(len(part.counts)), *(f"{v:.4f}" for v in figures)])
    table(
        ["", "images", "IoU", "Dice", "accuracy", "data-set IoU", "data-set Dice", "floor IoU"],
        rows,
    )
    for name, iou in report.classes.items():
        say(f"IoU of {name} over the data set: {'-' if iou is None else f'{iou:.4f}'}")
