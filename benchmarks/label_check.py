"""Do the masks that were spoiled on purpose come first in the review queue?

``python -m benchmarks.label_check DATA --out DIR [--weights FILE] [--part choose|report]
[--seed N] [--json FILE]``. DATA: Oxford-IIIT Pet. 400 of its photos with their masks (pet and
border against background) are copied to DIR, 60 masks are spoiled: 20 shifted, 10 grown and 10
shrunk, 10 taken from another photo and 10 with pet and background swapped; kinds, amounts and
photos are drawn by a seed. Then the program's own check runs on them: four networks of the preset
quick from ImageNet weights (the bundled model knows these photos), each judging the masks it never
saw. DIR is gone on with: networks that are done are only read.

The first 60 of the queue hold so many of the 60: precision and recall are equal there by
construction. Beside it: chance, the plain disagreement 1 - Dice of mask and prediction, and the
published softmin of Lad & Mueller (2023). Masks that the data set's makers got wrong count as
false alarms.

The part ``choose`` does the same with 240 other photos, 36 of them spoiled: by it the score and its
limits were chosen. Another seed spoils other masks of the same photos.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import cv2
import numpy as np

from benchmarks.plots import Curve, plot
from benchmarks.report import Row, json_argument, report
from core import files
from core.inference.predictor import Predictor
from core.label_check.findings import read_findings
from core.label_check.plan import (
    check_config,
    last_check,
    make_check,
    plan_check,
    read_plan,
)
from core.label_check.work import Pace, compared, judge_fold, train_fold
from core.labels import PET, BorderRule, apply_border_rule
from core.masks import write_mask
from core.project.project import Project, open_project
from core.project.reviews import Status
from core.project.split import position
from core.training.config import Start

Score = Callable[[np.ndarray, np.ndarray], float]
"""(mask uint8 h x w, probabilities float32 C x h x w) -> the more, the more suspicious."""


@dataclass(frozen=True)
class Part:
    """So many photos from this one on, in the order of a hash; of them so many are spoiled."""

    first: int
    photos: int
    spoiled: int


_PARTS = {"report": Part(0, 400, 60), "choose": Part(400, 240, 36)}
_KINDS = ("shifted", "shifted", "shrunk", "grown", "another's", "swapped")  # as many of each
_SHIFT = (0.08, 0.25)  # of the longer side
_BORDER = (0.02, 0.06)  # of the longer side
_TEMPERATURE = 0.1


def main() -> int:
    """Spoil, check, count; the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="for photos, networks, results")
    parser.add_argument("--weights", default="", help="ImageNet weights, instead of a download")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--part", choices=list(_PARTS), default="report")
    parser.add_argument("--seed", type=int, default=0, help="draws what is spoiled, and how")
    options = parser.parse_args()
    part, out = _PARTS[options.part], options.out / f"{options.part}-{options.seed}"
    spoiled = _photos(options.data, out, part, options.seed)
    project = open_project(out / "photos")
    weights = str(Path(options.weights).resolve()) if options.weights else ""
    scores = _scores(project, weights, options.threads)
    _plot(out / "recall.png", scores, spoiled, part)
    return report(_rows(scores, spoiled, part), options.json)


def _photos(data: Path, out: Path, part: Part, seed: int) -> dict[str, str]:
    """Copy the photos and write their masks; which of them are spoiled, and how."""
    kept = out / "spoiled.json"
    if kept.exists():
        return {str(n): str(kind["kind"]) for n, kind in files.read_json(kept).items()}
    source = open_project(data, out / "source")
    names = sorted(source.named([Status.APPROVED]), key=position)
    chosen = names[part.first : part.first + part.photos]
    rng = random.Random(seed)
    victims = rng.sample(chosen, part.spoiled)
    kinds = {n: _KINDS[i % len(_KINDS)] for i, n in enumerate(victims)}
    told: dict[str, dict[str, object]] = {}
    for name in chosen:
        target = out / "photos" / "images" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.image_path(name), target)
        mask = _mask(source, name)
        if name in kinds:
            other = _mask(source, rng.choice([n for n in chosen if n != name]))
            mask, amount = _spoil(mask, kinds[name], other, rng)
            told[name] = {"kind": kinds[name], "amount": amount}
        write_mask(out / "photos" / "masks" / Path(name).with_suffix(".png"), mask, PET)
    files.write_json(kept, told)
    return dict(kinds)


def _mask(project: Project, name: str) -> np.ndarray:
    mask = project.read_mask(name)
    assert mask is not None
    return apply_border_rule(mask, project.settings.scheme, BorderRule.FOREGROUND)


def _spoil(
    mask: np.ndarray, kind: str, other: np.ndarray, rng: random.Random
) -> tuple[np.ndarray, float]:
    """A mask (uint8 of 0 and 1) made wrong; by how much, as a share of the longer side."""
    longest = max(mask.shape)
    if kind == "swapped":
        return 1 - mask, 0.0
    if kind == "another's":
        size = (mask.shape[1], mask.shape[0])
        return cv2.resize(other, size, interpolation=cv2.INTER_NEAREST), 0.0
    if kind == "shifted":
        share, angle = rng.uniform(*_SHIFT), rng.uniform(0, 2 * np.pi)
        move = np.array([[1, 0, np.cos(angle)], [0, 1, np.sin(angle)]], np.float64)
        move[:, 2] *= share * longest
        size = (mask.shape[1], mask.shape[0])
        return cv2.warpAffine(mask, move, size, flags=cv2.INTER_NEAREST), share
    share = rng.uniform(*_BORDER)
    width = max(1, round(share * longest))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    change = cv2.dilate if kind == "grown" else cv2.erode
    return change(mask, kernel), share


def _scores(project: Project, weights: str, threads: int) -> dict[str, dict[str, float]]:
    """Way to score -> image -> score, by the networks that never saw the image's mask."""
    changes = {"start": Start.IMAGENET, "weights": weights, "threads": threads}
    check = last_check(project)
    if check is None:
        check = make_check(project, plan_check(project, check_config(project, changes)))
    plan = read_plan(check)
    pace = Pace.of(plan, lambda done, total, text: None)
    scores: dict[str, dict[str, float]] = {name: {} for name in _WAYS}
    for number in range(plan.folds):
        print(f"network {number + 1} of {plan.folds}", file=sys.stderr, flush=True)
        model = train_fold(check, plan, project, number, pace)
        judge_fold(check, plan, project, number, pace)
        predictor = Predictor(model, threads)
        for image in plan.fold(number):
            mask = project.read_mask(image)
            assert mask is not None
            prediction = predictor.predict(project.read_image(image).pixels, flip=True)
            small, said = compared(project, plan, mask, prediction)
            for name, way in _WAYS.items():
                scores[name][image] = way(small, said)
    return {"queue": {f.image: f.score for f in read_findings(check)}} | scores


def _one_minus_dice(mask: np.ndarray, said: np.ndarray) -> float:
    mine, theirs = mask == 1, said.argmax(0) == 1
    total = int(mine.sum() + theirs.sum())
    return 1 - 2 * int((mine & theirs).sum()) / total if total else 0.0


def _softmin(mask: np.ndarray, said: np.ndarray) -> float:
    """1 - the soft minimum of the given class's probability (Lad & Mueller 2023, arXiv
    2307.05080, temperature 0.1)."""
    given = np.take_along_axis(said, mask[None].astype(np.intp), 0)[0].astype(np.float64)
    weights = np.exp((1 - given) / _TEMPERATURE)
    return float(1 - (given * weights).sum() / weights.sum())


def _rows(
    scores: Mapping[str, Mapping[str, float]], spoiled: Mapping[str, str], part: Part
) -> list[Row]:
    rows = [
        Row("masks", part.photos, ""),
        Row("spoiled", len(spoiled), ""),
        Row(f"chance: precision at {part.spoiled}", part.spoiled / part.photos, ""),
    ]
    for name, of in scores.items():
        queue = _queue(of)
        for first in (part.spoiled // 2, part.spoiled, part.spoiled * 2):
            hits = sum(image in spoiled for image in queue[:first])
            rows.append(Row(f"{name}: precision at {first}", hits / first, ""))
            rows.append(Row(f"{name}: recall at {first}", hits / len(spoiled), ""))
        rows.append(Row(f"{name}: average precision", _average_precision(queue, spoiled), ""))
        for kind in dict.fromkeys(_KINDS):
            own = [image for image, what in spoiled.items() if what == kind]
            found = mean(image in queue[: part.spoiled] for image in own)
            rows.append(Row(f"{name}: {kind}, recall at {part.spoiled}", found, ""))
    return rows


def _plot(
    path: Path,
    scores: Mapping[str, Mapping[str, float]],
    spoiled: Mapping[str, str],
    part: Part,
) -> None:
    curves = []
    for name, of in scores.items():
        hits = np.cumsum([image in spoiled for image in _queue(of)]) / len(spoiled)
        curves.append(Curve(name, list(range(1, len(hits) + 1)), [[float(v)] for v in hits]))
    title = f"{len(spoiled)} of {part.photos} masks are spoiled"
    plot(path, title, "Masks looked at, the most suspicious first", "Share of them found", curves)


def _queue(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda image: (-scores[image], image))


def _average_precision(queue: list[str], spoiled: Mapping[str, str]) -> float:
    places = [i for i, image in enumerate(queue, 1) if image in spoiled]
    return mean(found / place for found, place in enumerate(places, 1))


_WAYS: dict[str, Score] = {"1 - Dice": _one_minus_dice, "softmin": _softmin}


if __name__ == "__main__":
    sys.exit(main())
