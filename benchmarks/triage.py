"""Does "next most useful" choose masks that teach more than masks drawn by chance?

``python -m benchmarks.triage DATA --out DIR [--weights FILE] [--threads N] [--seeds N]
[--first-seed N] [--json FILE]``, DATA: Oxford-IIIT Pet. For each seed: 300 photos, of which 20 have
masks by chance; a network trained on those; then 20 masks more, chosen by "next most useful" with
that network's predictions, or by chance; and a network trained on the 40 of each. All train alike:
the preset quick from ImageNet weights (the bundled model knows these photos). The best epoch is
chosen on 40 photos; scored is on 260 others, which nothing was chosen by. No photo of those 300 is
in a pool, nor is a near-duplicate of one. Border = pet.

What is in DIR already is only read; what was interrupted goes on.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from benchmarks.learning_curves import drawn, project_of, trained
from benchmarks.plots import Curve, plot
from benchmarks.report import Row, json_argument, report
from core import files
from core.evaluation.metrics import confusion, score
from core.evaluation.useful import Look, cells, look_of, next_useful
from core.images import read_thumbnail
from core.inference.catalogue import RUN_MODEL
from core.inference.prediction import Prediction
from core.inference.predictor import Predictor
from core.labels import PET, BorderRule, apply_border_rule
from core.project.project import Project, open_project
from core.training.config import Start
from core.training.plan import Plan

_POOL = 300
_MASKS = 20  # to begin with, and once more
_CHECKED = 40
_SCORED = 260
_RULE = BorderRule.FOREGROUND
_THUMBNAIL = 128
_RESAMPLES = 10_000
# Student's t, the two-sided 95 % point, by the number of seeds.
_T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}


@dataclass(frozen=True)
class Study:
    """What all trainings share: the whole data set, its photos by what they are for, options."""

    project: Project
    out: Path
    weights: str
    threads: int
    pool: list[str]
    checked: list[str]
    scored: list[str]


def main() -> int:
    """Train what is missing, print, plot, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="for projects, runs and plots")
    parser.add_argument("--weights", default="", help="ImageNet weights, instead of a download")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=6, choices=list(_T95))
    parser.add_argument("--first-seed", type=int, default=3, help="those before chose the method")
    options = parser.parse_args()
    project = open_project(options.data, options.out / "all")
    val, pool = drawn(project, _CHECKED + _SCORED)
    random.Random(0).shuffle(val)
    weights = str(Path(options.weights).resolve()) if options.weights else ""
    study = Study(
        project, options.out, weights, options.threads, pool, val[:_CHECKED], val[_CHECKED:]
    )
    before, useful, chance = [], [], []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        photos = random.Random(seed).sample(study.pool, _POOL)
        first, rest = photos[:_MASKS], photos[_MASKS:]
        before.append(_dices(study, f"{seed}-before", first, seed))
        chosen = _most_useful(study, f"{seed}-before", first, rest)
        useful.append(_dices(study, f"{seed}-useful", first + chosen, seed))
        chance.append(_dices(study, f"{seed}-chance", first + rest[:_MASKS], seed))
        print(
            f"seed {seed}: {np.mean(before[-1]):.4f} before, {np.mean(useful[-1]):.4f} useful, "
            f"{np.mean(chance[-1]):.4f} chance",
            file=sys.stderr,
            flush=True,
        )
    _draw(options.out / "triage.png", before, useful, chance)
    return report(_rows(np.array(before), np.array(useful), np.array(chance)), options.json)


def _dices(study: Study, name: str, train: Sequence[str], seed: int) -> list[float]:
    """Dice of each photo that is scored, by a network trained on these."""
    done = study.out / name / "dice.json"
    if not done.exists():
        project = project_of(study.project.folder, study.out / name, train, study.checked)
        changes = {
            "start": Start.IMAGENET,
            "weights": study.weights,
            "threads": study.threads,
            "join": False,  # all other photos have masks too, and are not to train
            "score_border": _RULE,
        }
        plan = Plan(tuple(train), tuple(study.checked))
        trained(project, plan, project.runs / "run", "quick", seed, changes)
        predictor = _predictor(study, name)
        files.write_json(done, {n: _dice(study.project, n, predictor) for n in study.scored})
    dices = files.read_json(done)
    return [float(dices[n]) for n in study.scored]


def _dice(project: Project, name: str, predictor: Predictor) -> float:
    prediction = _predict(project, name, predictor)
    truth = project.read_mask(name, prediction.size)
    assert truth is not None
    ruled = apply_border_rule(truth, project.settings.scheme, _RULE)
    counts = confusion(ruled, prediction.mask(PET, _RULE), len(PET.classes))
    return score(counts[None]).dice


def _most_useful(study: Study, name: str, first: list[str], rest: list[str]) -> list[str]:
    """The masks that a person who presses M again and again would draw."""
    done = study.out / name / "useful.json"
    if not done.exists():
        predictor = _predictor(study, name)
        looks: dict[str, Look] = {}
        unsure: dict[str, float | None] = {}
        for photo in first + rest:
            prediction = _predict(study.project, photo, predictor)
            pixels = read_thumbnail(study.project.image_path(photo), _THUMBNAIL)
            objects = cells(np.round(prediction.probability_of(1, PET, _RULE) * 255))
            looks[photo] = look_of(pixels, objects.astype(np.uint8))
            unsure[photo] = prediction.uncertainty
        chosen: list[str] = []
        for _ in range(_MASKS):
            left = {n: unsure[n] for n in rest if n not in chosen}
            choice = next_useful(left, first + chosen, looks.__getitem__)
            assert choice is not None
            chosen.append(choice.name)
        files.write_json(done, chosen)
    return list(files.read_json(done))


def _predictor(study: Study, name: str) -> Predictor:
    return Predictor(study.out / name / "runs" / "run" / RUN_MODEL, study.threads)


def _predict(project: Project, name: str, predictor: Predictor) -> Prediction:
    return predictor.predict(project.read_image(name).pixels)


def _rows(before: np.ndarray, useful: np.ndarray, chance: np.ndarray) -> list[Row]:
    """Figures of the Dice of seeds x photos."""
    rows = []
    for title, dices in (("20 masks", before), ("20 more, useful", useful), ("chance", chance)):
        by_seed = dices.mean(axis=1)
        rows += [
            Row(f"{title}: val Dice, mean", float(by_seed.mean()), ""),
            Row(f"{title}: val Dice, lowest seed", float(by_seed.min()), ""),
            Row(f"{title}: val Dice, highest seed", float(by_seed.max()), ""),
        ]
    difference = useful - chance
    seeds = difference.mean(axis=1).tolist()
    half = _T95[len(seeds)] * stdev(seeds) / len(seeds) ** 0.5
    draws = np.random.default_rng(0).integers(
        difference.shape[1], size=(_RESAMPLES, difference.shape[1])
    )
    low, high = np.percentile(difference.mean(axis=0)[draws].mean(axis=1), [2.5, 97.5])
    return [
        *rows,
        Row("useful - chance, mean", mean(seeds), ""),
        Row("useful - chance, 95 % over seeds, low", mean(seeds) - half, ""),
        Row("useful - chance, 95 % over seeds, high", mean(seeds) + half, ""),
        Row("useful - chance, 95 % over photos, low", float(low), ""),
        Row("useful - chance, 95 % over photos, high", float(high), ""),
        Row("seeds where useful is better", sum(d > 0 for d in seeds), ""),
    ]


def _draw(
    path: Path,
    before: Sequence[Sequence[float]],
    useful: Sequence[Sequence[float]],
    chance: Sequence[Sequence[float]],
) -> None:
    masks = [float(_MASKS), float(2 * _MASKS)]
    curves = [
        Curve(title, masks, [[mean(dices) for dices in each] for each in (before, after)])
        for title, after in (("20 more by next most useful", useful), ("20 by chance", chance))
    ]
    title = f"{_SCORED} validation photos, {len(before)} seeds (mean, lowest, highest)"
    plot(path, title, "Masks that train", "Val Dice", curves)


if __name__ == "__main__":
    sys.exit(main())
