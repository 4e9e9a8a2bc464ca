"""Model files: one .safetensors that describes itself, and its .onnx twin. Read without torch.

The description stands as JSON in the safetensors metadata; it holds the twin's hash, so that a
pair that does not belong together is noticed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save

from core import files
from core.errors import BadInput
from core.labels import BorderRule, LabelScheme

FORMAT = 1
METADATA_KEY = "petseg"
MAX_BYTES = 2 * 2**30
_LONGEST = 1 << 20  # of a description, in characters


class ModelFileError(BadInput):
    """A file that is no model of PetSeg, is damaged, or was made by a newer version."""


class ModelDescription(BaseModel):
    """What a model file says of itself."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    id: str
    name: str
    scheme: LabelScheme
    border_rule: BorderRule
    activation: Literal["sigmoid", "softmax"]
    view: Literal["whole", "crops"] = "whole"
    size: int = Field(ge=32, le=4096)
    network: dict[str, Any]
    parameters: int = 0
    preset: str = ""
    start: str = ""
    created: str = ""
    data: dict[str, Any] = {}
    metrics: dict[str, float] = {}
    temperature: float = Field(default=1.0, gt=0)
    onnx_sha256: str = ""

    @property
    def trainable(self) -> bool:
        """Whether its weights are there, to be trained further: not of an imported ONNX file."""
        return bool(self.network)


def onnx_path(path: Path) -> Path:
    """The ONNX twin of a model file."""
    return path.with_suffix(".onnx")


def read_description(path: Path) -> ModelDescription:
    """Read and check a model file's description. Raises ModelFileError."""
    if not path.is_file():
        raise ModelFileError(f"No model at {path}. Choose another one.")
    if path.stat().st_size > MAX_BYTES:
        raise ModelFileError(f"{path.name} is larger than 2 GB: not a model of PetSeg.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path.name} is not a model file ({error}).") from error
    if METADATA_KEY not in metadata:
        raise ModelFileError(f"{path.name} holds weights, but they were not saved by PetSeg.")
    return description_from_json(path, metadata[METADATA_KEY])


def read_onnx(path: Path, description: ModelDescription) -> bytes:
    """The bytes of the model's ONNX twin, checked against its hash. Raises ModelFileError."""
    twin = onnx_path(path)
    try:
        if twin.stat().st_size > MAX_BYTES:
            raise ModelFileError(f"{twin.name} is larger than 2 GB: not a model of PetSeg.")
        data = twin.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{path.name} needs its twin {twin.name} beside it ({error.strerror or error})."
        ) from error
    if files.sha256(data) != description.onnx_sha256:
        raise ModelFileError(
            f"{twin.name} is damaged, or belongs to another model than {path.name}: copy both "
            "files of the model again."
        )
    return data


def require_trainable(description: ModelDescription) -> None:
    """Raises ModelFileError where a model is an ONNX file alone, without weights to go on from."""
    if not description.trainable:
        raise ModelFileError(
            f"{description.name} was imported from an ONNX file: it can segment, but not be "
            "trained further. Start from another model, from ImageNet weights or from scratch."
        )


def renamed(path: Path, name: str) -> bytes:
    """A model file's bytes with another name in its description. Raises ModelFileError."""
    description = read_description(path).model_copy(update={"name": name})
    text = json.dumps(description.model_dump(mode="json"))
    try:
        return bytes(save(load_file(path), metadata={METADATA_KEY: text}))
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path.name} is not a model file ({error}).") from error


def description_from_json(path: Path, text: str) -> ModelDescription:
    """The description that a file holds as JSON. path: for messages. Raises ModelFileError."""
    if len(text) > _LONGEST:
        raise ModelFileError(f"{path.name}: its description is larger than 1 MB: not PetSeg's.")
    try:
        version = _FormatOnly.model_validate_json(text).format
        if version > FORMAT:
            raise ModelFileError(
                f"{path.name} was made by a newer PetSeg (model format {version}; this one reads "
                f"{FORMAT}). Update PetSeg to use it."
            )
        return ModelDescription.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "description"
        raise ModelFileError(
            f"{path.name}: its description is damaged ({where}: {first['msg']})."
        ) from error


class _FormatOnly(BaseModel):
    format: int
