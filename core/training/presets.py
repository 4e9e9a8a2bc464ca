"""The named trainings, in one table. ``petseg train --preset NAME``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import BadInput
from core.labels import BorderRule
from core.modelfile import read_description, require_trainable
from core.training.config import LARGEST_SIZE, Start, TrainConfig, parse_config, start_model


@dataclass(frozen=True)
class Preset:
    """A named training: title and text for people, values that differ from TrainConfig's.

    train_share: the split that the recipe asks for; it holds where a folder has none yet.
    enlarge: from a model file, pictures are so many pixels larger than what that model sees.
    """

    name: str
    title: str
    text: str
    values: dict[str, Any]
    train_share: float = 0.8
    enlarge: int = 0


_ACCURATE: dict[str, Any] = {
    "start": Start.IMAGENET,
    "encoder": "mobilenet_v2",
    "decoder": "fine",
    "size": 256,
    "first_size": 128,
    "border": BorderRule.CLASS,
    "loss": "ce_dice",
    "augment": "strong",
    "paste": 0.2,
    "balance": True,
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "encoder_rate": 0.3,
    "weight_decay": 1e-2,
    "schedule": "onecycle",
    "batch": 16,
    "epochs": 48,
    "min_steps": 12,
}

# Adam's other values everywhere are torch's: betas 0.9 and 0.999, eps 1e-8. (OneCycle moves the
# first beta between 0.95 and 0.85.)
_TABLE = (
    Preset(
        "quick",
        "Quick",
        "ImageNet encoder, strong augmentation: minutes on a laptop. The one to use.",
        {
            "start": Start.BUNDLED,
            "encoder": "mobilenet_v2",
            "decoder": "fine",
            "size": 160,
            "border": BorderRule.CLASS,
            "loss": "ce_dice",
            "augment": "full",
            "optimizer": "adamw",
            "learning_rate": 1e-3,
            "encoder_rate": 0.3,
            "weight_decay": 1e-4,
            "schedule": "onecycle",
            "batch": 16,
            "epochs": 6,
            "min_steps": 12,
        },
    ),
    Preset(
        "accurate",
        "Accurate",
        "Most of the bundled model's recipe: many epochs of growing pictures, strongly changed; "
        "an hour or two on a laptop. Polish goes on from there.",
        _ACCURATE,
    ),
    # Larger pictures at the end: Touvron, Vedaldi, Douze and Jegou, "Fixing the train-test
    # resolution discrepancy", NeurIPS 2019.
    Preset(
        "polish",
        "Polish",
        "Goes on from a model for an hour, with pictures a little larger, and keeps the mean of "
        "both.",
        {
            **_ACCURATE,
            "start": Start.BUNDLED,
            "start_share": 0.5,
            "size": 288,
            "first_size": 0,
            "paste": 0.1,
            "encoder_rate": 1.0,
            "epochs": 20,
        },
        enlarge=32,
    ),
    Preset(
        "fast",
        "Fast",
        "The recipe of the bundled fast model: a small network for live masks and old laptops.",
        {**_ACCURATE, "decoder": "light", "size": 192, "first_size": 96},
    ),
    Preset(
        "baseline",
        "Baseline",
        "A plain U-Net from scratch, pet against background, the border counted as pet.",
        {"loss": "bce", "batch": 8, "epochs": 5, "learning_rate": 1e-3},
    ),
    Preset(
        "trimap",
        "Trimap",
        "A plain U-Net from scratch with three classes: background, pet, border.",
        {
            "border": BorderRule.CLASS,
            "score_border": BorderRule.CLASS,
            "loss": "ce",
            "batch": 8,
            "epochs": 10,
            "learning_rate": 1e-3,
        },
        train_share=0.75,
    ),
    Preset(
        "transfer",
        "Transfer",
        "An ImageNet encoder with a slim decoder, trained whole.",
        {
            "start": Start.IMAGENET,
            "encoder": "mobilenet_v2",
            "loss": "bce",
            "batch": 8,
            "epochs": 5,
            "learning_rate": 3e-4,
        },
    ),
    Preset(
        "custom",
        "Custom data",
        "A plain U-Net from scratch for any images with masks; rotations, flips and shifts.",
        {
            "loss": "bce_dice",
            "augment": "geometric",
            "batch": 8,
            "epochs": 20,
            "learning_rate": 1e-3,
        },
    ),
    Preset(
        "attention",
        "Attention U-Net",
        "A U-Net from scratch whose skip connections pass attention gates.",
        {
            "attention": True,
            "loss": "bce_dice",
            "augment": "geometric",
            "batch": 8,
            "epochs": 10,
            "learning_rate": 1e-3,
        },
    ),
)
PRESETS = {preset.name: preset for preset in _TABLE}

# Weights that already know the task are changed more gently, so that they do not forget it.
FINE_TUNING_RATE = 0.3


def make_config(preset: str, **changes: Any) -> TrainConfig:
    """A preset's config with some values changed. Raises BadInput (no such preset, option, value).

    From a model file the learning rate is 0.3 of the preset's and the size is the model's (and
    the preset's ``enlarge``), unless they are given. Raises ModelFileError where that file cannot
    be used.
    """
    if preset not in PRESETS:
        raise BadInput(f"There is no preset {preset!r}. Presets: {', '.join(PRESETS)}.")
    values = {"preset": preset, **PRESETS[preset].values, **changes}
    model = start_model(str(values.get("start", Start.SCRATCH)))
    if model is not None:
        about = read_description(model)
        require_trainable(about)
        if "learning_rate" not in changes:
            rate = values.get("learning_rate", TrainConfig().learning_rate)
            values["learning_rate"] = rate * FINE_TUNING_RATE
        if "size" not in changes:
            values["size"] = min(about.size + PRESETS[preset].enlarge, LARGEST_SIZE)
    return parse_config(values)
