"""project.json: what holds for the whole folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import BadInput
from core.files import read_json, write_json
from core.labels import BACKGROUND, PET, VOID, BorderRule, LabelClass, LabelScheme
from core.masks import MaskEncoding

FORMAT = 1
UNLABELLED = "unlabelled"
UNPAINTED = ("background", UNLABELLED)


@dataclass(frozen=True)
class ProjectSettings:
    """The contents of project.json.

    train_share: 0 to 1; unpainted: what pixels mean that nobody painted; model: the one that
    segments, a path relative to the project's store, "" for the bundled one; learn: whether the
    window trains by itself while a person corrects.
    """

    scheme: LabelScheme = PET
    border_rule: BorderRule = BorderRule.FOREGROUND
    mask_encoding: MaskEncoding = MaskEncoding.IDS
    train_share: float = 0.8
    unpainted: str = "background"
    model: str = ""
    learn: bool = False

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
    )


def _class(raw: dict[str, Any]) -> LabelClass:
    red, green, blue = raw["colour"]
    key = str(raw.get("key", ""))  # project.json of before there were keys has none
    return LabelClass(int(raw["id"]), str(raw["name"]), (int(red), int(green), int(blue)), key)
