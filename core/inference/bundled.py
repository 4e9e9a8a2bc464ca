"""Where the models lie that come with PetSeg."""

from __future__ import annotations

from pathlib import Path

import resources


def bundled_model() -> Path:
    """The default model; its twin and its card lie beside it."""
    return _model("petseg-default")


def fast_model() -> Path:
    """The small model, for old machines; it may be missing from an installation."""
    return _model("petseg-fast")


def bundled_models() -> list[Path]:
    """Those of the two that are there, the default one first."""
    return [path for path in (bundled_model(), fast_model()) if path.is_file()]


def _model(stem: str) -> Path:
    return Path(resources.__file__).parent / "models" / f"{stem}.safetensors"
