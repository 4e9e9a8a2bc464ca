"""Presets and options: each preset can be run as it is, and a wrong option is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from core.inference.bundled import bundled_model
from core.labels import PET, TRIMAP, BorderRule, scheme_of
from core.modelfile import ModelFileError
from core.training.config import (
    TrainConfig,
    outputs_for,
    read_run_config,
    start_model,
    trained_scheme,
)
from core.training.presets import PRESETS, make_config

MakeModel = Callable[..., Path]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_config_as_it_stands(name: str):
    config = make_config(name)
    assert config.preset == name
    assert PRESETS[name].title
    assert PRESETS[name].text
    for scheme in (PET, TRIMAP):
        assert outputs_for(config, scheme) in (1, 2, 3)


def test_polish_shows_larger_pictures_than_its_model_saw(make_model: MakeModel):
    model = make_model(size=64)
    assert make_config("polish", start=str(model)).size == 96
    assert make_config("polish", start=str(model), size=64).size == 64
    assert make_config("quick", start=str(model)).size == 64


def test_the_plain_recipes_are_those_of_the_field():
    baseline = make_config("baseline")
    assert (baseline.size, baseline.batch, baseline.epochs) == (128, 8, 5)
    assert (baseline.optimizer, baseline.learning_rate, baseline.loss) == ("adam", 1e-3, "bce")
    assert baseline.border is BorderRule.FOREGROUND
    assert baseline.encoder == ""
    assert baseline.start == "scratch"
    assert make_config("trimap").border is BorderRule.CLASS
    assert PRESETS["trimap"].train_share == 0.75
    assert make_config("transfer").start == "imagenet"
    assert make_config("attention").attention
    assert make_config("custom").augment == "geometric"


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(BadInput, match=r"no preset 'best'.*quick, accurate"):
        make_config("best")


def test_an_unknown_option_names_those_there_are():
    with pytest.raises(BadInput, match=r"no training option 'learning'.*learning_rate"):
        make_config("quick", learning="1")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", "many"),
        ("epochs", "0"),
        ("size", "31"),
        ("learning_rate", "-1"),
        ("learning_rate", "nan"),
        ("encoder", "lenet"),
        ("loss", "hinge"),
        ("device", "tpu"),
        ("seed", "-1"),
        ("dropout", "1"),
    ],
)
def test_an_impossible_value_names_its_option(key: str, value: str):
    with pytest.raises(BadInput, match=f"option {key}: "):
        make_config("baseline", **{key: value})


def test_words_from_the_command_line_become_numbers():
    config = make_config("quick", epochs="3", learning_rate="0.01", attention="true")
    assert (config.epochs, config.learning_rate, config.attention) == (3, 0.01, True)


def test_a_model_that_knows_the_task_is_changed_gently(tiny_model: Path):
    assert make_config("quick", start="imagenet").learning_rate == 1e-3
    assert make_config("quick", start="bundled").learning_rate == pytest.approx(3e-4)
    assert make_config("quick", start=str(tiny_model)).learning_rate == pytest.approx(3e-4)
    assert make_config("quick", start="bundled", learning_rate=1e-2).learning_rate == 1e-2


def test_a_model_keeps_its_size_unless_another_is_given(tiny_model: Path):
    assert make_config("quick", start=str(tiny_model)).size == 48
    assert make_config("quick", start=str(tiny_model), size=96).size == 96
    assert make_config("quick", start="imagenet").size == 160


def test_a_starting_model_that_is_none_is_refused_at_once(tmp_path: Path):
    with pytest.raises(ModelFileError, match=r"none\.safetensors"):
        make_config("quick", start=str(tmp_path / "none.safetensors"))


def test_two_classes_that_start_from_a_trimap_model_keep_its_border(make_model: MakeModel):
    start = str(make_model(TRIMAP))
    two, three = scheme_of("custom", ["background", "object"]), scheme_of("x", list("abc"))
    assert trained_scheme(make_config("quick", start=start), two) == TRIMAP
    assert trained_scheme(make_config("quick", start=start), three) == three
    assert trained_scheme(make_config("quick", start=str(make_model(PET))), two) == two
    assert trained_scheme(make_config("quick", start="imagenet"), two) == two
    assert trained_scheme(make_config("baseline", start=start), two) == two


def test_starting_points(tmp_path: Path):
    assert start_model("imagenet") is None
    assert start_model("scratch") is None
    assert start_model("bundled") == bundled_model()
    assert start_model(str(tmp_path / "a.safetensors")) == tmp_path / "a.safetensors"


def test_binary_losses_refuse_a_third_class_and_say_what_to_use():
    three = scheme_of("x", ["background", "cat", "dog"])
    for loss, hint in (("bce", "ce"), ("bce_dice", "ce_dice")):
        with pytest.raises(BadInput, match=rf"--set loss={hint}, or the preset quick"):
            outputs_for(make_config("baseline", loss=loss), three)
    with pytest.raises(BadInput, match="this training has 3"):
        outputs_for(make_config("baseline", border="class"), TRIMAP)


@pytest.mark.parametrize(
    ("loss", "border", "outputs"),
    [
        ("bce", "foreground", 1),
        ("bce_dice", "ignore", 1),
        ("ce", "foreground", 2),
        ("ce_dice", "class", 3),
    ],
)
def test_a_network_has_an_output_for_each_class_that_is_left(loss: str, border: str, outputs: int):
    assert outputs_for(make_config("baseline", loss=loss, border=border), TRIMAP) == outputs


def write_config(run: Path, text: str) -> Path:
    run.mkdir(exist_ok=True)
    (run / "config.json").write_text(text)
    return run


def test_a_folder_that_is_no_run_is_named(tmp_path: Path):
    for run in (tmp_path, tmp_path / "gone"):
        with pytest.raises(BadInput, match="is not a run folder"):
            read_run_config(run)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_config_is_named(tmp_path: Path, text: str):
    with pytest.raises(BadInput, match=r"config\.json is damaged"):
        read_run_config(write_config(tmp_path, text))


def test_a_run_of_a_newer_version_asks_for_an_update(tmp_path: Path):
    with pytest.raises(BadInput, match="newer PetSeg"):
        read_run_config(write_config(tmp_path, json.dumps({"format": 2, "all": "different"})))


def test_a_config_comes_back_from_json():
    config = make_config("quick")
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config
