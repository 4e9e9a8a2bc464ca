"""``petseg models ...``: the commands, which import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from core.masks import MaskEncoding
from core.models.answers import Input, Output

_LIST = "list"


class _ListsByDefault(TyperGroup):
    """``petseg models DATA`` lists: what is no command is the folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ListsByDefault,
    help="List the models there are; show, import, export, calibrate one; make a mean of some.",
)
Store = Annotated[
    Path | None, typer.Option("--project", help="Where masks, runs and settings are kept.")
]
Model = Annotated[str, typer.Argument(help="A model file, or: bundled, fast.")]


@app.command(_LIST)
def list_(
    data: Annotated[
        Path | None, typer.Argument(help="A folder whose models are listed too.")
    ] = None,
    project: Store = None,
) -> None:
    """List the models there are: those of PetSeg, of a folder's runs, imported ones."""
    from core.cli.models import models_command

    raise typer.Exit(models_command(data, project))


@app.command()
def card(model: Model = "bundled") -> None:
    """Everything that a model file tells of itself, and what was written about it."""
    from core.cli.models import card_command

    raise typer.Exit(card_command(model))


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help=".safetensors, .onnx, or a U-Net's weights (.pt, .pth).")
    ],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Add it to this folder's models; else it is written here."),
    ] = None,
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
    classes: Annotated[
        str, typer.Option(help="Its classes with commas between, background first.")
    ] = "",
    input: Annotated[Input | None, typer.Option(help="What the photo's numbers become.")] = None,
    output: Annotated[Output | None, typer.Option(help="What the network gives.")] = None,
    size: Annotated[int | None, typer.Option(help="Pixels of the square that it sees.")] = None,
    project: Store = None,
) -> None:
    """Make a model file of PetSeg's from a file; what is not said is guessed, and told."""
    from core.cli.models import import_command

    changes = {
        "name": name or None,
        "classes": tuple(c.strip() for c in classes.split(",")) if classes else None,
        "input": input,
        "output": output,
        "size": size,
    }
    said = {key: value for key, value in changes.items() if value is not None}
    raise typer.Exit(import_command(file, folder, project, said))


@app.command()
def export(
    model: Model,
    out: Annotated[Path, typer.Argument(help="FILE.onnx, FILE.safetensors, or a new folder.")],
) -> None:
    """Write a model to take elsewhere; a folder holds a script and a page for the browser."""
    from core.cli.models import export_command

    raise typer.Exit(export_command(model, out))


@app.command()
def average(
    models: Annotated[
        list[str], typer.Argument(help="Models trained from the same one, or: bundled, fast.")
    ],
    out: Annotated[Path, typer.Option(help="The new model file.")],
    shares: Annotated[
        str, typer.Option(metavar="A,B", help="How much each counts; alike if not given.")
    ] = "",
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
) -> None:
    """Write the mean of models' weights: often better than each of them, and as fast as one."""
    from core.cli.models import average_command

    raise typer.Exit(average_command(models, shares, out, name))


@app.command()
def calibrate(
    model: Model,
    data: Annotated[Path, typer.Argument(help="A folder with approved masks.")],
    project: Store = None,
    encoding: Annotated[
        MaskEncoding | None, typer.Option(help="What the mask files' numbers mean, where unclear.")
    ] = None,
) -> None:
    """Fit a model file's temperature to a folder's validation images, so that its probabilities
    can be taken at their word. Every training does so at its end. Its figures stay as they are.
    """
    from core.cli.models import calibrate_command

    raise typer.Exit(calibrate_command(model, data, project, encoding))
