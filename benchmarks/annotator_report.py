"""What ``benchmarks.annotator`` tells of the masks that were made: figures, tables, plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.plots import Curve, plot
from benchmarks.report import Row, print_table
from core.evaluation.bootstrap import draws, interval

GOALS = (0.90, 0.95)
_SLOW_CORNER = 0.8  # seconds more a corner: what people take who were timed


@dataclass(frozen=True)
class Course:
    """How one mask was made. steps: (seconds, IoU) at the first look and after each action."""

    image: str
    group: str
    steps: list[tuple[float, float]]
    strokes: int
    commands: int
    corners: int

    @property
    def seconds(self) -> float:
        """All of them."""
        return self.steps[-1][0]

    def __str__(self) -> str:
        before, after = self.steps[0][1], self.steps[-1][1]
        return f"{self.image} {before:.3f} > {after:.3f}, {self.seconds:.1f} s"


@dataclass(frozen=True)
class Round:
    """Ten photos, and what was learnt then. model: what segments next; learnt: in words."""

    courses: list[Course]
    model: str
    took_over: bool
    learnt: str


@dataclass(frozen=True)
class Arm:
    """All that was done in one way. title: for people."""

    title: str
    rounds: list[Round]

    @property
    def courses(self) -> list[Course]:
        """All masks in order."""
        return [course for each in self.rounds for course in each.courses]


class Progress:
    """An arm's mean IoU by the seconds that each photo is given at most.

    iou, spent: float64, limits x photos: the IoU after all actions that were done by then, and
    the seconds of the last of them. The look at the photo is always there.
    """

    def __init__(self, courses: Sequence[Course]) -> None:
        self.limits = np.array(sorted({time for course in courses for time, _ in course.steps}))
        self.iou = np.empty((len(self.limits), len(courses)))
        self.spent = np.empty_like(self.iou)
        for column, course in enumerate(courses):
            times, ious = np.array(course.steps).T
            last = np.maximum(np.searchsorted(times, self.limits, side="right") - 1, 0)
            self.iou[:, column], self.spent[:, column] = ious[last], times[last]

    def seconds_to(self, goal: float, weights: np.ndarray) -> np.ndarray:
        """Mean seconds a photo under the least limit at which the mean IoU is that high.

        weights: draws x photos, how often each photo counts. float64, one a draw; inf: never.
        """
        total = weights.sum(axis=1)
        reached = weights @ self.iou.T / total[:, None] >= goal
        first = reached.argmax(axis=1)
        seconds = (weights * self.spent[first]).sum(axis=1) / total
        return np.where(reached.any(axis=1), seconds, np.inf)

    def once(self, goal: float) -> float:
        """``seconds_to`` with each photo counted once."""
        return float(self.seconds_to(goal, np.ones((1, self.iou.shape[1])))[0])


def share(arm: Arm, other: Arm, goal: float) -> tuple[float, float, float]:
    """An arm's seconds to a mean IoU as a share of another's, with the 95 % interval.

    Over photos (bootstrap, the same draws for both): what was learnt is taken as given.
    """
    own, base = Progress(arm.courses), Progress(other.courses)
    drawn = [
        own.seconds_to(goal, weights) / base.seconds_to(goal, weights)
        for weights in draws(len(own.iou[0]))
    ]
    return own.once(goal) / base.once(goal), *interval(np.concatenate(drawn))


def rows(arms: Sequence[Arm]) -> list[Row]:
    """Every figure of every arm."""
    found = []
    for arm in arms:
        courses, progress = arm.courses, Progress(arm.courses)
        found += [
            Row(f"{arm.title}: photos", len(courses), ""),
            Row(f"{arm.title}: seconds a photo", _seconds(courses), "s"),
            Row(f"{arm.title}: IoU before", _before(courses), ""),
            Row(f"{arm.title}: IoU of the masks made", _after(courses), ""),
        ]
        found += [Row(f"{arm.title}: to IoU {g:.2f}", progress.once(g), "s") for g in GOALS]
        for kind in ("strokes", "commands", "corners"):
            value = float(np.mean([getattr(course, kind) for course in courses]))
            found.append(Row(f"{arm.title}: {kind} a photo", value, ""))
        for group in sorted({course.group for course in courses} - {""}):
            own = [course for course in courses if course.group == group]
            found.append(Row(f"{arm.title}: {group} ({len(own)})", _seconds(own), "s"))
        for number, each in enumerate(arm.rounds, 1):
            name = f"{arm.title}: round {number}"
            found.append(Row(f"{name}: seconds a photo", _seconds(each.courses), "s"))
            found.append(Row(f"{name}: IoU before", _before(each.courses), ""))
            found.append(Row(f"{name}: IoU of the masks made", _after(each.courses), ""))
            found.append(Row(f"{name}: its model took over", float(each.took_over), ""))
    return found


def print_tables(arms: Sequence[Arm], brush: Arm, polygons: Arm) -> None:
    """For people: the arms, then what became of them every ten photos."""
    table = []
    for arm in arms:
        courses, progress = arm.courses, Progress(arm.courses)
        table.append(
            [
                arm.title,
                f"{_before(courses):.3f}",
                *(f"{progress.once(goal):.2f} s" for goal in GOALS),
                *(f"{progress.once(GOALS[-1]) / Progress(o.courses).once(GOALS[-1]):.0%}"
                  for o in (brush, polygons)),
                f"{_seconds(courses):.2f} s",
                *(f"{_seconds(courses) / _seconds(o.courses):.0%}" for o in (brush, polygons)),
                f"{_after(courses):.3f}",
            ]
        )  # fmt: skip
    goals = [f"to {goal:.2f}" for goal in GOALS]
    header = ["arm", "IoU before", *goals, "of brush", "of polygons"]
    print_table([*header, "all", "of brush", "of polygons", "IoU after"], table)
    print()
    numbers = [str(number) for number in range(1, len(brush.rounds) + 1)]
    print_table(
        ["seconds a photo, IoU before > after, by tens", *numbers],
        [[arm.title, *map(_round_words, arm.rounds)] for arm in arms],
    )
    for arm in arms:
        for number, each in enumerate(arm.rounds, 1):
            if each.learnt:
                verdict = "took over" if each.took_over else "did not take over"
                print(f"{arm.title}, after round {number}: {each.learnt} It {verdict}.")
    slow = _seconds(polygons.courses) + _SLOW_CORNER * np.mean(
        [course.corners for course in polygons.courses]
    )
    print(f"{polygons.title}, a corner {_SLOW_CORNER} s slower: {slow:.2f} s a photo")


def plots(folder: Path, arms: Sequence[Arm]) -> None:
    """annotator.png: IoU against seconds; annotator-rounds.png: seconds every ten photos."""
    photos = len(arms[0].courses)
    longest = 1.2 * max(Progress(arm.courses).once(GOALS[-1]) for arm in arms)
    curves = []
    for arm in arms:
        progress = Progress(arm.courses)
        seen = np.flatnonzero(progress.limits <= longest)[:: max(1, len(progress.limits) // 60)]
        curves.append(
            Curve(
                arm.title,
                x=progress.spent[seen].mean(axis=1).tolist(),
                y=[[iou] for iou in progress.iou[seen].mean(axis=1).tolist()],
            )
        )
    title = f"{photos} photos, a simulated annotator"
    plot(folder / "annotator.png", title, "Seconds a photo", "Mean IoU", curves)
    by_rounds = [
        Curve(
            arm.title,
            x=[10.0 * number for number in range(1, len(arm.rounds) + 1)],
            y=[[_seconds(each.courses)] for each in arm.rounds],
        )
        for arm in arms
    ]
    plot(
        folder / "annotator-rounds.png",
        f"{title}, a training after every ten",
        "Photos masked",
        "Seconds a photo",
        by_rounds,
    )


def _round_words(each: Round) -> str:
    before, after = _before(each.courses), _after(each.courses)
    return f"{_seconds(each.courses):.2f} s, {before:.3f} > {after:.3f}"


def _seconds(courses: Sequence[Course]) -> float:
    return float(np.mean([course.seconds for course in courses]))


def _before(courses: Sequence[Course]) -> float:
    return float(np.mean([course.steps[0][1] for course in courses]))


def _after(courses: Sequence[Course]) -> float:
    return float(np.mean([course.steps[-1][1] for course in courses]))
