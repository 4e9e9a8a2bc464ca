"""How fast it learns something new, and from how few masks: runs, tables, plots.

``python -m benchmarks.learning_curves nuclei|pets DATA --out DIR [--weights FILE] [--threads N]
[--seeds N] [--json FILE]``. Every run is a real worker's; one that is done in DIR already is only
read, one that was interrupted goes on.

- nuclei: DATA/images with DATA/masks of something that is no pet; the preset quick from the bundled
  model and from scratch, and the preset custom; all at the bundled model's size. Val Dice after
  each epoch against minutes.
- pets: the preset quick from ImageNet weights (the bundled model knows these photos) on 10, 20, 40
  and 80 masks, scored on the same 200 photos, of which none ever trains. Val Dice against masks.

The seed draws the masks that train (pets), the order, the augmentation and the first weights. The
recipes are the presets as they are: nothing was chosen by these figures.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.plots import Curve, plot
from benchmarks.report import Row, json_argument, report
from core import files
from core.inference.bundled import bundled_model
from core.labels import BorderRule
from core.modelfile import read_description
from core.project.project import Project, open_project
from core.project.reviews import Status
from core.project.split import Subset
from core.training.config import Start
from core.training.launch import create_run, last_words, start_worker
from core.training.plan import Plan, plan_training
from core.training.presets import make_config
from core.training.progress import RunState
from core.training.runs import State, read_run

_EPOCHS = 20  # on the nuclei: those of the preset custom, for all
_MASKS = (10, 20, 40, 80)
_VAL = 200


@dataclass(frozen=True)
class Way:
    """One way to train on the nuclei; name: of its folder."""

    name: str
    title: str
    preset: str
    changes: dict[str, Any]


_WAYS = (
    Way("default", "quick, from the default model", "quick", {"start": Start.BUNDLED}),
    Way("scratch", "quick, from scratch", "quick", {"start": Start.SCRATCH}),
    Way("custom", "custom: a plain U-Net from scratch", "custom", {}),
)


def main() -> int:
    """Train what is missing, print, plot, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=("nuclei", "pets"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="for projects, runs and plots")
    parser.add_argument("--weights", default="", help="ImageNet weights, instead of a download")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    seeds = range(options.seeds)
    if options.what == "nuclei":
        rows = _nuclei(options.data, options.out, options.threads, seeds)
    else:
        weights = str(Path(options.weights).resolve()) if options.weights else ""
        rows = _pets(options.data, options.out, options.threads, seeds, weights)
    return report(rows, options.json)


def _nuclei(data: Path, out: Path, threads: int, seeds: Sequence[int]) -> list[Row]:
    project = open_project(data, out / "project")
    size = read_description(bundled_model()).size
    rows: list[Row] = []
    curves: list[Curve] = []
    for way in _WAYS:
        runs = []
        for seed in seeds:
            folder = out / "runs" / f"{way.name}-{seed}"
            changes = way.changes | {"size": size, "epochs": _EPOCHS, "threads": threads}
            runs.append(trained(project, plan_training(project), folder, way.preset, seed, changes))
        rows += [Row(f"{way.name}: {n}", v, u) for n, v, u in _end(runs)]
        epochs = list(zip(*(_epochs(run) for run in runs), strict=True))
        curves.append(
            Curve(
                way.title,
                x=[mean(minutes for minutes, _ in each) for each in epochs],
                y=[[dice for _, dice in each] for each in epochs],
            )
        )
    val = len(plan_training(project).val)
    title = f"Nuclei: {val} validation images, {len(seeds)} seeds (mean, lowest, highest)"
    plot(out / "nuclei.png", title, "Minutes of training", "Val Dice", curves)
    return rows


def _pets(data: Path, out: Path, threads: int, seeds: Sequence[int], weights: str) -> list[Row]:
    val, pool = drawn(open_project(data, out / "pool"), _VAL)
    rows, dices = [], []
    for masks in _MASKS:
        runs = []
        for seed in seeds:
            train = random.Random(seed).sample(pool, masks)
            project = project_of(data, out / f"{masks}-{seed}", train, val)
            changes = {
                "start": Start.IMAGENET,
                "weights": weights,
                "threads": threads,
                "join": False,  # all other photos have masks too, and are not to train
                "score_border": BorderRule.FOREGROUND,
            }
            plan = Plan(tuple(train), tuple(val))
            runs.append(trained(project, plan, project.runs / "run", "quick", seed, changes))
        rows += [Row(f"{masks} masks: {n}", v, u) for n, v, u in _end(runs)]
        dices.append([_native_dice(run) for run in runs])
    title = f"Pets: {_VAL} validation photos, {len(seeds)} seeds (mean, lowest, highest)"
    curve = Curve("quick, from ImageNet weights", x=list(map(float, _MASKS)), y=dices)
    plot(out / "pets.png", title, "Masks that train", "Val Dice", [curve], log_x=True)
    return rows


def drawn(project: Project, count: int) -> tuple[list[str], list[str]]:
    """``count`` photos that validate, and those that may train: on the two sides of the split, so
    that no near-duplicate of one is among the other."""
    split = project.split(project.named([Status.APPROVED]))
    val = [name for name, subset in split.items() if subset is Subset.VAL]
    return (
        sorted(random.Random(0).sample(val, count)),
        [name for name, subset in split.items() if subset is Subset.TRAIN],
    )


def project_of(data: Path, store: Path, train: Sequence[str], val: Sequence[str]) -> Project:
    """A project whose split is these photos."""
    if not (store / "split.json").exists():
        split = dict.fromkeys(train, Subset.TRAIN) | dict.fromkeys(val, Subset.VAL)
        files.write_json(store / "split.json", split)
    return open_project(data, store)


def trained(
    project: Project, plan: Plan, folder: Path, preset: str, seed: int, changes: dict[str, Any]
) -> RunState:
    """The run in ``folder``, made and trained as far as it is not."""
    if not (folder / "config.json").exists():
        create_run(project, make_config(preset, seed=seed, **changes), plan, folder=folder)
    return run_to_end(folder)


def run_to_end(folder: Path) -> RunState:
    """The run in ``folder``, trained as far as it is not. Raises RuntimeError: it has failed."""
    if read_run(folder).state is not State.DONE:
        print(f"training {folder}", file=sys.stderr, flush=True)
        worker = start_worker(folder)
        try:
            worker.wait()
        finally:
            worker.terminate()  # does nothing, unless this was interrupted
    info = read_run(folder)
    if info.state is not State.DONE:
        raise RuntimeError(f"{folder}: {info.state}. {info.problem}\n{last_words(folder)}")
    return info.progress


def _epochs(run: RunState) -> list[tuple[float, float]]:
    """(minutes that it trained, val Dice) after each epoch; all steps count the same."""
    a_step = run.seconds / 60 / run.epochs[-1].step
    return [(e.step * a_step, e.val.scores.dice) for e in run.epochs]


def _native_dice(run: RunState) -> float:
    assert run.finished is not None
    assert run.finished.val is not None
    return run.finished.val.dice


def _end(runs: Sequence[RunState]) -> list[tuple[str, float, str]]:
    """Figures of the best epoch's models, at the photos' own size."""
    dices = [_native_dice(run) for run in runs]
    ious = [run.finished.val.iou for run in runs if run.finished and run.finished.val]
    return [
        ("val Dice, mean", mean(dices), ""),
        ("val Dice, lowest", min(dices), ""),
        ("val Dice, highest", max(dices), ""),
        ("val IoU, mean", mean(ious), ""),
        ("minutes", mean(run.seconds for run in runs) / 60, "min"),
    ]


if __name__ == "__main__":
    sys.exit(main())
