"""``petseg``: every part of the loop without a screen."""

from __future__ import annotations

import sys
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from core.cli import model_commands
from core.cli.output import BAD_INPUT, FAILED, warn
from core.errors import BadInput, PetSegError
from core.formats.registry import FORMATS
from core.inference.options import MOST_TILES, PredictOptions
from core.labels import BorderRule
from core.masks import MaskEncoding
from core.project.reviews import Status


class _Plain(TyperGroup):
    """Says what is wrong with an option without the name of the error that found it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    cls=_Plain,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Segment photos, score masks and train, without a window.",
)

app.add_typer(model_commands.app, name="models")

# Commands import what they need when they run: torch alone takes seconds.

Data = Annotated[Path, typer.Argument(help="A folder of images (and masks).")]
Store = Annotated[
    Path | None, typer.Option("--project", help="Where masks, runs and settings are kept.")
]
Encoding = Annotated[
    MaskEncoding | None, typer.Option(help="What the mask files' numbers mean, where unclear.")
]
Model = Annotated[str, typer.Option(help="A model file, or: fast; the default one if none.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file too.")]
Border = Annotated[BorderRule, typer.Option(help="How a border class counts.")]
Workers = Annotated[
    int, typer.Option(min=1, max=256, help="Processes on this machine; each needs its memory.")
]


_INTERRUPTED = 130  # what typer makes of Ctrl+C


class SubsetChoice(StrEnum):
    """Which part of the split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"


class GroupChoice(StrEnum):
    """What images are grouped by."""

    FOLDER = "folder"
    SPECIES = "species"
    BREED = "breed"


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
    then: Annotated[
        list[str] | None,
        typer.Option(metavar="PRESET", help="Go on from the best model with this preset."),
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
    wanted = Training(preset, changes, run, also or [], name, edited, queue, values, then or [])
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
    tiles: Annotated[
        int,
        typer.Option(min=1, max=MOST_TILES, help="Look at so many parts across the longer side."),
    ] = 1,
    threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="The object begins at this probability (two classes)."),
    ] = 0.5,
    classes: Annotated[
        str, typer.Option(metavar="A,B", help="Only these; the others become background.")
    ] = "",
    fill_holes: Annotated[int, typer.Option(min=0, help="Fill holes of up to so many px.")] = 0,
    remove_islands: Annotated[
        int, typer.Option(min=0, help="Remove pieces of less than so many px.")
    ] = 0,
    keep_largest: Annotated[
        bool, typer.Option("--keep-largest", help="Keep each class's largest piece only.")
    ] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Write pictures too.")] = False,
    border: Border = BorderRule.FOREGROUND,
    workers: Workers = 1,
    anew: Annotated[
        bool, typer.Option("--anew", help="Make all masks again, also over others.")
    ] = False,
    json: Json = None,
) -> None:
    """Segment images: OUT/REL/NAME.png with class ids, at each image's own size.

    After an interruption the same command goes on. On many machines: the same command on each,
    with RANK and WORLD_SIZE set, as torchrun does.
    """
    from core.cli.predict import predict_command
    from core.cli.together import Together

    options = PredictOptions(
        threshold=threshold,
        flip=flip,
        tiles=tiles,
        fill_holes=fill_holes,
        remove_islands=remove_islands,
        keep_largest=keep_largest,
    )
    raise typer.Exit(
        predict_command(
            inputs, out, model, options, classes, overlay, border, json, Together(workers, anew)
        )
    )


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
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="P(object) from which on; 0.5 by default.")
    ] = None,
    group: Annotated[
        GroupChoice | None, typer.Option(help="What images are grouped by in the table.")
    ] = None,
    compare: Annotated[
        str, typer.Option(metavar="MODEL", help="Score this model too: is it better?")
    ] = "",
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a report, one page.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a table, one line an image.")] = None,
    json: Json = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write all of these here, and go on from what is there."),
    ] = None,
    workers: Workers = 1,
    anew: Annotated[bool, typer.Option("--anew", help="Score again what DIR holds.")] = False,
    project: Store = None,
    encoding: Encoding = None,
) -> None:
    """Score a model, or a folder of masks, against a folder's approved masks.

    With --out the same command goes on after an interruption, and many machines can share the
    work: each with RANK and WORLD_SIZE set, as torchrun does.
    """
    from core.cli.evaluate import Asked, Files, evaluate_command
    from core.cli.together import Together
    from core.evaluation.groups import Grouping

    asked = Asked(
        model=model,
        predictions=predictions,
        subset=subset.value,
        border=border,
        flip=flip,
        threshold=threshold,
        grouping=Grouping(group.value) if group is not None else None,
        other=compare,
    )
    files, together = Files(json, csv, report, out), Together(workers, anew)
    raise typer.Exit(evaluate_command(data, asked, files, project, encoding, together))


class ExplainBy(StrEnum):
    """How it is found out what mattered."""

    GRADCAM = "gradcam"
    OCCLUSION = "occlusion"


class HowFine(StrEnum):
    """How fine an explanation is."""

    COARSE = "coarse"
    MEDIUM = "medium"
    FINE = "fine"


@app.command()
def explain(
    image: Annotated[Path, typer.Argument(help="A photo.")],
    out: Annotated[Path, typer.Option(help="The PNG that the heat map is written to.")],
    model: Model = "",
    class_name: Annotated[
        str, typer.Option("--class", help="The class to explain; the first by default.")
    ] = "",
    box: Annotated[
        str,
        typer.Option(metavar="LEFT,TOP,RIGHT,BOTTOM", help="Ask about this part of the photo."),
    ] = "",
    method: ExplainBy = ExplainBy.GRADCAM,
    detail: Annotated[HowFine | None, typer.Option(help="How fine; finer is noisier.")] = None,
    border: Border = BorderRule.FOREGROUND,
) -> None:
    """Show which parts of a photo spoke for a class, as a heat map over it."""
    from core.cli.explain import explain_command

    raise typer.Exit(
        explain_command(image, out, model, class_name, box, method.value, detail, border)
    )


@app.command()
def check(
    data: Data,
    folds: Annotated[int, typer.Option(min=2, max=20, help="Networks that are trained.")] = 4,
    start: Annotated[
        str, typer.Option("--from", help="imagenet, scratch, bundled, or a model file.")
    ] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change an option.")
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Do not go on with one that was interrupted.")
    ] = False,
    json: Json = None,
    project: Store = None,
    encoding: Encoding = None,
) -> None:
    """Find bad masks: approved ones that networks which never saw them disagree with."""
    from core.cli.check import check_command

    changes = _pairs("--set", settings or [])
    if start:
        changes["start"] = start
    raise typer.Exit(check_command(data, folds, changes, anew, json, project, encoding))


@app.command()
def images(
    data: Data,
    search: Annotated[str, typer.Argument(help="As in the window: status:predicted cat*")] = "",
    sort: Annotated[
        str, typer.Option(help="name, date, size, status, split, uncertainty, ...")
    ] = "name",
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    useful: Annotated[
        int, typer.Option(min=0, help="Name so many that would teach the model most, and why.")
    ] = 0,
    json: Json = None,
    project: Store = None,
) -> None:
    """List images by what is known of them, or those that deserve the next minute."""
    from core.cli.images import images_command

    raise typer.Exit(images_command(data, search, sort, reverse, useful, json, project))


_READ = ", ".join(known.id for known in FORMATS if known.read is not None)
_WRITTEN = ", ".join(known.id for known in FORMATS if known.write is not None)


@app.command("import")
def import_annotations(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE FOLDER",
            help="Annotations made elsewhere (a file or folder), and the folder of images that "
            "they are for. With --undo the folder alone.",
        ),
    ],
    format: Annotated[str, typer.Option(help=f"{_READ}; found out where it is not given.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be imported.")
    ] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="CLASS=CLASS",
            help="What a class of theirs becomes: one of the folder's, a new one, void, or "
            "background to leave it out.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where an image has a mask already.")
    ] = False,
    convert: Annotated[
        bool,
        typer.Option("--convert", help="Turn the folder's binary masks into class ids first."),
    ] = False,
    colours: Annotated[
        str,
        typer.Option(
            metavar="FILE|auto",
            help="What the colours of RGB masks mean: lines of name: r, g, b; or each a class.",
        ),
    ] = "",
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the folder's last import back.")
    ] = False,
    json: Json = None,
    project: Store = None,
    encoding: Encoding = None,
) -> None:
    """Take over annotations made with other tools as approved masks.

    What would happen is said first; masks that are there stay unless --replace is given.
    """
    from core.cli.import_ import Wish, import_command, undo_command

    if undo and len(paths) == 1:
        raise typer.Exit(undo_command(paths[0], json, project))
    if undo or len(paths) != 2:
        raise BadInput("Write petseg import SOURCE FOLDER, or petseg import --undo FOLDER.")
    wish = Wish(format, _pairs("--map", mapping or []), colours, replace, convert, dry_run)
    raise typer.Exit(import_command(paths[0], paths[1], wish, json, project, encoding))


class PhotoChoice(StrEnum):
    """Whether photos come along."""

    COPY = "copy"
    NONE = "none"


@app.command()
def export(
    data: Data,
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A new folder (areas, cvat: a new file).")
    ],
    format: Annotated[str, typer.Option(help=f"{_WRITTEN}.")],
    status: Annotated[
        list[Status] | None,
        typer.Option(help="Images of this status; may be given again. Approved ones by default."),
    ] = None,
    subset: SubsetChoice = SubsetChoice.ALL,
    photos: Annotated[
        PhotoChoice, typer.Option(help="Copy photos where the format has a place for them.")
    ] = PhotoChoice.NONE,
    polygons: Annotated[
        bool,
        typer.Option("--polygons", help="Outlines, not exact masks, where the format has both."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over an earlier export.")
    ] = False,
    json: Json = None,
    project: Store = None,
    encoding: Encoding = None,
) -> None:
    """Write a folder's masks for other tools; what the format cannot hold is said."""
    from core.cli.export import export_command
    from core.formats.items import WriteOptions

    part = "" if subset is SubsetChoice.ALL else subset.value
    options = WriteOptions(photos is PhotoChoice.COPY, polygons)
    statuses = status or [Status.APPROVED]
    raise typer.Exit(
        export_command(
            data, target, format, statuses, part, options, replace, json, project, encoding
        )
    )


@app.command()
def corrections(data: Data, json: Json = None, project: Store = None) -> None:
    """How much each approved mask differed from its prediction, and how long it took."""
    from core.cli.corrections import corrections_command

    raise typer.Exit(corrections_command(data, json, project))


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


class DataSet(StrEnum):
    """What can be fetched."""

    OXFORD_PET = "oxford-pet"


@app.command()
def fetch(
    name: Annotated[DataSet, typer.Argument(help="The data set.")],
    folder: Annotated[
        Path, typer.Argument(help="A new folder for it; goes on with what is there.")
    ],
    mirror: Annotated[
        str, typer.Option(metavar="URL", help="A server's folder with the same archives.")
    ] = "",
) -> None:
    """Download Oxford-IIIT Pet: 7,390 photos with trimaps (0.8 GB; 2 GB while it unpacks)."""
    from core.cli.fetch import fetch_command

    raise typer.Exit(fetch_command(folder, mirror))


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
