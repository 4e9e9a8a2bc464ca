"""What the loop is worth: a simulated annotator masks photos by the loop, by brush, by polygons.

``python -m benchmarks.annotator DATA --out DIR [--weights FILE] [--model FILE] [--photos N]
[--seed N] [--json FILE]``, DATA: Oxford-IIIT Pet. The photos are of DATA's val split, which the
default model did not learn from; the seed draws them and their order, the same for every arm:

- default: the loop from the default model (or another one, ``--model``),
- nothing: the loop without any model at first; its first training starts from random weights,
- imagenet: the same, but the first training starts from ImageNet's weights (with ``--weights``),
- brush: every mask by brush strokes alone,
- polygons: every mask by polygons alone.

In the loops a photo is segmented by the present model, and the mask corrected with the brush, with
GrabCut (in a box, or Refine edge) and clean-ups where these are quicker. After every 10 masks a
short training of the program's own learns from all of them, in a process of its own, and its model
takes over where the program says so. The annotator knows the truth; what a hand costs is told in
``annotator_hands``, how strokes are found in ``annotator_planner``. IoU is the pet's, a photo at a
time, at its own size, the trimap's border ignored.

What is in DIR already is only read; an arm that was interrupted goes on with its last ten photos.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter

from benchmarks.annotator_hands import JUDGE, Command, Outline, Stroke, all_seconds, paint
from benchmarks.annotator_planner import Offer, Truth, brush_strokes, cheapest, outlines
from benchmarks.annotator_report import Arm, Course, Round, plots, print_tables, rows, share
from benchmarks.annotator_tools import Look, offers
from benchmarks.learning_curves import run_to_end
from benchmarks.report import Row, json_argument, report
from benchmarks.smart_photos import TruePhoto, true_photos
from core import files
from core.editing.box import Box
from core.editing.probability import ProbabilityMap
from core.inference.bundled import bundled_model
from core.inference.closeup import look_closer
from core.inference.predictor import Predictor
from core.labels import PET
from core.modelfile import read_description
from core.project.project import Project, open_project
from core.project.reviews import Review, Status
from core.project.split import Subset
from core.training.config import Start
from core.training.launch import create_run
from core.training.learning import EVERY, create_learning_run, takes_over
from core.training.plan import plan_training
from core.training.presets import make_config

_PHOTOS = 60
_GOAL = 0.95
_WANTED = 0.4  # of the brush's seconds to the goal, from the default model
_ROUNDS = TypeAdapter(list[Round])

Hand = Literal["loop", "brush", "polygons"]


@dataclass(frozen=True)
class Way:
    """One way to make the masks. folder: its name in DIR; title: for people.

    model: what segments at first; first: how the first training of a loop without a model starts.
    """

    folder: str
    title: str
    hand: Hand = "loop"
    model: Path | None = None
    first: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """What all ways share. data: the whole data set; photos: those that are masked, in order."""

    data: Project
    photos: list[str]
    out: Path
    seed: int


def main() -> int:
    """Simulate what is missing, print, plot, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="for projects, runs and plots")
    parser.add_argument("--weights", type=Path, help="ImageNet weights: one arm more")
    parser.add_argument("--model", type=Path, default=bundled_model(), help="the default model")
    parser.add_argument("--photos", type=int, default=_PHOTOS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    out = options.out.resolve() / f"{options.photos}-{options.seed}"
    data = open_project(options.data, out / "data")
    study = Study(data, draw(data, out, options.photos, options.seed), out, options.seed)
    arms = [Arm(way.title, work(study, way)) for way in _ways(options.model, options.weights)]
    default, brush, polygons = arms[:3]
    print_tables(arms, brush, polygons)
    plots(out, arms)
    value, low, high = share(default, brush, _GOAL)
    name = f"default model: of the brush's seconds to {_GOAL}"
    verdicts = [
        Row(name, value, "", _WANTED),
        Row(f"{name}, low", low, ""),
        Row(f"{name}, high", high, ""),
    ]
    return report(verdicts, options.json, rows(arms))


def _ways(model: Path, weights: Path | None) -> list[Way]:
    known = read_description(model).id
    ways = [
        Way(f"default-{known}", "loop, default model", model=model.resolve()),
        Way("brush", "brush alone", "brush"),
        Way("polygons", "polygons alone", "polygons"),
        Way("nothing", "loop, from nothing", first={"start": Start.SCRATCH}),
    ]
    if weights is not None:
        imagenet = {"start": Start.IMAGENET, "weights": str(weights.resolve())}
        ways.append(Way("imagenet", "loop, ImageNet weights", first=imagenet))
    return ways


def draw(data: Project, out: Path, count: int, seed: int) -> list[str]:
    """Photos of the val split, in the order in which they are masked."""
    kept = out / "photos.json"
    if not kept.exists():
        split = data.split(data.names)
        val = sorted(name for name, subset in split.items() if subset is Subset.VAL)
        random.Random(seed).shuffle(val)
        with_pet = true_photos(data, val)
        files.write_json(kept, [photo.name for photo in islice(with_pet, count)])
    return [str(name) for name in files.read_json(kept)]


def work(study: Study, way: Way) -> list[Round]:
    """All rounds of a way; those that are done are only read."""
    kept = study.out / way.folder / "rounds.json"
    done = _ROUNDS.validate_json(kept.read_bytes()) if kept.exists() else []
    project = _project(study, way)
    model = Path(done[-1].model) if done and done[-1].model else way.model
    for first in range(len(done) * EVERY, len(study.photos), EVERY):
        predictor = Predictor(model) if model is not None else None
        courses = []
        for photo in true_photos(study.data, study.photos[first : first + EVERY]):
            courses.append(_masked(photo, way, predictor, project))
            _say(f"{way.folder}: {courses[-1]}")
        better, learnt = None, ""
        if way.hand == "loop" and first + EVERY < len(study.photos):
            better, learnt = _learn(study, way, project, model)
            _say(f"{way.folder}: {learnt}")
        model = better or model
        done.append(Round(courses, str(model or ""), better is not None, learnt))
        files.write_bytes(kept, _ROUNDS.dump_json(done, indent=1))
    return done


def _project(study: Study, way: Way) -> Project:
    """A folder of its own, opened: at first the photos alone."""
    folder = study.out / way.folder / "photos"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name in study.photos:
        if not (folder / "images" / name).exists():
            shutil.copyfile(study.data.image_path(name), folder / "images" / name)
    return open_project(folder)


def _masked(photo: TruePhoto, way: Way, predictor: Predictor | None, project: Project) -> Course:
    """One mask, made and approved."""
    rule = project.settings.border_rule
    if predictor is None:
        mask = np.zeros(photo.trimap.shape, np.uint8)
    else:
        mask = predictor.predict(photo.pixels).mask(PET, rule)

    def look(box: Box) -> ProbabilityMap | None:
        if predictor is None:
            return None
        return look_closer(predictor, photo.pixels, box, 1, PET, rule)

    course, mask = _corrected(photo, mask, way.hand, look)
    review = Review(
        photo.name,
        Status.APPROVED,
        model=predictor.description.id if predictor is not None else "",
        seconds=course.seconds,
        strokes=course.strokes,
        clicks=course.strokes + course.corners,
    )
    project.save_mask(photo.name, mask, review)
    return course


def _corrected(
    photo: TruePhoto, mask: np.ndarray, hand: Hand, look: Look
) -> tuple[Course, np.ndarray]:
    """A mask (uint8, height x width, not written) corrected, and how that went."""
    height, width = mask.shape
    truth, pointer = Truth(photo.truth), (width / 2, height / 2)
    taken = Offer((), mask)
    actions: Sequence[Stroke | Outline]
    if hand == "brush":
        actions = brush_strokes(mask, truth, pointer)
    elif hand == "polygons":
        actions = outlines(mask, truth)
    else:
        taken, actions = cheapest(mask, truth, list(offers(photo, mask, look)), pointer)
    states = [mask] * len(taken.actions) + [taken.mask]
    for action in actions:
        states.append(states[-1].copy())
        paint(states[-1], action)
    everything = [*taken.actions, *actions]
    times = np.cumsum([JUDGE, *all_seconds(everything, pointer, height)]).tolist()
    course = Course(
        photo.name,
        photo.group,
        [(time, photo.iou(state)) for time, state in zip(times, states, strict=True)],
        strokes=sum(not isinstance(a, Command | Outline) for a in everything),
        commands=sum(isinstance(a, Command) for a in everything),
        corners=sum(len(a.corners) + 1 for a in everything if isinstance(a, Outline)),
    )
    return course, states[-1]


def _learn(study: Study, way: Way, project: Project, model: Path | None) -> tuple[Path | None, str]:
    """Train on all masks so far: the model that takes over, if it does, and what to say."""
    plan = plan_training(project)
    if plan.problem:
        return None, plan.problem
    if model is not None:
        progress = run_to_end(create_learning_run(project, model, plan))
        judgement = takes_over(progress)
        return progress.model if judgement.better else None, judgement.text
    config = make_config("quick", seed=study.seed, **way.first)
    progress = run_to_end(create_run(project, config, plan))
    val = progress.finished.val if progress.finished is not None else None
    return progress.model, f"The first model. Val IoU {val.iou if val is not None else 0:.3f}."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
