"""Model files: whatever is not one, is damaged or newer is named; nothing else gets through."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.files import sha256
from core.labels import PET
from core.modelfile import (
    METADATA_KEY,
    ModelDescription,
    ModelFileError,
    onnx_path,
    read_description,
    read_onnx,
)


def describe(**changes: Any) -> dict[str, Any]:
    value = {
        "format": 1,
        "id": "x-1",
        "name": "X",
        "scheme": asdict(PET),
        "border_rule": "foreground",
        "activation": "softmax",
        "size": 64,
        "network": {"outputs": 2},
    }
    return value | changes


def write_model(path: Path, text: str | None) -> Path:
    metadata = {"other": "x"} if text is None else {METADATA_KEY: text}
    save_file({"w": np.zeros(3, np.float16)}, path, metadata=metadata)
    return path


def test_a_description_comes_back(tmp_path: Path):
    path = write_model(tmp_path / "m.safetensors", json.dumps(describe(metrics={"val_iou": 0.5})))
    description = read_description(path)
    assert description.scheme == PET
    assert description.metrics == {"val_iou": 0.5}
    assert ModelDescription.model_validate(description.model_dump(mode="json")) == description


def test_models_of_before_and_after_classes_had_keys_are_read(tmp_path: Path):
    for key in ({}, {"key": ""}, {"key": "q"}):
        classes = [
            {"id": i, "name": name, "colour": [0, 0, i]} | (key if i else {})
            for i, name in enumerate(["background", "pet"])
        ]
        scheme = {"name": "pet", "classes": classes}
        path = write_model(tmp_path / "m.safetensors", json.dumps(describe(scheme=scheme)))
        assert read_description(path).scheme.names == PET.names


def test_a_missing_model_is_named(tmp_path: Path):
    for path in (tmp_path / "gone.safetensors", tmp_path):
        with pytest.raises(ModelFileError, match=r"No model at .*\. Choose another one\."):
            read_description(path)


@pytest.mark.parametrize(
    "data", [b"", b"a text file", b"PK\x03\x04" + bytes(50), b"\xff" * 100, bytes(16)]
)
def test_what_is_no_model_is_named(tmp_path: Path, data: bytes):
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"^m\.safetensors is not a model file"):
        read_description(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_model_is_named(tmp_path: Path, tiny_model: Path, share: float):
    data = tiny_model.read_bytes()
    path = tmp_path / "m.safetensors"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelFileError, match=r"^m\.safetensors"):
        read_description(path)


def test_weights_of_another_program_are_named(tmp_path: Path):
    path = write_model(tmp_path / "m.safetensors", None)
    with pytest.raises(ModelFileError, match="not saved by PetSeg"):
        read_description(path)


def test_a_newer_format_asks_for_an_update_whatever_else_it_holds(tmp_path: Path):
    path = write_model(tmp_path / "m.safetensors", json.dumps({"format": 2, "all": "different"}))
    with pytest.raises(ModelFileError, match=r"newer PetSeg \(model format 2; this one reads 1\)"):
        read_description(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 1}',
        json.dumps(describe(format="new")),
        json.dumps(describe(size=7)),
        json.dumps(describe(scheme={"name": "x", "classes": []})),
        json.dumps(describe(activation="relu")),
        json.dumps(describe(temperature=0)),
    ],
)
def test_a_damaged_description_is_named(tmp_path: Path, text: str):
    path = write_model(tmp_path / "m.safetensors", text)
    with pytest.raises(ModelFileError, match=r"^m\.safetensors: its description is damaged \("):
        read_description(path)


def test_a_description_of_any_length_is_refused(tmp_path: Path):
    path = write_model(tmp_path / "m.safetensors", json.dumps(describe(preset="x" * (1 << 20))))
    with pytest.raises(ModelFileError, match=r"^m\.safetensors: its description is larger than"):
        read_description(path)


@pytest.fixture
def copied(tmp_path: Path, tiny_model: Path) -> Path:
    """A copy of the tiny model that may be damaged."""
    for path in (tiny_model, onnx_path(tiny_model)):
        shutil.copy(path, tmp_path)
    return tmp_path / tiny_model.name


def test_the_twin_is_checked_by_its_hash(copied: Path):
    description = read_description(copied)
    assert sha256(read_onnx(copied, description)) == description.onnx_sha256


def test_a_missing_twin_is_named(copied: Path):
    onnx_path(copied).unlink()
    with pytest.raises(ModelFileError, match=r"needs its twin tiny\.onnx beside it"):
        read_onnx(copied, read_description(copied))


def test_another_models_twin_is_refused(copied: Path, make_model):
    shutil.copy(onnx_path(make_model(seed=1)), onnx_path(copied))
    with pytest.raises(ModelFileError, match=r"tiny\.onnx is damaged, or belongs to another"):
        read_onnx(copied, read_description(copied))


def test_a_truncated_twin_is_refused(copied: Path):
    twin = onnx_path(copied)
    twin.write_bytes(twin.read_bytes()[:-10])
    with pytest.raises(ModelFileError, match="is damaged"):
        read_onnx(copied, read_description(copied))
