"""What a training is told: pydantic models, checked where they are made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from core.errors import BadInput
from core.files import read_json
from core.inference.bundled import bundled_model
from core.labels import BorderRule, LabelScheme, scheme_under
from core.modelfile import read_description

FORMAT = 1


LARGEST_SIZE = 1024
"""Pixels of the longer side, at most, that a network is trained on."""


class Start(StrEnum):
    """Where weights come from; anything else is the path of a model file."""

    BUNDLED = "bundled"
    IMAGENET = "imagenet"
    SCRATCH = "scratch"


def start_model(start: str) -> Path | None:
    """The model file that a starting point names, or None for ImageNet weights and scratch."""
    if start in (Start.IMAGENET, Start.SCRATCH):
        return None
    return bundled_model() if start == Start.BUNDLED else Path(start)


Encoder = Literal[
    "",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "resnet18",
    "resnet34",
    "efficientnet_b0",
    "vgg11_bn",
]
Augment = Literal["none", "geometric", "full", "strong"]
Purpose = Literal["", "learn"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainConfig(_Strict):
    """One training's settings. The descriptions are what the window shows as tool tips."""

    preset: str = Field(default="", description="The recipe that these settings began as.")
    start: str = Field(
        default=Start.SCRATCH,
        description="Where the weights come from: bundled, imagenet, scratch, or a model file.",
    )
    weights: str = Field(
        default="", description="ImageNet weights as a file, in place of torchvision's download."
    )

    encoder: Encoder = Field(
        default="",
        description="A torchvision encoder; without one, a U-Net of PetSeg's own from scratch.",
    )
    decoder: Literal["slim", "fine", "light"] = Field(
        default="slim",
        description="What an encoder's features become a mask with. Fine also looks at the whole "
        "picture and learns the last doubling; light is fast and looks less deep.",
    )
    width: int = Field(
        default=16, ge=4, le=128, description="Channels of a plain U-Net's first level."
    )
    depth: int = Field(default=4, ge=1, le=6, description="Levels of a plain U-Net.")
    norm: Literal["batch", "group"] = Field(
        default="batch",
        description="Normalisation of a plain U-Net. Group norm does not depend on the batch.",
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Share of channels dropped in a plain U-Net."
    )
    upsampling: Literal["bilinear", "transposed"] = Field(
        default="bilinear", description="How a plain U-Net's decoder doubles its size."
    )
    attention: bool = Field(
        default=False, description="Attention gates on a plain U-Net's skip connections."
    )

    start_share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of the starting model's weights in the model that is kept, against "
        "forgetting.",
    )

    size: int = Field(
        default=128,
        ge=32,
        le=LARGEST_SIZE,
        description="Pixels that the longer side is scaled to. Larger is finer and slower.",
    )
    first_size: int = Field(
        default=0,
        ge=0,
        le=LARGEST_SIZE,
        description="Pixels of the first epochs' pictures, growing to the size; 0: none smaller.",
    )
    border: BorderRule = Field(
        default=BorderRule.FOREGROUND, description="What a trimap's border is trained as."
    )
    score_border: BorderRule = Field(
        default=BorderRule.FOREGROUND, description="What a trimap's border counts as in scores."
    )
    loss: Literal["bce", "bce_dice", "ce", "ce_dice"] = Field(
        default="bce",
        description="What is minimised: cross-entropy, for two classes (bce) or more (ce), "
        "alone or with Dice.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none", description="Balanced: pixels of rare classes weigh more."
    )
    lovasz_epochs: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="So many epochs at the end minimise the Lovász loss, which follows IoU.",
    )
    augment: Augment = Field(
        default="none",
        description="Geometric: flips, turns, scales and shifts. Full: colours and blur too. "
        "Strong: more of all, darkness, grey, a sensor's noise and small JPEG files.",
    )
    paste: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of images into which another image's object is pasted.",
    )
    balance: bool = Field(
        default=False,
        description="Images of rare groups (Oxford-IIIT Pet: dogs) are drawn more often.",
    )

    optimizer: Literal["adam", "adamw", "sgd"] = Field(
        default="adam",
        description="How steps are taken. SGD has momentum 0.9, with OneCycle 0.85 to 0.95.",
    )
    learning_rate: float = Field(
        default=1e-3,
        gt=0,
        le=10,
        description="Size of the steps. Too large: the loss jumps; too small: nothing moves.",
    )
    encoder_rate: float = Field(
        default=1.0,
        gt=0,
        le=10,
        description="The encoder's learning rate as a share of the learning rate.",
    )
    weight_decay: float = Field(
        default=0.0, ge=0, le=1, description="Pulls weights towards zero, against overfitting."
    )
    schedule: Literal["constant", "cosine", "onecycle"] = Field(
        default="constant",
        description="How the learning rate goes: constant, falling as a cosine, or up and down.",
    )
    batch: int = Field(default=8, ge=1, le=1024, description="Images a step. More needs memory.")
    epochs: int = Field(default=5, ge=1, le=10_000, description="Rounds through the masks.")
    min_steps: int = Field(
        default=1,
        ge=1,
        le=10_000,
        description="Steps an epoch has at least: a few masks are drawn again and again.",
    )
    patience: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Stop after so many epochs without a better val IoU; 0: never.",
    )
    join: bool = Field(default=True, description="Masks approved meanwhile join at the next epoch.")
    replay: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="So many drawn animals of the demo train too, so that they are not forgotten.",
    )

    seed: int = Field(
        default=0, ge=0, lt=2**31, description="The same seed gives the same numbers again."
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="What trains; auto takes the fastest."
    )
    precision: Literal["auto", "full"] = Field(
        default="auto", description="Auto: half precision on a GPU where a test finds it faster."
    )
    threads: int = Field(default=0, ge=0, le=1024, description="CPU threads; 0: all cores but one.")
    memory: int = Field(
        default=2048,
        ge=1,
        le=2**20,
        description="Megabytes of decoded images kept in memory; more go to a file on the disk.",
    )


class Source(_Strict):
    """An opened folder that a training reads."""

    folder: str
    store: str


class Sample(_Strict):
    """One image with its mask: the source's index, the image's name, its mask file's hash."""

    source: int
    image: str
    mask: str = ""


class RunConfig(_Strict):
    """config.json of a run folder: everything the worker needs to know.

    created: ISO 8601 with a time zone. purpose: ``learn`` for a run that the window queued by
    itself while a person corrected.
    """

    format: int = FORMAT
    run: str
    name: str
    version: str
    created: str
    purpose: Purpose = ""
    train: TrainConfig
    sources: tuple[Source, ...] = Field(min_length=1)
    train_samples: tuple[Sample, ...]
    val_samples: tuple[Sample, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if datetime.fromisoformat(self.created).tzinfo is None:
            raise ValueError("created: without a time zone")
        sources = {s.source for s in (*self.train_samples, *self.val_samples)}
        if not sources <= set(range(len(self.sources))):
            raise ValueError("a sample of an unknown source")
        return self


def trained_scheme(config: TrainConfig, project: LabelScheme) -> LabelScheme:
    """The classes that masks are brought to before the border rule: the project's, mostly.

    A project of two classes that starts from a trimap model keeps the model's three, with a
    border made along its outlines: else the model would lose its last layer. Raises
    ModelFileError.
    """
    model = start_model(config.start)
    if model is not None and len(project.classes) == 2 and config.border is BorderRule.CLASS:
        known = read_description(model).scheme
        if known.border_id is not None:
            return known
    return project


def outputs_for(config: TrainConfig, scheme: LabelScheme) -> int:
    """How many numbers a pixel the network gives for the classes of ``trained_scheme``.

    Raises BadInput: binary cross-entropy with more than two classes.
    """
    classes = len(scheme_under(scheme, config.border).classes)
    if not config.loss.startswith("bce"):
        return classes
    if classes > 2:
        raise BadInput(
            f"The loss {config.loss} is for two classes, this training has {classes}: "
            f"use --set loss=ce{config.loss.removeprefix('bce')}, or the preset quick."
        )
    return 1


def parse_config(values: Mapping[str, Any]) -> TrainConfig:
    """A TrainConfig from names and values (strings are converted). Raises BadInput."""
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(TrainConfig.model_fields)
            raise BadInput(f"There is no training option {field!r}. Options: {known}.") from error
        reason = reason_of(first)
        raise BadInput(f"Training option {field}: {reason[0].lower()}{reason[1:]}") from error


def reason_of(error: ErrorDetails) -> str:
    """What is wrong with an option's value, as a plain sentence."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "float_parsing" | "float_type":
            return "Must be a number, such as 0.001 or 1e-3."
        case "int_parsing" | "int_from_float" | "int_type":
            return "Must be a whole number."
        case "greater_than":
            return f"Must be more than {limits['gt']:g}."
        case "greater_than_equal":
            return f"Must be at least {limits['ge']:g}."
        case "less_than":
            return f"Must be less than {limits['lt']:g}."
        case "less_than_equal":
            return f"Must be at most {limits['le']:g}."
        case _:
            return f"{error['msg']}."


def read_run_config(run: Path) -> RunConfig:
    """Raises BadInput: missing, damaged, or of a newer format."""
    path = run / "config.json"
    if not path.is_file():
        raise BadInput(f"{run} is not a run folder: it has no config.json.")
    raw = read_json(path)
    if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
        raise BadInput(f"{run} was made by a newer PetSeg. Update PetSeg to use it.")
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadInput(f"{path} is damaged ({where}: {first['msg']}).") from error
