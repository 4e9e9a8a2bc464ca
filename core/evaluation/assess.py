"""All figures of a model, or of a folder of masks, against a project's approved masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from core.child import Tell
from core.errors import BadInput
from core.evaluation.bootstrap import RESAMPLES, SEED
from core.evaluation.calibration import (
    LEVELS,
    THRESHOLDS,
    calibrate,
    histogram,
    threshold_curve,
    threshold_ious,
)
from core.evaluation.evaluate import NOTHING_SCORED, read_pair, require_same_size
from core.evaluation.groups import Grouping, groups_of
from core.evaluation.metrics import accuracies, confusion, overlaps, tallies
from core.evaluation.pictures import Gallery
from core.evaluation.result import (
    Border,
    Calibration,
    Evaluation,
    ImageScores,
    Skipped,
    Summary,
    ThresholdPoint,
)
from core.evaluation.seen import has_seen
from core.evaluation.sources import Answer, Answers
from core.evaluation.summary import class_scores, summarise
from core.evaluation.surface import match_borders
from core.labels import BorderRule, apply_border_rule, scheme_under
from core.project.project import Project
from core.project.reviews import Status

_TOO_LARGE = "too large for this machine's memory"


@dataclass(frozen=True)
class Assessment:
    """An evaluation, and the pictures of its worst images: name -> JPEG."""

    evaluation: Evaluation
    pictures: dict[str, bytes]


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
    scheme = scheme_under(project.settings.scheme, rule)
    classes = len(scheme.classes)
    groupings = groups_of(project, names)
    rows: list[ImageScores] = []
    skipped: list[Skipped] = []
    gallery = Gallery()
    chances = _Chances(classes)
    for done, name in enumerate(names):
        shown = _readable(name)
        tell(done, len(names), shown)
        try:
            pixels, truth = read_pair(project, name)
            truth = apply_border_rule(truth, project.settings.scheme, rule)
            if not (truth < classes).any():
                raise BadInput("nothing in its mask is labelled")
            answer = answers.answer(name, pixels)
            require_same_size(answer.mask, truth)
            groups = {grouping.value: _readable(of[name]) for grouping, of in groupings.items()}
            row = score_image(shown, truth, answer, classes, groups)
        except BadInput as error:
            skipped.append(Skipped(image=shown, reason=_readable(str(error))))
            continue
        except MemoryError:
            skipped.append(Skipped(image=shown, reason=_TOO_LARGE))
            continue
        rows.append(row)
        chances.add(truth, answer)
        gallery.offer(row, pixels, truth, answer.mask)
    if not rows:
        reasons = "".join(f" {s.image}: {s.reason}." for s in skipped[:1])
        raise BadInput(NOTHING_SCORED + reasons)
    tell(len(names), len(names), "intervals")
    return Assessment(
        Evaluation(
            **dict(summarise(rows, classes)),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            folder=_readable(project.folder.name),
            subset=subset,
            border=rule,
            threshold=answers.threshold,
            source=answers.about,
            skipped=skipped,
            extras=[_readable(name) for name in answers.extras],
            seen=has_seen(project, answers.about.id),
            per_class=class_scores(rows, scheme),
            grouping=next(iter(groupings), ""),
            groupings={g.value: _summaries(rows, g, classes) for g in groupings},
            calibration=chances.calibration(),
            thresholds=chances.curve(),
            resamples=RESAMPLES,
            seed=SEED,
            rows=rows,
        ),
        gallery.pictures,
    )


def score_image(
    name: str, truth: np.ndarray, answer: Answer, classes: int, groups: dict[str, str]
) -> ImageScores:
    """One image's figures. truth: uint8, height x width, with a labelled pixel."""
    counts = confusion(truth, answer.mask, classes)
    tally = tallies(counts)
    overlap = overlaps(tally)
    borders = _borders(truth, answer.mask, classes)
    ious = [b.shared / b.either for b in borders]
    objects = tally[1:, 1:].sum(1) / tally[1].sum()
    return ImageScores(
        image=name,
        width=truth.shape[1],
        height=truth.shape[0],
        iou=float(overlap.iou),
        dice=float(overlap.dice),
        precision=float(overlap.precision),
        recall=float(overlap.recall),
        pixel_accuracy=float(accuracies(tally)),
        # Nobody has any object: as with IoU there is nothing wrong.
        boundary_iou=float(np.mean(ious)) if ious else 1.0,
        hd95=float(np.mean([b.hd95 for b in borders])) if borders else 0.0,
        surface_distance=float(np.mean([b.distance for b in borders])) if borders else 0.0,
        truth_share=float(objects[0]),
        predicted_share=float(objects[1]),
        uncertainty=answer.uncertainty,
        groups=groups,
        cells=[(int(t), int(s), int(counts[t, s])) for t, s in np.argwhere(counts)],
        borders=borders,
    )


def _readable(name: str) -> str:
    """A file's name as text that can be written down, whatever bytes it has."""
    return name.encode("utf-8", "backslashreplace").decode()


def _borders(truth: np.ndarray, said: np.ndarray, classes: int) -> list[Border]:
    """Of all classes but the background, whose border is the others' and the image's edge."""
    labelled = truth < classes
    borders = []
    for value in range(1, classes):
        # Void is taken out of both: it is nobody's object.
        match = match_borders(truth == value, (said == value) & labelled)
        if match is not None:
            borders.append(
                Border(
                    class_id=value,
                    shared=match.shared,
                    either=match.either,
                    hd95=match.hd95,
                    distance=match.distance,
                )
            )
    return borders


def _summaries(rows: Sequence[ImageScores], grouping: Grouping, classes: int) -> dict[str, Summary]:
    """Group -> its figures, in the order of their names."""
    members: dict[str, list[ImageScores]] = {}
    for row in rows:
        members.setdefault(row.groups[grouping.value], []).append(row)
    return {group: summarise(members[group], classes) for group in sorted(members)}


class _Chances:
    """What the probabilities of all images come to."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._images = 0
        self._counts = np.zeros((2, LEVELS), np.int64)
        self._ious = np.zeros(len(THRESHOLDS))

    def add(self, truth: np.ndarray, answer: Answer) -> None:
        """truth: uint8, height x width; an answer without probabilities adds nothing."""
        if answer.level is None:
            return
        true = truth == (1 if self._classes == 2 else answer.mask)
        counts = histogram(answer.level, true, truth < self._classes)
        self._images += 1
        self._counts += counts
        self._ious += threshold_ious(counts)

    def calibration(self) -> Calibration | None:
        if not self._images:
            return None
        return calibrate(self._counts, "object" if self._classes == 2 else "answer")

    def curve(self) -> list[ThresholdPoint]:
        """Empty where there are more than two classes: then no threshold decides."""
        if not self._images or self._classes > 2:
            return []
        return threshold_curve(self._ious / self._images, self._counts)
