"""Where the model lies that comes with PetSeg."""

from __future__ import annotations

from pathlib import Path

import resources


def bundled_model() -> Path:
    """The model that comes with PetSeg; its twin lies beside it."""
    return Path(resources.__file__).parent / "models" / "petseg-default.safetensors"
