"""``petseg models``, and what a model is called on the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from core.cli.output import DONE, open_for_cli, say, table
from core.errors import BadInput
from core.inference.bundled import bundled_model
from core.inference.card import card_rows
from core.inference.catalogue import IMPORTED, list_models
from core.labels import listed
from core.modelfile import read_description


def model_path(model: str) -> Path:
    """The file of a model: "" and "bundled" are the one that comes with PetSeg.

    Raises BadInput where there is no such file.
    """
    if model in ("", "bundled"):
        return bundled_model()
    if not Path(model).is_file():
        raise BadInput(
            f"No model at {model}. Give a model's file (petseg models lists them), or: bundled."
        )
    return Path(model)


def models_command(data: Path | None, store: Path | None) -> int:
    """One line a model: the bundled one, then a folder's runs, then what it has imported."""
    project = open_for_cli(data, store) if data is not None else None
    found = list_models(project.runs, project.store / IMPORTED) if project else list_models()
    rows = []
    for entry in found:
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


def card_command(model: str) -> int:
    """What a model file tells of itself, a line each."""
    path = model_path(model)
    rows = card_rows(read_description(path), path)
    width = max(len(title) for title, _ in rows)
    for title, text in rows:
        say(f"{title.ljust(width)}  {text}")
    return DONE


def import_command(
    file: Path, folder: Path | None, store: Path | None, said: dict[str, Any]
) -> int:
    """Make a model file from another program's; says what was found and what was assumed.

    said: fields of ``Answers`` that were given. Raises BadInput, WriteError.
    """
    from core.models.importing import examine, import_model

    project = open_for_cli(folder, store) if folder is not None else None
    if project is not None:
        project.require_writable()
    scheme = project.settings.scheme if project is not None else None
    found = examine(file, scheme)
    if not found.asks and said.keys() - {"name"}:
        raise BadInput(f"{file.name} tells what it is: only --name can be given.")
    answers = replace(found.answers, **said)
    say(f"{found.words}; {found.parameters / 1e6:.1f} M parameters.")
    for note in found.notes:
        say(note)
    if found.asks:
        say(f"Classes: {', '.join(answers.classes)} (--classes). Size: {answers.size} px (--size).")
    if found.asks_input:
        say(f"It is given {answers.input.value} (--input).")
    if found.asks_output:
        say(f"It is taken to give {answers.output.value} (--output).")
    target = project.store / IMPORTED if project is not None else Path()
    say(f"Imported: {import_model(file, target, answers, scheme)}")
    return DONE


def export_command(model: str, out: Path) -> int:
    """Write a model to take elsewhere. Raises BadInput, WriteError."""
    from core.models.sharing import export_model

    for path in export_model(model_path(model), out):
        say(str(path))
    return DONE
