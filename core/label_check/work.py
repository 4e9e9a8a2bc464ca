"""A check's course: train a network without each fold, and let it judge that fold's masks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import cv2
import numpy as np

from core.child import Tell
from core.errors import PetSegError
from core.images import ImageError
from core.inference.catalogue import RUN_MODEL
from core.inference.prediction import Prediction
from core.inference.predictor import Predictor
from core.label_check.findings import (
    Finding,
    add_finding,
    read_findings,
    save_model_mask,
    sentence,
)
from core.label_check.plan import CheckPlan, finish, fold_folder, make_fold, read_plan
from core.label_check.suspicion import suspicion_of
from core.labels import apply_border_rule, scheme_under
from core.masks import MaskError
from core.project.project import Project
from core.training.estimate import steps_per_epoch
from core.training.queue import busy
from core.training.reading import RunReader
from core.training.runs import State, read_run
from core.training.worker import work

_LOOK_SECONDS = 0.5
_JUDGE_SECONDS = 0.15  # of a photo, roughly: only the time left is told by it


def run_check(project: Project, check: Path, tell: Tell) -> None:
    """Do what is left of a project's check. Ended at any moment it goes on later where it was.

    Networks that are trained stay, one that was under way goes on from its last epoch; a mask is
    judged once. Raises PetSegError.
    """
    plan = read_plan(check)
    pace = Pace.of(plan, tell)
    for number in range(plan.folds):
        _wait_for_trainings(project.runs, pace)
        train_fold(check, plan, project, number, pace)
        judge_fold(check, plan, project, number, pace)
    finish(check)


def train_fold(check: Path, plan: CheckPlan, project: Project, number: int, pace: Pace) -> Path:
    """Train the network that never sees a fold, as far as it is not; its model's file.

    Raises PetSegError, with the reason why it failed.
    """
    run = make_fold(check, plan, project, number)
    if read_run(run).state is not State.DONE:
        with _telling(run, number, pace):
            work(run)
    info = read_run(run)
    if info.state is not State.DONE or info.model is None:
        raise PetSegError(info.problem or "A network of the check could not be trained.")
    pace.trained(number)
    return run / RUN_MODEL


def judge_fold(check: Path, plan: CheckPlan, project: Project, number: int, pace: Pace) -> None:
    """Let a fold's network judge the masks it never saw. Raises PetSegError."""
    known = {f.image for f in read_findings(check)}
    wanted = [n for n in plan.fold(number) if n not in known and project.mask_source(n)]
    if not wanted:
        return
    predictor = Predictor(fold_folder(check, number) / RUN_MODEL, plan.train.threads)
    for done, name in enumerate(wanted):
        pace.judging(number, len(known) + done)
        try:
            _judge(check, plan, project, name, predictor)
        except (ImageError, MaskError):
            continue  # it cannot train either, and the list of images says why


def compared(
    project: Project, plan: CheckPlan, mask: np.ndarray, prediction: Prediction
) -> tuple[np.ndarray, np.ndarray]:
    """A mask and a prediction side by side under the check's border rule.

    mask: uint8, height x width, the project's classes. Returns uint8 h x w and float32 C x h x w,
    at the model's resolution.
    """
    scheme = project.settings.scheme
    wanted = scheme_under(scheme, plan.rule)
    rows, columns = prediction.small.shape[1:]
    ruled = apply_border_rule(mask, scheme, plan.rule)
    small = cv2.resize(ruled, (columns, rows), interpolation=cv2.INTER_NEAREST_EXACT)
    said = [prediction.probability_of(c.id, wanted, plan.rule) for c in wanted.classes]
    return small, np.stack(said)


def _judge(check: Path, plan: CheckPlan, project: Project, name: str, predictor: Predictor) -> None:
    digest = project.mask_digest(name)
    pixels = project.read_image(name).pixels
    mask = project.read_mask(name, (pixels.shape[1], pixels.shape[0]))
    if mask is None:
        return
    prediction = predictor.predict(pixels, flip=True)
    found = suspicion_of(*compared(project, plan, mask, prediction))
    scheme = project.settings.scheme
    save_model_mask(check, project, name, prediction.mask(scheme, plan.rule))
    why = sentence(found, scheme)
    add_finding(check, Finding(name, digest, round(found.score, 6), why))


def _wait_for_trainings(runs: Path, pace: Pace) -> None:
    """A training of the person's own comes first."""
    while busy(runs) is not None:
        pace.waiting()
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _telling(run: Path, number: int, pace: Pace) -> Iterator[None]:
    """Tells how far the run is while it trains in this process."""
    over = Event()

    def follow() -> None:
        reader = RunReader(run)
        while not over.wait(_LOOK_SECONDS):
            reader.look()
            if reader.told.step is not None:
                pace.training(number, reader.told.step.step, reader.told.step.seconds_left)

    thread = Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass
class Pace:
    """How far a check is, in steps of training and masks that are judged, and how long it takes.

    steps: of one network; step_seconds: of one, once it is known.
    """

    tell: Tell
    folds: int
    steps: int
    masks: int
    step_seconds: float | None = None
    step: int = 0
    judged: int = 0

    @classmethod
    def of(cls, plan: CheckPlan, tell: Tell) -> Pace:
        trains = len(plan.masks) * (plan.folds - 1) // plan.folds
        steps = plan.train.epochs * steps_per_epoch(plan.train, trains)
        return cls(tell, plan.folds, steps, len(plan.masks))

    def waiting(self) -> None:
        self._say("Waiting for a training to end")

    def training(self, number: int, step: int, seconds_left: float) -> None:
        self.step = number * self.steps + min(step, self.steps)
        if step < self.steps:
            self.step_seconds = seconds_left / (self.steps - step)
        self._say(f"Training network {number + 1} of {self.folds}")

    def trained(self, number: int) -> None:
        self.step = (number + 1) * self.steps

    def judging(self, number: int, judged: int) -> None:
        self.judged = judged
        self._say(f"Network {number + 1} of {self.folds} judges masks")

    def _say(self, what: str) -> None:
        left = self.folds * self.steps - self.step
        text = what
        if self.step_seconds is not None or left == 0:
            seconds = left * (self.step_seconds or 0) + (self.masks - self.judged) * _JUDGE_SECONDS
            text += f", {_minutes(seconds)} left"
        self.tell(self.step + self.judged, self.folds * self.steps + self.masks, text)


def _minutes(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else "about a minute"
