"""``petseg evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.batch.ledger import Ledger, as_json, standing
from core.batch.shares import Share, cores_of
from core.cli.models import model_path
from core.cli.output import (
    DONE,
    comparing,
    images,
    open_for_cli,
    progress_bar,
    report_skipped,
    say,
    table,
    warn,
)
from core.cli.together import ALL_HERE, LAST_TELLS, Together, require_same, share_for, take_over
from core.errors import BadInput
from core.evaluation.assess import (
    Assessment,
    Task,
    conclude,
    count_left,
    names_to_score,
    score,
)
from core.evaluation.comparison import Comparison, compare
from core.evaluation.groups import Grouping, groups_of
from core.evaluation.result import Evaluation, Summary, write_evaluation
from core.evaluation.sources import Answers, answers_of
from core.evaluation.terms import FIGURES, SEEN, Term
from core.evaluation.writing import WRITTEN, write_all
from core.labels import BorderRule, listed
from core.masks import MaskEncoding
from core.project.project import Project

STATE = ".progress"


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
    """Where the result is written to. out: a folder for all of it, and for what is on the way."""

    json: Path | None = None
    csv: Path | None = None
    report: Path | None = None
    out: Path | None = None


def evaluate_command(
    data: Path,
    asked: Asked,
    files: Files,
    store: Path | None,
    encoding: MaskEncoding | None,
    together: Together = ALL_HERE,
) -> int:
    """Open a folder and score the approved masks of a subset, as a whole and by group."""
    if asked.model and asked.predictions is not None:
        raise BadInput("Give either --model or --predictions, not both.")
    return evaluate_project(open_for_cli(data, store, encoding), asked, files, together)


def evaluate_project(
    project: Project, asked: Asked, files: Files, together: Together = ALL_HERE
) -> int:
    """Score a model, or a folder of masks, against the approved masks of a subset."""
    # All that can be refused is refused before hours of scoring.
    share = share_for(together)
    if share.size > 1 and files.out is None:
        raise BadInput("Several processes need a folder to meet in: the same --out DIR for all.")
    alone = share.size == together.workers == 1
    threads = 0 if alone else max(1, cores_of(share) // together.workers)
    answers = answers_of(
        project,
        asked.border,
        model=None if asked.predictions is not None else model_path(asked.model),
        predictions=asked.predictions,
        flip=asked.flip,
        threshold=asked.threshold,
        threads=threads,
    )
    rival = _rival(project, asked, threads)
    with comparing(project) as alive:
        names = names_to_score(project, asked.subset, alive)
    _require_grouping(project, names, asked.grouping)
    tasks = [Task(project, names, a, asked.subset, asked.border) for a in (answers, rival) if a]
    with ExitStack() as stack:
        ledgers = _ledgers(files.out, project, asked, tasks, together.anew, stack)
        titles = ("scoring", "scoring the other")
        for task, ledger, title in zip(tasks, ledgers, titles, strict=False):
            _score(task, ledger, title, share, together.workers)
        left = sum(map(count_left, tasks, ledgers)) if share.size > 1 else 0
        if left:
            say(f"{images(left)} are left to other processes; {LAST_TELLS}")
            return DONE
        return _conclude(tasks, ledgers, asked, files)


def _conclude(tasks: Sequence[Task], ledgers: Sequence[Ledger], asked: Asked, files: Files) -> int:
    """Tell and write what was found; returns the exit code."""
    found, *others = map(conclude, tasks, ledgers)
    if asked.grouping is not None:
        chosen = found.evaluation.model_copy(update={"grouping": asked.grouping.value})
        found = Assessment(chosen, found.pictures)
    evaluation = found.evaluation
    comparison = compare(evaluation, others[0].evaluation) if others else None
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


def _rival(project: Project, asked: Asked, threads: int) -> Answers | None:
    if not asked.other:
        return None
    return answers_of(
        project,
        asked.border,
        model=model_path(asked.other),
        flip=asked.flip,
        threshold=asked.threshold,
        threads=threads,
    )


def _ledgers(
    out: Path | None,
    project: Project,
    asked: Asked,
    tasks: Sequence[Task],
    anew: bool,
    stack: ExitStack,
) -> list[Ledger]:
    """Where it is noted what was found, one a task. Raises BadInput, WriteError."""
    if out is None:
        return [stack.enter_context(Ledger()) for _ in tasks]
    state = out / STATE
    job = _job(project, asked, tasks)
    if not anew:
        require_same(state, job)
        there = [out / name for name in WRITTEN if (out / name).exists()]
        if standing(state) is None and there:
            raise BadInput(
                f"This command has not made {listed(there)}: choose another --out, or --anew to "
                "replace what is there."
            )
    ledgers = [stack.enter_context(Ledger(state / str(i))) for i in range(len(tasks))]
    if anew:
        for ledger in ledgers:
            ledger.forget()
    take_over(stack.enter_context(Ledger(state)), state, job, anew)
    return ledgers


def _job(project: Project, asked: Asked, tasks: Sequence[Task]) -> dict[str, Any]:
    """All that figures depend on, besides the images' files."""
    return as_json(
        {
            "format": 1,
            "folder": str(project.folder),
            "predictions": str(asked.predictions.resolve()) if asked.predictions else "",
            "models": [task.answers.about.id for task in tasks],
            "made of": [task.answers.digest for task in tasks],
            "subset": asked.subset,
            "border": asked.border.value,
            "flip": asked.flip,
            "threshold": asked.threshold,
            "classes": project.settings.scheme.names,
        }
    )


def _score(task: Task, ledger: Ledger, title: str, share: Share, workers: int) -> None:
    rank = f", rank {share.rank} of {share.size}" if share.size > 1 else ""
    try:
        with progress_bar(title + rank) as tell:
            before = score(task, ledger, tell, share, workers)
    except KeyboardInterrupt:
        if ledger.kept:
            warn("The same command goes on where it stopped.")
        raise
    if before:
        say(f"{images(before)} were scored before.")


def _write(files: Files, found: Assessment, comparison: Comparison | None) -> None:
    if files.out is not None:
        write_all(files.out, found, comparison)
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
