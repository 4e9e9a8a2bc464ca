"""project.json: what holds for the whole folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from core.errors import BadInput
from core.files import read_json, write_json
from core.labels import PET, BorderRule, LabelScheme
from core.masks import MaskEncoding

FORMAT = 1


class ProjectSettings(BaseModel):
    """The contents of project.json."""

    format: int = FORMAT
    scheme: LabelScheme = PET
    border_rule: BorderRule = BorderRule.FOREGROUND
    mask_encoding: MaskEncoding = MaskEncoding.IDS
    train_share: float = Field(default=0.8, gt=0, lt=1)
    unpainted: str = Field(default="background", pattern="^(background|unlabelled)$")
    model: str = ""
    """The model that segments: a path relative to the project's store, "" for the bundled one."""


def read_settings(path: Path) -> ProjectSettings:
    """Raises BadInput: damaged, or of a newer format."""
    raw = read_json(path)
    if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
        raise BadInput(
            f"{path} was written by a newer PetSeg (format {raw['format']}; this one reads "
            f"{FORMAT}). Update PetSeg to open this folder."
        )
    try:
        return ProjectSettings.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadInput(f"{path} is damaged ({where}: {first['msg']}).") from error


def write_settings(path: Path, settings: ProjectSettings) -> None:
    """Raises WriteError."""
    write_json(path, settings.model_dump(mode="json"))
