"""project.json: what holds for the whole folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import BadInput
from core.files import read_json, write_json
from core.inference.options import MOST_PIXELS, MOST_TILES, PredictOptions
from core.labels import BACKGROUND, MAX_CLASSES, PET, VOID, BorderRule, LabelClass, LabelScheme
from core.masks import MaskEncoding

FORMAT = 1
UNLABELLED = "unlabelled"
FAST_MODEL = "fast"
UNPAINTED = ("background", UNLABELLED)


@dataclass(frozen=True)
class ProjectSettings:
    """The contents of project.json.

    train_share: 0 to 1; unpainted: what pixels mean that nobody painted; model: the one that
    segments, a path relative to the project's store, "" for the default one that comes with PetSeg,
    FAST_MODEL for the fast one; learn: whether the window trains by itself while a person
    corrects; prediction: how images are segmented.
    """

    scheme: LabelScheme = PET
    border_rule: BorderRule = BorderRule.FOREGROUND
    mask_encoding: MaskEncoding = MaskEncoding.IDS
    train_share: float = 0.8
    unpainted: str = "background"
    model: str = ""
    learn: bool = False
    prediction: PredictOptions = field(default_factory=PredictOptions)

    def __post_init__(self) -> None:
        if not 0 < self.train_share < 1:
            raise ValueError(f"train_share lies between 0 and 1, not at {self.train_share}")
        if self.unpainted not in UNPAINTED:
            raise ValueError(f"unpainted is one of {', '.join(UNPAINTED)}")

    @property
    def unpainted_id(self) -> int:
        """What a pixel of a new mask holds: BACKGROUND, or VOID where that means unlabelled."""
        return VOID if self.unpainted == UNLABELLED else BACKGROUND


def read_settings(path: Path) -> ProjectSettings:
    """Raises BadInput: damaged, or of a newer format."""
    raw = read_json(path)
    try:
        version = int(raw["format"])
        if version > FORMAT:
            raise BadInput(
                f"{path} was written by a newer PetSeg (format {version}; this one reads "
                f"{FORMAT}). Update PetSeg to open this folder."
            )
        return _parse(raw)
    except KeyError as error:
        raise BadInput(f"{path} is damaged ({error.args[0]} is missing).") from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadInput(f"{path} is damaged ({error}).") from error


def write_settings(path: Path, settings: ProjectSettings) -> None:
    """Raises WriteError."""
    write_json(path, {"format": FORMAT} | asdict(settings))


def _parse(raw: dict[str, Any]) -> ProjectSettings:
    # By hand, not by pydantic: its import alone would cost half of the window's start.
    scheme = raw["scheme"]
    return ProjectSettings(
        scheme=LabelScheme(str(scheme["name"]), tuple(map(_class, scheme["classes"]))),
        border_rule=BorderRule(raw["border_rule"]),
        mask_encoding=MaskEncoding(raw["mask_encoding"]),
        train_share=float(raw["train_share"]),
        unpainted=str(raw["unpainted"]),
        model=str(raw["model"]),
        learn=raw.get("learn", False) is True,
        prediction=_prediction(raw.get("prediction", {})),  # older files have none
    )


def _prediction(raw: dict[str, Any]) -> PredictOptions:
    """What is missing is as usual. Raises ValueError, TypeError."""
    usual = PredictOptions()
    classes = raw.get("classes")
    if classes is not None:
        classes = tuple(sorted({_whole(c, MAX_CLASSES - 1) for c in classes}))
    return PredictOptions(
        threshold=float(raw.get("threshold", usual.threshold)),
        flip=raw.get("flip", usual.flip) is True,
        tiles=_whole(raw.get("tiles", usual.tiles), MOST_TILES),
        classes=classes,
        fill_holes=_whole(raw.get("fill_holes", usual.fill_holes), MOST_PIXELS),
        remove_islands=_whole(raw.get("remove_islands", usual.remove_islands), MOST_PIXELS),
        keep_largest=raw.get("keep_largest", usual.keep_largest) is True,
    )


def _whole(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:  # True would pass as 1
        raise ValueError(f"{value!r} is no whole number from 0 to {most}")
    return value


def _class(raw: dict[str, Any]) -> LabelClass:
    red, green, blue = raw["colour"]
    key = str(raw.get("key", ""))  # project.json of before there were keys has none
    return LabelClass(int(raw["id"]), str(raw["name"]), (int(red), int(green), int(blue)), key)
