"""Scoring one image: its figures, what its probabilities come to, its picture."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any
from zlib import compress, decompressobj

import numpy as np

from core.errors import BadInput
from core.evaluation.calibration import LEVELS, histogram
from core.evaluation.evaluate import Pair, read_pair, require_same_size
from core.evaluation.metrics import accuracies, confusion, overlaps, tallies
from core.evaluation.pictures import Worst, picture_of
from core.evaluation.result import Border, ImageScores
from core.evaluation.sources import Answer, Answers
from core.evaluation.surface import match_borders
from core.labels import BorderRule, LabelScheme, apply_border_rule, scheme_under

_TOO_LARGE = "too large for this machine's memory"
_COUNT = np.dtype("<u4")


@dataclass(frozen=True)
class Found:
    """What is known of one image.

    levels: int64, 2 x 256, as ``histogram``; None of an answer without probabilities. picture: a
    JPEG, of those that were among the worst when they came.
    """

    row: ImageScores
    levels: np.ndarray | None
    picture: bytes | None

    def as_json(self) -> dict[str, Any]:
        """What ``found_in`` reads."""
        levels = None
        if self.levels is not None:
            levels = b64encode(compress(self.levels.astype(_COUNT).tobytes())).decode()
        picture = None if self.picture is None else b64encode(self.picture).decode()
        return {
            "row": self.row.model_dump(mode="json", exclude={"groups"}),
            "levels": levels,
            "picture": picture,
        }


def found_in(raw: dict[str, Any]) -> Found:
    """Raises ValueError, TypeError, KeyError, zlib.error where it is none."""
    levels = picture = None
    if raw["levels"] is not None:
        size = 2 * LEVELS * _COUNT.itemsize
        data = decompressobj().decompress(b64decode(raw["levels"]), size)
        levels = np.frombuffer(data, _COUNT).reshape(2, LEVELS).astype(np.int64)
    if raw["picture"] is not None:
        picture = b64decode(raw["picture"])
    return Found(ImageScores.model_validate(raw["row"]), levels, picture)


class Scorer:
    """Scores images one after the other, at their own size."""

    def __init__(self, scheme: LabelScheme, rule: BorderRule, answers: Answers) -> None:
        """scheme: the masks', before ``rule`` is applied to its border."""
        self._scheme, self._rule, self._answers = scheme, rule, answers
        self._worst = Worst()

    def __call__(self, pair: Pair) -> Found | str:
        """An image's figures, or the reason why it has none."""
        try:
            return self._score(pair)
        except BadInput as error:
            return str(error)
        except MemoryError:
            return _TOO_LARGE

    def stop(self) -> None:
        """Nothing is written here: who does not want to wait may end the process."""

    def _score(self, pair: Pair) -> Found:
        pixels, truth = read_pair(pair, self._scheme)
        truth = apply_border_rule(truth, self._scheme, self._rule)
        classes = len(scheme_under(self._scheme, self._rule).classes)
        if not (truth < classes).any():
            raise BadInput("nothing in its mask is labelled")
        answer = self._answers.answer(pair.name, pixels)
        require_same_size(answer.mask, truth)
        row = score_image(readable(pair.name), truth, answer, classes)
        levels = picture = None
        if answer.level is not None:
            true = truth == (1 if classes == 2 else answer.mask)
            levels = histogram(answer.level, true, truth < classes)
        if self._worst.takes(row):
            picture = picture_of(pixels, truth, answer.mask)
        return Found(row, levels, picture)


def score_image(name: str, truth: np.ndarray, answer: Answer, classes: int) -> ImageScores:
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
        cells=[(int(t), int(s), int(counts[t, s])) for t, s in np.argwhere(counts)],
        borders=borders,
    )


def readable(name: str) -> str:
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
