"""``petseg``: every part of the loop without a screen."""

from __future__ import annotations

import sys
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import BAD_INPUT, FAILED, warn
from core.errors import BadInput, PetSegError
from core.labels import BorderRule
from core.masks import MaskEncoding

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Segment photos, score masks and train, without a window.",
)

# Commands import what they need when they run: torch alone takes seconds.

Data = Annotated[Path, typer.Argument(help="A folder of images (and masks).")]
Store = Annotated[
    Path | None, typer.Option("--project", help="Where masks, runs and settings are kept.")
]
Encoding = Annotated[
    MaskEncoding | None, typer.Option(help="What the mask files' numbers mean, where unclear.")
]
Model = Annotated[str, typer.Option(help="A model file; the bundled one by default.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file too.")]
Border = Annotated[BorderRule, typer.Option(help="How a border class counts.")]


_INTERRUPTED = 130  # what typer makes of Ctrl+C


class SubsetChoice(StrEnum):
    """Which part of the split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"


class Device(StrEnum):
    """What the training runs on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


@app.command()
def train(
    data: Data,
    preset: Annotated[str, typer.Option(help="quick, baseline, trimap, ...")] = "quick",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change an option.")
    ] = None,
    start: Annotated[
        str, typer.Option("--from", help="A model file, bundled, imagenet or scratch.")
    ] = "",
    run: Annotated[Path | None, typer.Option(help="The run folder; goes on if it is one.")] = None,
    device: Device = Device.AUTO,
    seed: int = 0,
    also: Annotated[
        list[Path] | None, typer.Option(help="Train on this folder's approved masks too.")
    ] = None,
    name: Annotated[str, typer.Option(help="The model's name.")] = "",
    edited: Annotated[bool, typer.Option("--edited", help="Use edited masks too.")] = False,
    queue: Annotated[
        bool, typer.Option("--queue", help="Only let it wait: petseg queue starts it.")
    ] = False,
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=A,B", help="Try several values, one training after the other."),
    ] = None,
    project: Store = None,
    encoding: Encoding = None,
) -> None:
    """Train on a folder's approved masks; one line an epoch.

    On several GPUs or machines: let it wait with --queue, then
    torchrun --nproc-per-node 2 -m core.training RUN
    """
    from core.cli.train import Training, train_command
    from core.training.grid import parse_values

    changes = {"device": device.value, "seed": str(seed)} | _pairs("--set", settings or [])
    if start:
        changes["start"] = start
    values = {key: parse_values(key, v) for key, v in _pairs("--grid", grid or []).items()}
    wanted = Training(preset, changes, run, also or [], name, edited, queue, values)
    raise typer.Exit(train_command(data, wanted, project, encoding))


@app.command("queue")
def queue_trainings(data: Data, project: Store = None) -> None:
    """Start a folder's waiting trainings, one after the other."""
    from core.cli.queue import queue_command

    raise typer.Exit(queue_command(data, project))


@app.command()
def runs(data: Data, json: Json = None, project: Store = None) -> None:
    """List a folder's trainings."""
    from core.cli.runs import runs_command

    raise typer.Exit(runs_command(data, json, project))


@app.command()
def predict(
    inputs: Annotated[list[Path], typer.Argument(help="Images or folders of images.")],
    out: Annotated[Path, typer.Option(help="The folder that the masks are written to.")],
    model: Model = "",
    flip: Annotated[bool, typer.Option("--flip", help="Average with the mirrored image.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Write pictures too.")] = False,
    border: Border = BorderRule.FOREGROUND,
    json: Json = None,
) -> None:
    """Segment images: OUT/REL/NAME.png with class ids, at each image's own size."""
    from core.cli.predict import predict_command

    raise typer.Exit(predict_command(inputs, out, model, flip, overlay, border, json))


@app.command()
def evaluate(
    data: Data,
    model: Model = "",
    predictions: Annotated[
        Path | None, typer.Option(help="A folder of predicted masks, instead of a model.")
    ] = None,
    subset: SubsetChoice = SubsetChoice.VAL,
    border: Border = BorderRule.FOREGROUND,
    flip: Annotated[bool, typer.Option("--flip", help="Average with the mirrored image.")] = False,
    json: Json = None,
    project: Store = None,
    encoding: Encoding = None,
) -> None:
    """Score a model, or a folder of masks, against a folder's approved masks."""
    from core.cli.evaluate import evaluate_command

    raise typer.Exit(
        evaluate_command(
            data, model, predictions, subset.value, border, flip, json, project, encoding
        )
    )


@app.command()
def reproduce(
    data: Data,
    presets: Annotated[str, typer.Option(help="Names with commas between; all by default.")] = "",
    out: Annotated[
        Path, typer.Option(help="Where each preset gets a project; goes on with what is there.")
    ] = Path("reproduced"),
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: all cores.")] = 0,
    weights: Annotated[
        Path | None, typer.Option(help="ImageNet weights as a file, instead of a download.")
    ] = None,
    json: Json = None,
) -> None:
    """Train the presets whole, each with its own split, and print figures beside published ones."""
    from core.cli.reproduce import ORDER, reproduce_command

    changes: dict[str, object] = {"threads": threads} if threads else {}
    if weights is not None:
        changes["weights"] = str(weights.resolve())
    names = [name.strip() for name in presets.split(",")] if presets else ORDER
    raise typer.Exit(reproduce_command(data, names, out, changes, json))


@app.command()
def models(
    data: Annotated[Path | None, typer.Argument(help="A folder whose runs are listed too.")] = None,
    project: Store = None,
) -> None:
    """List the models there are."""
    from core.cli.models import models_command

    raise typer.Exit(models_command(data, project))


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="A new folder for the drawn animals.")],
    images: Annotated[int, typer.Option(min=1, max=100_000)] = 32,
    masked: Annotated[int, typer.Option(min=0, max=100_000, help="How many get masks.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="The first drawing's seed.")] = 0,
    loop: Annotated[
        bool, typer.Option("--loop", help="Then segment, train two epochs, segment again.")
    ] = False,
) -> None:
    """Draw the demo project: furry animals with exact masks."""
    from core.cli.demo import demo_command

    raise typer.Exit(demo_command(folder, images, masked, seed, loop))


@app.command()
def doctor(
    data: Annotated[Path | None, typer.Argument(help="A folder to examine.")] = None,
    project: Store = None,
    encoding: Encoding = None,
) -> None:
    """Versions, devices, a forward pass; of a folder: what is in it and what will be skipped."""
    from core.cli.doctor import doctor_command

    raise typer.Exit(doctor_command(data, project, encoding))


def main() -> None:
    """Exit codes: 0 done, 1 failed, 2 bad input or usage, 3 done but some files were skipped."""
    for stream in (sys.stdout, sys.stderr):
        # File names need not be valid text; printing one must not end the batch.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except SystemExit as end:
        if end.code != _INTERRUPTED:
            raise
        warn("Stopped.")
        sys.exit(FAILED)
    except PetSegError as error:
        warn(str(error))
        sys.exit(BAD_INPUT if isinstance(error, BadInput) else FAILED)


def _pairs(option: str, settings: list[str]) -> dict[str, str]:
    pairs = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise BadInput(f"{option} {setting}: write it as KEY=VALUE.")
        pairs[key.strip()] = value.strip()
    return pairs
