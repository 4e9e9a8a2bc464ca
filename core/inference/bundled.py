"""Where the model lies that comes with PetSeg."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def bundled_model() -> Path:
    """The model that comes with PetSeg; its twin lies beside it."""
    return Path(str(files("resources") / "models" / "petseg-default.safetensors"))
