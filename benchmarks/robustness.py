"""How a model holds up on what real folders contain.

``python -m benchmarks.robustness DATA [--model FILE] [--photos N] [--threads N] [--json FILE]``.
DATA: Oxford-IIIT Pet. Photos of its validation subset, as many cats as dogs as far as there are,
drawn with seed 0; each is shown under each condition (``benchmarks.conditions``) and scored against
its truth, changed alike: per-image IoU at the picture's own size, border = pet, no flip, threshold
0.5. Intervals are 95 %, bootstrap over photos; the change against the plain photo is paired.

Apart from those: pictures without any pet (the largest such rectangle of each photo, of 96 px each
way at least), of which is told how much is called pet; photos turned by each of EXIF's eight tags,
which must give the very mask of the upright photo; the drawn demo; and original files of the data
set in DATA/../oxford-iiit-pet-originals, if there are any, of which none may fail. (Some have an
empty trimap, an error of the data set: they are segmented, not scored. The model may have learnt
from the others.)
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.conditions import CONDITIONS, UPRIGHT, Picture, tagged, without_pets
from benchmarks.report import Row, json_argument, print_table, report
from core.demo import MASKED, draw_demo
from core.errors import PetSegError
from core.evaluation.bootstrap import draws, interval
from core.evaluation.evaluate import pair_of, read_pair
from core.evaluation.groups import group_of
from core.evaluation.metrics import confusion, overlaps, tallies
from core.inference.bundled import bundled_model
from core.inference.predictor import Predictor
from core.labels import PET, BorderRule, apply_border_rule
from core.project.project import Project, open_project
from core.project.reviews import Status
from core.project.split import Subset

_RULE = BorderRule.FOREGROUND
_SEED = 0
_MUCH = 0.01  # of a picture without any pet: called pet, a person has to correct it
_GROUPS = ("cats", "dogs")
_ORIGINALS = "oxford-iiit-pet-originals"

Predict = Callable[[np.ndarray], np.ndarray]
"""pixels (uint8 RGB, height x width x 3) -> mask (uint8, height x width, 1 the pet)."""


@dataclass(frozen=True, eq=False)
class Photo(Picture):
    """A photo of the data set as it is."""

    name: str
    group: str


@dataclass(frozen=True)
class Mean:
    """A mean over pictures, and its 95 % interval; NaN where there is none."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return "" if np.isnan(self.value) else f"{self.value:z.3f}"

    @property
    def interval(self) -> str:
        return "" if np.isnan(self.low) else f"{self.low:z.3f} to {self.high:z.3f}"


@dataclass(frozen=True)
class Line:
    """A condition's figures. change: against the same photos as they are."""

    name: str
    pictures: int
    iou: Mean
    groups: tuple[Mean, ...]
    change: Mean

    @property
    def cells(self) -> list[str]:
        """As people read it."""
        iou, change, groups = self.iou, self.change, map(str, self.groups)
        return [
            *(self.name, str(self.pictures), str(iou), iou.interval),
            *groups,
            *(str(change), change.interval),
        ]

    @property
    def rows(self) -> list[Row]:
        """For the JSON file."""
        means = {"IoU": self.iou, "change": self.change}
        means |= {f"IoU of {g}": mean for g, mean in zip(_GROUPS, self.groups, strict=True)}
        figures = {"pictures": float(self.pictures)}
        for name, mean in means.items():
            figures |= {name: mean.value, f"{name}, from": mean.low, f"{name}, to": mean.high}
        return [Row(f"{self.name}: {n}", v, "") for n, v in figures.items() if not np.isnan(v)]


def main() -> int:
    """Score, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=bundled_model())
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    predictor = Predictor(options.model, options.threads)

    def predict(pixels: np.ndarray) -> np.ndarray:
        return predictor.predict(pixels).mask(PET, _RULE)

    with tempfile.TemporaryDirectory() as store:
        photos = drawn_photos(open_project(options.data, Path(store)), options.photos)
    lines = [*_conditions(photos, predict), _demo(predict)]
    originals, failed = _originals(options.data.resolve().parent / _ORIGINALS, predict)
    lines += originals
    header = ["condition", "pictures", "IoU", "95 %", *_GROUPS, "change", "95 %"]
    print_table(header, (line.cells for line in lines))
    print()
    rows = [*_empty(photos, predict), _exif(photos, predict), *failed]
    return report(rows, options.json, told=[row for line in lines for row in line.rows])


def drawn_photos(project: Project, count: int) -> list[Photo]:
    """``count`` photos of the validation subset, in a drawn order; half of them of either group,
    or as many as it has."""
    split = project.split(project.named([Status.APPROVED]))
    val = sorted(name for name, subset in split.items() if subset is Subset.VAL)
    random.Random(_SEED).shuffle(val)
    by_group = {g: [n for n in val if group_of(project, n) == g] for g in _GROUPS}
    least = min(len(names) for names in by_group.values())
    half = min(count // 2, least)
    chosen = {n for g in _GROUPS for n in by_group[g][:half]}
    chosen |= set([n for n in val if n not in chosen][: count - len(chosen)])
    return [_photo(project, name) for name in val if name in chosen]


def _photo(project: Project, name: str) -> Photo:
    pixels, mask = read_pair(pair_of(project, name), project.settings.scheme)
    truth = apply_border_rule(mask, project.settings.scheme, _RULE)
    return Photo(pixels, truth, name, group_of(project, name))


def _conditions(photos: Sequence[Photo], predict: Predict) -> list[Line]:
    groups = [photo.group for photo in photos]
    lines: list[Line] = []
    plain: list[float] = []
    for name, condition in CONDITIONS.items():
        print(name, file=sys.stderr, flush=True)
        ious = []
        for i, photo in enumerate(photos):
            drawn = np.random.default_rng([_SEED, i])
            ious.append(iou(condition(photo, _next_of_group(photos, i), drawn), predict))
        lines.append(line_of(name, ious, groups, plain))
        plain = plain or ious
    return lines


def _next_of_group(photos: Sequence[Photo], index: int) -> list[Photo]:
    """The next three of the same group; the first follow on the last."""
    group = photos[index].group
    order = [*photos[index + 1 :], *photos[: index + 1]]
    same = [photo for photo in order if photo.group == group]
    return (same * 3)[:3]


def iou(picture: Picture, predict: Predict) -> float:
    """The pet's IoU at the picture's own size; 1 where there is none and none is said."""
    counts = confusion(picture.truth, predict(picture.pixels), len(PET.classes))
    return float(overlaps(tallies(counts)).iou)


def line_of(
    name: str, ious: Sequence[float], groups: Sequence[str], plain: Sequence[float] = ()
) -> Line:
    """ious: one a picture; plain: those of the same photos as they are."""
    values = np.array(ious)
    apart = (values[[g == group for g in groups]] for group in _GROUPS)
    change = values - np.array(plain) if plain else values[:0]
    return Line(name, len(ious), mean_of(values), tuple(map(mean_of, apart)), mean_of(change))


def mean_of(values: np.ndarray) -> Mean:
    """values: float64, one a picture."""
    count = len(values)
    if count < 2:
        return Mean(float(values[0]) if count else np.nan, np.nan, np.nan)
    drawn = np.concatenate([weights @ values / count for weights in draws(count)])
    return Mean(float(values.mean()), *interval(drawn))


def _demo(predict: Predict) -> Line:
    """The masked drawings of the demo that the program ships."""
    print("drawings", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for _ in draw_demo(Path(folder), images=MASKED):
            pass
        project = open_project(Path(folder))
        ious = [iou(_photo(project, name), predict) for name in project.names]
    return line_of("drawings of the demo", ious, [""] * len(ious))


def _originals(data: Path, predict: Predict) -> tuple[list[Line], list[Row]]:
    """The files as their makers published them; nothing where the folder is missing."""
    if not data.is_dir():
        print(f"no original files: {data} is missing", file=sys.stderr, flush=True)
        return [], []
    ious, groups, failed = [], [], 0
    with tempfile.TemporaryDirectory() as store:
        project = open_project(data, Path(store))
        for name in project.names:
            try:
                photo = _photo(project, name)
                scored = iou(photo, predict)
            except PetSegError as error:
                print(f"{name}: {error}", file=sys.stderr, flush=True)
                failed += 1
                continue
            if (photo.truth == 1).any():
                ious.append(scored)
                groups.append(photo.group)
    lines = [line_of("original files", ious, groups)] if ious else []
    return lines, [Row(f"original files that failed, of {len(project.names)}", failed, "", 0)]


def _empty(photos: Sequence[Photo], predict: Predict) -> list[Row]:
    """How much is called pet where there is none."""
    print("no pet", file=sys.stderr, flush=True)
    pictures = [p for photo in photos if (p := without_pets(photo)) is not None]
    if not pictures:
        return []
    shares = np.array([predict(p.pixels).mean() for p in pictures])
    return [
        Row("pictures without a pet", len(pictures), ""),
        Row("no pet: called pet, mean", 100 * float(shares.mean()), "%"),
        Row("no pet: called pet, median", 100 * float(np.median(shares)), "%"),
        Row("no pet: pictures with more than 1 %", 100 * float((shares > _MUCH).mean()), "%"),
    ]


def _exif(photos: Sequence[Photo], predict: Predict) -> Row:
    """How many masks are not those of the upright photo."""
    print("EXIF", file=sys.stderr, flush=True)
    different = 0
    for photo in photos:
        for orientation in UPRIGHT:
            read, upright = tagged(photo.pixels, orientation)
            same = read.shape == upright.shape and (predict(read) == predict(upright)).all()
            different += not same
    return Row(f"EXIF: other masks, of {len(photos) * len(UPRIGHT)}", different, "", 0)


if __name__ == "__main__":
    sys.exit(main())
