"""``petseg models``, and what a model is called on the command line."""

from __future__ import annotations

from pathlib import Path

from core.cli.output import DONE, open_for_cli, say, table
from core.inference.bundled import bundled_model
from core.inference.catalogue import list_models
from core.labels import listed


def model_path(model: str) -> Path:
    """The file of a model: "" and "bundled" are the one that comes with PetSeg."""
    return bundled_model() if model in ("", "bundled") else Path(model)


def models_command(data: Path | None, store: Path | None) -> int:
    """One line a model: the bundled one, then a folder's runs."""
    runs = open_for_cli(data, store).runs if data is not None else None
    rows = []
    for entry in list_models(runs):
        about = entry.description
        iou = about.metrics.get("val_iou")
        rows.append(
            [
                entry.title,
                listed(about.scheme.names),
                f"{about.size} px",
                f"{about.parameters / 1e6:.1f} M",
                f"{iou:.3f}" if iou is not None else "-",
                str(entry.path),
            ]
        )
    table(["model", "classes", "size", "parameters", "val IoU", "file"], rows)
    if not rows:
        say("No models: this installation lacks its bundled one.")
    return DONE
