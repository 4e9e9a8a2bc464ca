"""What an evaluation says, as ``evaluation.json`` and ``petseg evaluate --json`` keep it.

The conventions of all figures are written down in docs/decisions/0019-figures.md.
"""

from __future__ import annotations

import heapq
import json
import re
from abc import ABC
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    computed_field,
    model_validator,
)

from core.errors import BadInput
from core.files import writing
from core.labels import MAX_CLASSES, BorderRule

FORMAT: Final = 1
FILE_NAME = "evaluation.json"
WORST = 24
_MOST_BYTES = 256 * 2**20
_ROWS = re.compile(r'"rows":\s*\[')
_TO_NEXT = re.compile(r"[\s,]*(?=\{)")

Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[float, Field(ge=0)]
"""A distance in pixels of the image's own size."""
Count = Annotated[int, Field(ge=0, le=2**53)]
Interval = tuple[float, float]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class _Overlaps(_Record):
    iou: Share
    dice: Share
    precision: Share
    recall: Share
    pixel_accuracy: Share
    boundary_iou: Share


class _Figures(_Overlaps):
    hd95: Pixels
    surface_distance: Pixels


class Border(_Record):
    """How a class's border was met in one image.

    shared, either: pixels of the Boundary IoU's numerator and denominator; hd95, distance: of the
    two outlines; the image's diagonal where only one of the two holds the class.
    """

    class_id: Count
    shared: Count
    either: Count
    hd95: Pixels
    distance: Pixels


class ImageScores(_Figures):
    """One image, at its own size.

    truth_share, predicted_share: of the labelled pixels, those that are no background;
    uncertainty: the model's mean entropy, None of a folder of masks; groups: grouping -> group;
    cells: (truth, predicted, pixels) of the confusion matrix, those with any pixel.
    """

    image: str
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    truth_share: Share
    predicted_share: Share
    uncertainty: Share | None = None
    groups: dict[str, str] = {}
    cells: list[tuple[Count, Count, Count]]
    borders: list[Border] = []


class LazyRows(Sequence[ImageScores], ABC):
    """Rows that are read from the disk when they are asked for, and were checked before."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


def _as_they_are(value: Any, check: ValidatorFunctionWrapHandler) -> Sequence[ImageScores]:
    return value if isinstance(value, LazyRows) else check(value)


class PerImage(_Figures):
    """Means over images."""


class OverDataSet(_Overlaps):
    """The same of all pixels together; distances have no such sum."""


class Intervals(_Record):
    """95 % intervals of a summary's figures, by their names; empty of a single image."""

    per_image: dict[str, Interval] = {}
    dataset: dict[str, Interval] = {}


class Floor(_Record):
    """Per-image means of saying class 1 (the object) of every pixel."""

    iou: Share
    dice: Share


class Summary(_Record):
    """The figures of some images. one_empty: in so many of them only one of truth and prediction
    holds any object."""

    images: Count
    per_image: PerImage
    dataset: OverDataSet
    intervals: Intervals
    floor: Floor
    one_empty: Count = 0


class ClassScores(_Record):
    """One class over the data set; None where neither truth nor predictions hold it.

    images: in whose truth it is; pixels: of the truth. image_iou, hd95, surface_distance: means
    over the images whose truth or prediction holds it; the border's are None of the background.
    """

    id: Count
    name: str
    colour: tuple[int, int, int]
    images: Count
    pixels: Count
    iou: Share | None
    dice: Share | None
    precision: Share | None
    recall: Share | None
    image_iou: Share | None
    boundary_iou: Share | None
    hd95: Pixels | None
    surface_distance: Pixels | None


class Bin(_Record):
    """Pixels whose probability lies in low to high: its mean, and how often it was so."""

    low: Share
    high: Share
    pixels: Count
    probability: Share | None
    frequency: Share | None


class Calibration(_Record):
    """Whether probabilities can be taken at their word.

    of: "object" (two classes: P(object) against the share of object pixels) or "answer" (more:
    the said class's probability against the share of right pixels); ece: the expected
    calibration error.
    """

    of: Literal["object", "answer"]
    bins: list[Bin]
    ece: Share


class ThresholdPoint(_Record):
    """What saying "object" from this probability on would score; all but iou over the data set."""

    threshold: Share
    iou: Share
    dataset_iou: Share
    precision: Share
    recall: Share


class Skipped(_Record):
    """An image that could not be scored."""

    image: str
    reason: str


class Source(_Record):
    """Whose masks were scored: a model's, or those in a folder (then id is empty)."""

    kind: Literal["model", "predictions"]
    title: str
    id: str = ""
    flip: bool = False


class Evaluation(Summary):
    """All that the report and the window show.

    folder: its name; made: ISO 8601, UTC; threshold: of P(object), None where no model of two
    classes was asked; extras: files in a predictions folder that belong to no image; groupings:
    "folder", "species", "breed" -> group -> its figures; grouping: the one in ``groups``;
    seen: the model may have learnt from these very masks;
    thresholds: empty, and calibration None, where there are no probabilities.
    """

    format: Literal[1] = FORMAT
    made: str
    folder: str
    subset: str
    border: BorderRule
    threshold: Share | None
    source: Source
    skipped: list[Skipped] = []
    extras: list[str] = []
    seen: bool = False
    per_class: Annotated[list[ClassScores], Field(max_length=MAX_CLASSES)]
    grouping: str = ""
    groupings: dict[str, dict[str, Summary]] = {}
    calibration: Calibration | None = None
    thresholds: list[ThresholdPoint] = []
    resamples: Count
    seed: Count
    rows: Annotated[Sequence[ImageScores], Field(min_length=1), WrapValidator(_as_they_are)]

    @model_validator(mode="after")
    def _classes_are_known(self) -> Evaluation:
        known = len(self.per_class)
        if isinstance(self.rows, LazyRows):
            return self
        for row in self.rows:
            used = [value for cell in row.cells for value in cell[:2]]
            if max([*used, *(b.class_id for b in row.borders)], default=0) >= known:
                raise ValueError(f"{row.image} has classes that there are not")
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def classes(self) -> dict[str, float | None]:
        """Each class's IoU over the data set."""
        return {c.name: c.iou for c in self.per_class}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def groups(self) -> dict[str, Summary]:
        """The groups of the chosen grouping."""
        return self.groupings.get(self.grouping, {})

    @property
    def worst(self) -> list[ImageScores]:
        """The 24 images with the lowest IoU, the lowest first."""
        return worst_of(self.rows, WORST)

    @property
    def best_threshold(self) -> ThresholdPoint | None:
        """Where the per-image IoU is highest: of equals the one nearest to 0.5."""
        if not self.thresholds:
            return None
        return max(self.thresholds, key=lambda p: (p.iou, -abs(p.threshold - 0.5)))


def badness(row: ImageScores) -> tuple[float, float, str]:
    """Sorts the worst image first."""
    return row.iou, row.boundary_iou, row.image


def worst_of(rows: Sequence[ImageScores], number: int) -> list[ImageScores]:
    """So many of the rows, the worst first."""
    return heapq.nsmallest(number, rows, key=badness)


def read_evaluation(path: Path) -> Evaluation:
    """Raises BadInput: not there, too large, damaged, of a newer format."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{path} is larger than {_MOST_BYTES // 2**20} MB: no evaluation.")
        return Evaluation.model_validate(_parse(path.read_text("utf-8")))
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror or error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        why = f"{place}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        why = f"{error}"
    raise BadInput(f"{path} is no evaluation of this PetSeg ({why}).")


def _parse(text: str) -> Any:
    """The JSON of an evaluation; its rows, where there are any, as ImageScores.

    One row after the other: all at once would hold the GIL, and a window's thread with it, for
    0.2 s of 7,000 images. Raises ValueError, RecursionError.
    """
    begin = _ROWS.search(text)
    if begin is None:
        return json.loads(text)
    decoder, rows, at = json.JSONDecoder(), [], begin.end()
    while gap := _TO_NEXT.match(text, at):
        row, at = decoder.raw_decode(text, gap.end())
        rows.append(ImageScores.model_validate(row))
    rest = json.loads(text[: begin.end()] + text[at:])
    return rest | {"rows": rows} if isinstance(rest, dict) else rest


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Row by row: they may not fit into memory. Raises WriteError."""
    rest = evaluation.model_dump_json(indent=1, exclude={"rows"})
    with writing(path) as file:
        file.write(f'{rest.removesuffix("}").rstrip()},\n "rows": ['.encode())
        for number, row in enumerate(evaluation.rows):
            file.write(f"{',' if number else ''}\n  {row.model_dump_json()}".encode())
        file.write(b"\n ]\n}\n")
