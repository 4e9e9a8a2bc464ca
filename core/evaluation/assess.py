"""All figures of a model, or of a folder of masks, against a project's approved masks.

Images are scored one by one; what is found of each goes into a ledger, and all figures are made of
what stands there: whoever wrote it, and whenever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np

from core.batch.ledger import Index, Ledger
from core.batch.pool import in_processes, in_threads
from core.batch.shares import ALONE, Share
from core.child import Tell
from core.errors import BadInput
from core.evaluation.bootstrap import RESAMPLES, SEED
from core.evaluation.calibration import (
    LEVELS,
    THRESHOLDS,
    calibrate,
    threshold_curve,
    threshold_ious,
)
from core.evaluation.columns import Columns, empty_columns, put_row
from core.evaluation.evaluate import NOTHING_SCORED, Pair, pair_of
from core.evaluation.groups import groups_of
from core.evaluation.result import (
    WORST,
    Calibration,
    Evaluation,
    Skipped,
    Summary,
    ThresholdPoint,
)
from core.evaluation.rows import StoredRows, read_found
from core.evaluation.scoring import Scorer, readable
from core.evaluation.seen import has_seen
from core.evaluation.sources import Answers
from core.evaluation.summary import class_scores, summarise
from core.files import file_stamp
from core.labels import BorderRule, scheme_under
from core.project.project import Project
from core.project.reviews import Status

_CHANGED = "its files changed meanwhile: evaluate once more"


@dataclass(frozen=True)
class Assessment:
    """An evaluation, and the pictures of its worst images: name -> JPEG."""

    evaluation: Evaluation
    pictures: dict[str, bytes]


@dataclass(frozen=True)
class Task:
    """What is scored: images of a project against what is said of them."""

    project: Project
    names: Sequence[str]
    answers: Answers
    subset: str
    rule: BorderRule


def names_to_score(
    project: Project, subset: str, alive: Callable[[], None] = lambda: None
) -> list[str]:
    """The images with an approved mask in a subset (train, val, test, all).

    alive: is called before each photo that is compared with the others first, for the split.
    Raises BadInput where there is none.
    """
    names = project.named([Status.APPROVED])
    split = {} if subset == "all" else project.split(names, alive)
    chosen = [n for n in names if subset == split.get(n, "all")]
    if not chosen:
        raise BadInput(
            f"{project.folder} has no approved mask in the subset {subset}"
            + (" (--subset all takes every one)." if names else ": there is nothing to score with.")
        )
    return chosen


def assess(
    project: Project,
    names: Sequence[str],
    answers: Answers,
    subset: str,
    rule: BorderRule,
    tell: Tell = lambda _done, _total, _words: None,
) -> Assessment:
    """Score images one by one, at their own size; a bad file is skipped with its reason.

    Raises BadInput where no image could be scored.
    """
    task = Task(project, names, answers, subset, rule)
    ledger = Ledger()
    score(task, ledger, tell)
    tell(len(names), len(names), "intervals")
    return conclude(task, ledger)


def score(
    task: Task,
    ledger: Ledger,
    tell: Tell = lambda _done, _total, _words: None,
    share: Share = ALONE,
    workers: int = 1,
) -> int:
    """Score those of a share's images that the ledger does not hold; returns how many it held.

    Raises WriteError, WorkerDied.
    """
    index = ledger.look()
    left = [n for n in task.names if share.holds(n) and not index.settled(_key(task, n))]
    before = sum(map(share.holds, task.names)) - len(left)
    workers = max(1, min(workers, len(left)))
    alone = workers == 1
    keys: dict[str, str] = {}

    def pairs() -> Iterator[Pair]:
        for number, name in enumerate(left):
            if alone:
                tell(number, len(left), readable(name))
            keys[name] = _key(task, name)
            yield pair_of(task.project, name)

    make = partial(Scorer, task.project.settings.scheme, task.rule, task.answers)
    results = in_threads(make(), pairs(), 1) if alone else in_processes(make, pairs(), workers)
    with closing(results):
        for done, (pair, found) in enumerate(results, 1):
            key = keys.pop(pair.name)
            if isinstance(found, str):
                ledger.append(key, {"skipped": readable(found)}, settled=False)
            else:
                ledger.append(key, found.as_json())
            if not alone:
                tell(done, len(left), readable(pair.name))
    tell(len(left), len(left), "")
    ledger.flush()
    return before


def count_left(task: Task, ledger: Ledger) -> int:
    """Images that nobody has looked at yet."""
    index = ledger.look()
    return sum(index.find(_key(task, name)) is None for name in task.names)


def conclude(task: Task, ledger: Ledger) -> Assessment:
    """The figures of all images that a ledger holds; the others count as skipped.

    Raises BadInput where there is none.
    """
    project, names, rule = task.project, task.names, task.rule
    scheme = scheme_under(project.settings.scheme, rule)
    gathered = _gather(task, ledger, len(scheme.classes))
    skipped, columns = gathered.skipped, gathered.columns
    if not len(columns):
        reasons = "".join(f" {s.image}: {s.reason}." for s in skipped[:1])
        raise BadInput(NOTHING_SCORED + reasons)
    groupings = groups_of(project, names)
    scored = [names[i] for i in gathered.numbers]
    rows = StoredRows(ledger, gathered.places, scored, groupings)
    answers = task.answers
    evaluation = Evaluation(
        **dict(summarise(columns)),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        folder=readable(project.folder.name),
        subset=task.subset,
        border=rule,
        threshold=answers.threshold,
        source=answers.about,
        skipped=skipped,
        extras=[readable(name) for name in answers.extras],
        seen=has_seen(project, answers.about.id),
        per_class=class_scores(columns, scheme),
        grouping=next(iter(groupings), ""),
        groupings={g.value: _summaries(columns, scored, of) for g, of in groupings.items()},
        calibration=gathered.chances.calibration(),
        thresholds=gathered.chances.curve(),
        resamples=RESAMPLES,
        seed=SEED,
        rows=rows,
    )
    return Assessment(evaluation, _pictures(task, rows.worst(WORST)))


def _pictures(task: Task, worst: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """The pictures of the worst images, the worst first; those that are not there are drawn."""
    scorer = Scorer(task.project.settings.scheme, task.rule, task.answers)
    pictures = {}
    for name, picture in worst.items():
        if picture is None:
            again = scorer(pair_of(task.project, name))
            picture = None if isinstance(again, str) else again.picture
        if picture is not None:
            pictures[readable(name)] = picture
    return pictures


@dataclass(frozen=True)
class _Gathered:
    """What a ledger holds of a task. numbers, places: int64, one a scored image: which of the
    names it is, and where its row is."""

    numbers: np.ndarray
    places: np.ndarray
    columns: Columns
    chances: _Chances
    skipped: list[Skipped]


def _gather(task: Task, ledger: Ledger, classes: int) -> _Gathered:
    index = ledger.look()
    columns, chances = empty_columns(len(task.names), classes), _Chances(classes)
    numbers, places = (np.zeros(len(task.names), np.int64) for _ in range(2))
    skipped: list[Skipped] = []
    count = 0
    for number, name in enumerate(task.names):
        reason = _reason(index, ledger, _key(task, name))
        if isinstance(reason, str):
            skipped.append(Skipped(image=readable(name), reason=reason))
            continue
        found = read_found(ledger, reason, name)
        numbers[count], places[count] = number, reason
        put_row(columns, count, found.row)
        chances.add(found.levels)
        count += 1
    return _Gathered(numbers[:count], places[:count], columns[:count], chances, skipped)


def _reason(index: Index, ledger: Ledger, key: str) -> int | str:
    """The place of an image's row, or why it has none."""
    place = index.find(key)
    if place is None:
        return _CHANGED
    return place if index.settled(key) else str(ledger.read(place).get("skipped"))


def _key(task: Task, name: str) -> str:
    """Under which an image's row is noted: another one where any of its files changes."""
    files = task.project.image_path(name), task.project.mask_source(name), task.answers.file(name)
    return "\n".join([name, *(str(file and file_stamp(file)) for file in files)])


def _summaries(
    columns: Columns, names: Sequence[str], group_of: Mapping[str, str]
) -> dict[str, Summary]:
    """Group -> its figures, in the order of their names."""
    members: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        members.setdefault(readable(group_of[name]), []).append(i)
    return {group: summarise(columns[np.array(members[group])]) for group in sorted(members)}


class _Chances:
    """What the probabilities of all images come to."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._images = 0
        self._counts = np.zeros((2, LEVELS), np.int64)
        self._ious = np.zeros(len(THRESHOLDS))

    def add(self, levels: np.ndarray | None) -> None:
        """levels: int64, 2 x 256; an answer without probabilities adds nothing."""
        if levels is None:
            return
        self._images += 1
        self._counts += levels
        self._ious += threshold_ious(levels)

    def calibration(self) -> Calibration | None:
        if not self._images:
            return None
        return calibrate(self._counts, "object" if self._classes == 2 else "answer")

    def curve(self) -> list[ThresholdPoint]:
        """Empty where there are more than two classes: then no threshold decides."""
        if not self._images or self._classes > 2:
            return []
        return threshold_curve(self._ious / self._images, self._counts)
