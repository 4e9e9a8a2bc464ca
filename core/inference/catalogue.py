"""The models there are to choose: the bundled one and those of a project's runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.inference.bundled import bundled_model
from core.modelfile import ModelDescription, ModelFileError, read_description

RUN_MODEL = "best.safetensors"


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be chosen."""

    path: Path
    title: str
    description: ModelDescription


def list_models(runs: Path | None = None) -> list[ModelEntry]:
    """The bundled model, then those of the runs in a folder, newest first.

    Runs without a model (or with a damaged one) are left out.
    """
    paths = [bundled_model()]
    if runs is not None and runs.is_dir():
        paths += sorted(runs.glob(f"*/{RUN_MODEL}"), key=lambda p: p.parent.name, reverse=True)
    entries = []
    for path in paths:
        try:
            description = read_description(path)
        except ModelFileError:
            continue
        entries.append(ModelEntry(path, description.name, description))
    return entries
