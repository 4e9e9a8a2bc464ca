"""How good a model is after how many minutes on a CPU: val IoU against time.

``python -m benchmarks.quality DATA --out DIR [--weights FILE] [--threads N] [--seeds N]
[--accurate RUN] [--set KEY=VALUE] [--json FILE]``. DATA: Oxford-IIIT Pet. The presets as they are,
on DATA's fixed split (train trains, val scores), border = pet: baseline from scratch (there are no
ImageNet weights for its plain U-Net), quick from scratch and from ImageNet weights (the bundled
model knows these photos), each with all seeds; accurate once, with seed 0, or as the run folder RUN
tells, which was trained elsewhere on the same split. What is in DIR already is only read, what was
interrupted goes on. --set changes an option of all trainings, for a small trial.

Minutes are those of a worker's steps, validation and writing, from its first step on; pauses are
left out. CPU minutes are all that its process used, the reading of the photos included. The IoU
over time is that of the model that is kept so far (the best epoch's), at the size that the network
sees; that at the end is at the photos' own size. The best epoch is picked on the photos that are
scored.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.learning_curves import trained
from benchmarks.plots import Curve, Level, plot
from benchmarks.report import Row, json_argument, print_table, report
from core import jsonl
from core.errors import BadInput
from core.evaluation.metrics import Scores, confusion, score
from core.labels import PET, BorderRule, apply_border_rule
from core.project.project import Project, open_project
from core.training import events
from core.training.config import Start, read_run_config
from core.training.plan import Plan, plan_training
from core.training.presets import make_config
from core.training.progress import RunState

_RULE = BorderRule.FOREGROUND
_MINUTES = (0.5, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360)
# For photos of Oxford's test list, border = pet; the second picked its epoch on those.
_PUBLISHED = (
    Level("0.9075 published: FPN on ResNet34, 23 M parameters, 256 px, on a GPU", 0.9075),
    Level("0.8964 published: plain U-Net, 31 M parameters, 128 px, on a GPU", 0.8964, below=True),
)


@dataclass(frozen=True)
class Arm:
    """One way to train; name: of its runs' folders."""

    name: str
    title: str
    preset: str
    start: Start


_ARMS = (
    Arm("baseline", "baseline, from scratch", "baseline", Start.SCRATCH),
    Arm("quick-scratch", "quick, from scratch", "quick", Start.SCRATCH),
    Arm("quick-imagenet", "quick, from ImageNet weights", "quick", Start.IMAGENET),
)
_ACCURATE = Arm("accurate", "accurate, from ImageNet weights", "accurate", Start.IMAGENET)


@dataclass(frozen=True)
class Training:
    """One run. epochs: (minutes, val IoU of the model kept so far) after each epoch; end: of the
    kept model at the photos' own size; cpu: minutes, NaN where they were not measured whole."""

    started: events.Started
    epochs: list[tuple[float, float]]
    end: Scores
    cpu: float

    @property
    def minutes(self) -> float:
        return self.epochs[-1][0]

    def kept_at(self, minutes: float) -> float:
        """The IoU of the model that is kept by then; NaN before the first epoch's end."""
        return next((iou for at, iou in reversed(self.epochs) if at <= minutes), math.nan)


def main() -> int:
    """Train what is missing, print, plot, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="for the split, runs and plot")
    parser.add_argument("--weights", default="", help="ImageNet weights, instead of a download")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--accurate", type=Path, metavar="RUN", help="read it, do not train it")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    options = parser.parse_args()
    project = open_project(options.data, options.out / "project")
    plan = plan_training(project)
    changes = {"device": "cpu", "threads": options.threads}
    changes |= dict(change.split("=", 1) for change in options.changes)
    weights = {"weights": str(Path(options.weights).resolve())} if options.weights else {}

    def settings(arm: Arm) -> dict[str, Any]:
        pretrained = arm.start is Start.IMAGENET
        return {"start": arm.start, **(weights if pretrained else {}), **changes}

    wanted = [*_ARMS] if options.accurate else [*_ARMS, _ACCURATE]
    for arm in wanted:
        make_config(arm.preset, **settings(arm))  # refuse what cannot work now, not hours later
    results = {}
    for arm in wanted:
        seeds = range(1 if arm is _ACCURATE else options.seeds)
        results[arm] = [
            _trained(project, plan, options.out, arm, seed, settings(arm)) for seed in seeds
        ]
    if options.accurate:
        results[_ACCURATE] = [_from_elsewhere(options.accurate, plan)]
    floor = _all_pet(project, plan.val)
    _print(results)
    _plot(options.out / "quality.png", results, floor, len(plan.val))
    rows = [
        Row("photos that train", len(plan.train), ""),
        Row("photos that score", len(plan.val), ""),
        Row("IoU of calling everything pet", floor, ""),
    ]
    return report(rows, options.json, told=[r for a, t in results.items() for r in _rows(a, t)])


def _trained(
    project: Project, plan: Plan, out: Path, arm: Arm, seed: int, changes: dict[str, Any]
) -> Training:
    """The arm's run with this seed, trained as far as it is not; its CPU time is written down."""
    name = f"{arm.name}-{seed}"
    before = _children_seconds()
    trained(project, plan, out / "runs" / name, arm.preset, seed, changes)
    used = _children_seconds() - before
    if used > 0:
        jsonl.append(out / "cpu.jsonl", {"run": name, "seconds": used})
    records, _ = jsonl.read(out / "cpu.jsonl")
    return _told(out / "runs" / name, [r["seconds"] for r in records if r["run"] == name])


def _children_seconds() -> float:
    """CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _from_elsewhere(run: Path, plan: Plan) -> Training:
    """A run as it was trained elsewhere. Raises BadInput: on other photos, by another rule."""
    config = read_run_config(run)
    if {s.image for s in config.val_samples} != set(plan.val):
        raise BadInput(f"{run} was not scored on this split's photos.")
    if not {s.image for s in config.train_samples}.isdisjoint(plan.val):
        raise BadInput(f"{run} was trained on photos that are scored.")
    if config.train.score_border is not _RULE:
        raise BadInput(f"{run} was scored with the border as {config.train.score_border}.")
    return _told(run, [])


def _told(run: Path, cpu: Sequence[float]) -> Training:
    """What a run's events tell. cpu: seconds of each of its workers whose end was seen.

    Raises BadInput: not trained to its end.
    """
    state, workers = RunState(run), 0
    minutes: dict[int, float] = {}
    for event in events.read_events(run)[0]:
        state.take(event)
        workers += isinstance(event, events.Started)
        if isinstance(event, events.Epoch):
            minutes[event.epoch] = state.seconds / 60
    if state.started is None or state.finished is None or state.finished.val is None:
        raise BadInput(f"{run} was not trained to its end.")
    epochs, kept = [], math.nan
    for epoch in state.epochs:
        kept = epoch.val.scores.iou if epoch.best else kept
        epochs.append((minutes[epoch.epoch], kept))
    whole = sum(cpu) / 60 if len(cpu) == workers else math.nan
    return Training(state.started, epochs, state.finished.val, whole)


def _all_pet(project: Project, names: Sequence[str]) -> float:
    """The per-image IoU of calling everything pet."""
    counts = []
    for name in names:
        mask = project.read_mask(name)
        assert mask is not None
        truth = apply_border_rule(mask, project.settings.scheme, _RULE)
        counts.append(confusion(truth, np.ones_like(truth), len(PET.classes)))
    return score(np.array(counts)).iou


def _print(results: dict[Arm, list[Training]]) -> None:
    header = ["", "seeds", "parameters", "device, threads", "epochs", "minutes", "CPU minutes"]
    header += ["IoU at the end", "data-set IoU"]
    print_table(header, (_cells(arm, trainings) for arm, trainings in results.items()))
    print()
    print_table(
        ["minutes", *(arm.title for arm in results)],
        (
            [f"{at:g}", *(_spread([t.kept_at(at) for t in ts]) for ts in results.values())]
            for at in _marks(results)
        ),
    )
    print()


def _cells(arm: Arm, trainings: Sequence[Training]) -> list[str]:
    started, cpu = trainings[0].started, mean(t.cpu for t in trainings)
    return [
        arm.title,
        str(len(trainings)),
        f"{started.parameters / 1e6:.1f} M",
        f"{started.device}, {started.threads}",
        str(len(trainings[0].epochs)),
        f"{mean(t.minutes for t in trainings):.1f}",
        "" if math.isnan(cpu) else f"{cpu:.1f}",
        _spread([t.end.iou for t in trainings]),
        _spread([t.end.dataset_iou for t in trainings]),
    ]


def _spread(values: Sequence[float]) -> str:
    """Mean (lowest, highest); nothing where one is missing."""
    if any(math.isnan(v) for v in values):
        return ""
    middle = f"{mean(values):.3f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.3f}, {max(values):.3f})"


def _marks(results: dict[Arm, list[Training]]) -> list[float]:
    """Minutes from the first epoch's end to the last one's."""
    trainings = [training for each in results.values() for training in each]
    first = min(t.epochs[0][0] for t in trainings)
    last = max(t.minutes for t in trainings)
    after = [at for at in _MINUTES if at >= last][:1]
    return [at for at in _MINUTES if first <= at < last] + after


def _plot(path: Path, results: dict[Arm, list[Training]], floor: float, photos: int) -> None:
    curves = []
    for arm, trainings in results.items():
        epochs = list(zip(*(t.epochs for t in trainings), strict=True))
        curves.append(
            Curve(
                arm.title,
                x=[mean(minutes for minutes, _ in each) for each in epochs],
                y=[[iou for _, iou in each] for each in epochs],
            )
        )
    title = f"Pets: {photos} validation photos (mean, lowest, highest over seeds)"
    levels = [Level(f"{floor:.3f}: everything is pet", floor, below=True), *_PUBLISHED]
    marks = _marks(results)
    plot(path, title, "Minutes of training", "Val IoU", curves, True, marks, levels)


def _rows(arm: Arm, trainings: Sequence[Training]) -> list[Row]:
    """For the JSON file."""
    rows = []
    for seed, training in enumerate(trainings):
        name = f"{arm.name}, seed {seed}"
        rows += [
            Row(f"{name}: val IoU", training.end.iou, ""),
            Row(f"{name}: val data-set IoU", training.end.dataset_iou, ""),
            Row(f"{name}: minutes", training.minutes, "min"),
            Row(f"{name}: CPU minutes", training.cpu, "min"),
        ]
        rows += [Row(f"{name}: val IoU at {at:.2f} min", iou, "") for at, iou in training.epochs]
    return [row for row in rows if not math.isnan(row.value)]


if __name__ == "__main__":
    sys.exit(main())
