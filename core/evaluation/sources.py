"""Whose masks are scored: a model's, or those in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from core import masks
from core.errors import BadInput
from core.evaluation.metrics import bands
from core.evaluation.result import Source
from core.inference.options import PredictOptions
from core.inference.prediction import Prediction, mask_rule, to_bytes
from core.inference.predictor import Predictor
from core.labels import BorderRule, LabelScheme, apply_border_rule, listed, scheme_under
from core.masks import MaskEncoding
from core.project.layout import mask_files, mask_names
from core.project.project import Project


@dataclass(frozen=True)
class Answer:
    """What is said of one image.

    mask: uint8, height x width, in the classes that are scored. level: uint8, height x width, 0
    to 255 for 0 to 1: P(object) where two classes are scored, else the said class's probability;
    None where nobody knows. uncertainty: 0 to 1.
    """

    mask: np.ndarray
    level: np.ndarray | None = None
    uncertainty: float | None = None


class Answers(Protocol):
    """about: who answers; digest: another one where the answers may differ, "" of files;
    threshold: of P(object), None where there is none; extras: files that are nobody's answer."""

    about: Source
    digest: str
    threshold: float | None
    extras: list[str]

    def answer(self, name: str, pixels: np.ndarray) -> Answer:
        """Raises BadInput."""
        ...

    def file(self, name: str) -> Path | None:
        """The file that holds the answer, if one does."""
        ...


class ModelAnswers:
    """A model segments the images. A pickle of it loads the model anew."""

    def __init__(
        self,
        scheme: LabelScheme,
        path: Path,
        rule: BorderRule,
        flip: bool = False,
        threshold: float = 0.5,
        threads: int = 0,
    ) -> None:
        """scheme: the project's; threads: as ``Predictor``'s.

        Raises BadInput: other classes than the project's, no border class where one is scored;
        ModelFileError: damaged.
        """
        self._made_of = scheme, path, rule, flip, threshold, threads
        predictor = Predictor(path, threads)
        known = predictor.description.scheme
        if rule is BorderRule.CLASS and scheme.border_id is not None and known.border_id is None:
            raise BadInput("This model knows no border class: choose another border rule.")
        self._wanted = scheme_under(scheme, rule)
        mask_rule(known, self._wanted, rule)  # refuse other classes now, not image by image
        self._predictor, self._rule, self._flip = predictor, rule, flip
        self._options = PredictOptions(threshold=threshold)
        description = predictor.description
        self.about = Source(kind="model", title=description.name, id=description.id, flip=flip)
        self.digest = f"{description.onnx_sha256} {description.temperature:g}"
        self.threshold = threshold if len(self._wanted.classes) == 2 else None
        self.extras: list[str] = []

    def answer(self, _name: str, pixels: np.ndarray) -> Answer:
        prediction = self._predictor.predict(pixels, self._flip)
        mask = prediction.mask(self._wanted, self._rule, self._options)
        level = _levels(prediction, mask, self._wanted, self._rule)
        return Answer(mask, level, prediction.uncertainty)

    def file(self, _name: str) -> Path | None:
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return ModelAnswers, self._made_of


class FileAnswers:
    """The masks of a folder, by the names that ``petseg predict`` gives them, as class ids."""

    def __init__(self, project: Project, folder: Path, rule: BorderRule) -> None:
        """Raises BadInput: no folder, not one image of the project has a mask there."""
        if not folder.is_dir():
            raise BadInput(f"{folder} is no folder of predicted masks.")
        self._folder, self._rule, self._scheme = folder, rule, project.settings.scheme
        self._written = mask_names(project.names)
        expected = set(self._written.values())
        there = [p.relative_to(folder).as_posix() for p in mask_files(folder).values()]
        if not expected.intersection(there):
            raise BadInput(_nothing_fits(folder, next(iter(self._written.values())), there))
        self.about = Source(kind="predictions", title=folder.resolve().name)
        self.digest = ""
        self.threshold: float | None = None
        self.extras = sorted(set(there) - expected)

    def file(self, name: str) -> Path:
        return self._folder / self._written[name]

    def answer(self, name: str, pixels: np.ndarray) -> Answer:
        path = self.file(name)
        if not path.is_file():
            raise BadInput(f"there is no prediction {self._written[name]}")
        size = (pixels.shape[1], pixels.shape[0])
        mask = masks.read_mask(path, MaskEncoding.IDS, self._scheme, size)
        return Answer(apply_border_rule(mask, self._scheme, self._rule))


def answers_of(
    project: Project,
    rule: BorderRule,
    *,
    model: Path | None = None,
    predictions: Path | None = None,
    flip: bool = False,
    threshold: float | None = None,
    threads: int = 0,
) -> Answers:
    """Those of a model, or of a folder of masks. threshold: 0.5 unless told; threads: 0 for all.

    Raises BadInput: both or neither of the two, options that a folder does not have, and what
    ``ModelAnswers`` and ``FileAnswers`` raise.
    """
    if predictions is None and model is not None:
        from_on = 0.5 if threshold is None else threshold
        scheme = project.settings.scheme
        return ModelAnswers(scheme, model, rule, flip, from_on, threads)
    if predictions is None or model is not None:
        raise BadInput("Give either a model or a folder of predictions, not both.")
    if flip or threshold is not None:
        raise BadInput("Masks that are made already have no --flip and no --threshold.")
    return FileAnswers(project, predictions, rule)


def _levels(
    prediction: Prediction, mask: np.ndarray, wanted: LabelScheme, rule: BorderRule
) -> np.ndarray:
    """``Answer.level`` of a model, class by class: all at once would be gigabytes of 100 MP."""

    def level_of(value: int) -> np.ndarray:
        small = prediction.probability_of(value, wanted, rule)
        wide = cv2.resize(small, prediction.size, interpolation=cv2.INTER_LINEAR)
        steps = np.empty(wide.shape, np.uint8)
        for rows in bands(wide.shape):
            steps[rows] = to_bytes(wide[rows])
        return steps

    if len(wanted.classes) == 2:
        return level_of(1)
    level = np.zeros(mask.shape, np.uint8)
    for label in wanted.classes:
        said = mask == label.id
        if said.any():
            level[said] = level_of(label.id)[said]
    return level


def _nothing_fits(folder: Path, example: str, there: list[str]) -> str:
    """Why no image has a prediction, and where they may lie."""
    expected = f"No image has a prediction in {folder}: one would be {folder / example}."
    nested = sorted(
        {name.removesuffix(example).rstrip("/") for name in there if name.endswith("/" + example)}
    )
    if nested:
        return f"{expected} There is one in {listed(folder / n for n in nested)}: give that folder."
    if not there:
        return f"{expected} There are no mask files in it."
    return f"{expected} It holds {listed(sorted(there))}."
