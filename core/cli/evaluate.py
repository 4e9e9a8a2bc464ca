"""``petseg evaluate``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from core.child import Tell
from core.cli.models import model_path
from core.cli.output import images, open_for_cli, report_skipped, say, table, warn
from core.errors import BadInput
from core.evaluation.assess import Assessment, assess, names_to_score
from core.evaluation.comparison import Comparison, compare
from core.evaluation.groups import Grouping, groups_of
from core.evaluation.result import Evaluation, Summary, write_evaluation
from core.evaluation.sources import Answers, answers_of
from core.evaluation.terms import FIGURES, SEEN, Term
from core.labels import BorderRule, listed
from core.masks import MaskEncoding
from core.project.project import Project


@dataclass(frozen=True)
class Asked:
    """What is scored and how. model: "" for the bundled one; grouping: None for the folder's own;
    other: a second model, to compare with."""

    model: str = ""
    predictions: Path | None = None
    subset: str = "val"
    border: BorderRule = BorderRule.FOREGROUND
    flip: bool = False
    threshold: float | None = None
    grouping: Grouping | None = None
    other: str = ""


@dataclass(frozen=True)
class Files:
    """Where the result is written to."""

    json: Path | None = None
    csv: Path | None = None
    report: Path | None = None


def evaluate_command(
    data: Path, asked: Asked, files: Files, store: Path | None, encoding: MaskEncoding | None
) -> int:
    """Open a folder and score the approved masks of a subset, as a whole and by group."""
    if asked.model and asked.predictions is not None:
        raise BadInput("Give either --model or --predictions, not both.")
    return evaluate_project(open_for_cli(data, store, encoding), asked, files)


def evaluate_project(project: Project, asked: Asked, files: Files) -> int:
    """Score a model, or a folder of masks, against the approved masks of a subset."""
    # All that can be refused is refused before hours of scoring.
    answers = answers_of(
        project,
        asked.border,
        model=None if asked.predictions is not None else model_path(asked.model),
        predictions=asked.predictions,
        flip=asked.flip,
        threshold=asked.threshold,
    )
    rival = _rival(project, asked)
    names = names_to_score(project, asked.subset)
    _require_grouping(project, names, asked.grouping)
    found = _assess(project, names, answers, asked, "scoring")
    evaluation = found.evaluation
    comparison = None
    if rival is not None:
        other = _assess(project, names, rival, asked, "scoring the other")
        comparison = compare(evaluation, other.evaluation)
    _print(evaluation)
    if comparison is not None:
        _print_comparison(comparison)
    _write(files, found, comparison)
    if evaluation.seen:
        warn(SEEN)
    if evaluation.extras:
        warn(f"belongs to no image: {listed(evaluation.extras)}")
    return report_skipped([(s.image, s.reason) for s in evaluation.skipped])


def _require_grouping(project: Project, names: Sequence[str], grouping: Grouping | None) -> None:
    """Raises BadInput where these images cannot be told apart by it."""
    known = groups_of(project, names)
    if grouping is not None and grouping not in known:
        others = f"; they have {listed(known)}" if known else ""
        raise BadInput(
            f"The images of {project.folder} have no {grouping} to group them by{others}."
        )


def _rival(project: Project, asked: Asked) -> Answers | None:
    if not asked.other:
        return None
    return answers_of(
        project,
        asked.border,
        model=model_path(asked.other),
        flip=asked.flip,
        threshold=asked.threshold,
    )


def _assess(
    project: Project, names: Sequence[str], answers: Answers, asked: Asked, title: str
) -> Assessment:
    with _shown(title) as tell:
        found = assess(project, names, answers, asked.subset, asked.border, tell)
    if asked.grouping is None:
        return found
    chosen = found.evaluation.model_copy(update={"grouping": asked.grouping.value})
    return Assessment(chosen, found.pictures)


@contextmanager
def _shown(title: str) -> Iterator[Tell]:
    """A progress bar on stderr where that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total, _words: bar.update(task, completed=done, total=total)


def _write(files: Files, found: Assessment, comparison: Comparison | None) -> None:
    if files.report is not None or files.csv is not None:
        from core.evaluation.report import write_csv, write_report  # late: they load matplotlib

        if files.report is not None:
            write_report(files.report, found.evaluation, found.pictures, comparison)
        if files.csv is not None:
            write_csv(files.csv, found.evaluation)
    if files.json is not None:
        write_evaluation(files.json, found.evaluation)


def _print(evaluation: Evaluation) -> None:
    threshold = "" if evaluation.threshold is None else f", threshold {evaluation.threshold:g}"
    say(
        f"{images(evaluation.images)}, subset {evaluation.subset}, border = {evaluation.border}"
        f"{threshold}, native size"
    )
    groups = [("all", evaluation), *evaluation.groups.items()]
    header = ["", "images", "IoU", "Dice", "accuracy", "data-set IoU", "data-set Dice"]
    table(
        [*header, "Boundary IoU", "HD95", "floor IoU"],
        [_row(title, summary) for title, summary in groups],
    )
    spread = evaluation.intervals.per_image.get("iou")
    if spread is not None:
        say(f"95 % interval of the IoU: {spread[0]:.4f} to {spread[1]:.4f}")
    if evaluation.calibration is not None:
        say(f"calibration error: {evaluation.calibration.ece:.4f}")
    for name, iou in evaluation.classes.items():
        say(f"IoU of {name} over the data set: {'-' if iou is None else f'{iou:.4f}'}")


def _row(title: str, summary: Summary) -> list[str]:
    each, whole = summary.per_image, summary.dataset
    figures = (each.iou, each.dice, each.pixel_accuracy, whole.iou, whole.dice, each.boundary_iou)
    return [
        title,
        str(summary.images),
        *(f"{v:.4f}" for v in figures),
        f"{each.hd95:.1f} px",
        f"{summary.floor.iou:.4f}",
    ]


def _print_comparison(comparison: Comparison) -> None:
    say("")
    rows = []
    for term in FIGURES:
        found = comparison.per_image[term.key]
        spread = found.interval
        words = "" if spread is None else " to ".join(_signed(v, term) for v in spread)
        values = (_plain(found.a, term), _plain(found.b, term), _signed(found.difference, term))
        rows.append([term.name, *values, words])
    table(["per image", comparison.a, comparison.b, "difference", "95 % interval"], rows)
    say(comparison.words)


def _plain(value: float, term: Term) -> str:
    return f"{value:.1f} px" if term.unit else f"{value:.4f}"


def _signed(value: float, term: Term) -> str:
    return f"{value:+.1f}" if term.unit else f"{value:+.4f}"
