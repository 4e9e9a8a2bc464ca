"""``petseg models``, and what a model is called on the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from core.cli.output import DONE, open_for_cli, report_skipped, say, table
from core.errors import BadInput
from core.inference.bundled import bundled_model, fast_model
from core.inference.card import card_rows, read_card
from core.inference.catalogue import IMPORTED, list_models
from core.labels import listed
from core.masks import MaskEncoding
from core.modelfile import onnx_path, read_description


def model_path(model: str) -> Path:
    """The file of a model: "" and "bundled" are PetSeg's default one, "fast" its fast one.

    Raises BadInput where there is no such file.
    """
    if model in ("", "bundled"):
        return bundled_model()
    if model == "fast":
        return fast_model()
    if not Path(model).is_file():
        raise BadInput(
            f"No model at {model}. Give a model's file (petseg models lists them), or: bundled, "
            "fast."
        )
    return Path(model)


def models_command(data: Path | None, store: Path | None) -> int:
    """One line a model: those of PetSeg, then a folder's runs, then what it has imported."""
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
        say("No models: this installation lacks its own.")
    return DONE


def card_command(model: str) -> int:
    """What a model file tells of itself, a line each; then its card, where it has one."""
    path = model_path(model)
    rows = card_rows(read_description(path), path)
    width = max(len(title) for title, _ in rows)
    for title, text in rows:
        say(f"{title.ljust(width)}  {text}")
    written = read_card(path)
    if written:
        say(f"\n{written.rstrip()}")
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


def average_command(models: list[str], shares: str, out: Path, name: str) -> int:
    """Write the mean of models. shares: numbers with commas between; "": all alike.

    Raises BadInput, WriteError.
    """
    from core.models.averaging import average_models

    if out.suffix != ".safetensors":
        raise BadInput(f"--out {out}: a model file ends in .safetensors.")
    if out.exists() or onnx_path(out).exists():
        raise BadInput(f"{out} or its twin exists already: choose another name.")
    try:
        parts = [float(share) for share in shares.split(",")] if shares else [1.0] * len(models)
    except ValueError as error:
        raise BadInput(f"--shares {shares}: write numbers with commas between.") from error
    average_models([model_path(m) for m in models], parts, out, name or out.stem)
    say(f"{out}. To fit its probabilities: petseg models calibrate {out} DATA")
    say(f"How good it is: petseg evaluate DATA --model {out}")
    return DONE


def calibrate_command(
    model: str, data: Path, store: Path | None, encoding: MaskEncoding | None
) -> int:
    """Fit a model's temperature to a folder's validation images. Raises BadInput, WriteError."""
    from core.data.samples import SampleStore, load_samples
    from core.training.calibrating import asked_of, calibrate, decoding_for
    from core.training.plan import plan_training

    path = model_path(model)
    before = read_description(path)
    project = open_for_cli(data, store, encoding)
    decoding = decoding_for(before, project.settings.scheme)
    names = plan_training(project).val
    pairs = [(project, names[i]) for i in asked_of(len(names))]  # no others are decoded
    samples = load_samples(pairs, SampleStore(decoding), lambda: None)
    if len(samples) == 0:
        raise BadInput(
            f"{project.folder} has no approved mask that is kept for validation: approve some "
            "more. Nothing was changed."
        )
    fitted = calibrate(path, samples, lambda: None)
    say(f"Temperature {before.temperature:g} -> {fitted:g}, by {len(samples)} validation images.")
    return report_skipped(list(samples.skipped))
