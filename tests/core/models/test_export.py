"""Saving a model: rounded weights and a twin that agrees, or nothing at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.errors import PetSegError
from core.files import WriteError
from core.labels import PET, BorderRule
from core.modelfile import ModelDescription, onnx_path, read_description, read_onnx
from core.models import export
from core.models.export import TOLERANCE, describe_anew, parity, save_model, to_onnx
from core.models.network import SegmentationNet
from core.models.weights import load_model
from core.runtime import onnxruntime

NETWORK = {"outputs": 2, "width": 4, "depth": 2}
BalancedNet = Callable[..., SegmentationNet]


def description(**changes: Any) -> ModelDescription:
    values = {
        "id": "x-1",
        "name": "Müller's model",
        "scheme": PET,
        "border_rule": BorderRule.CLASS,
        "activation": "softmax",
        "size": 48,
        "network": NETWORK,
    }
    return ModelDescription(**(values | changes))


def test_a_saved_model_comes_back(tmp_path: Path, balanced_net: BalancedNet):
    net = balanced_net(NETWORK)
    path = tmp_path / "m.safetensors"
    written = save_model(net, description(metrics={"val_iou": 0.5}), path)
    assert read_description(path) == written
    assert written.name == "Müller's model"
    again = load_model(path)
    assert not again.training
    image = torch.rand(1, 3, 37, 91) * 255
    with torch.no_grad():
        difference = torch.softmax(again(image), 1) - torch.softmax(net(image), 1)
    assert 0 < difference.abs().max() < 0.02  # float16 is rounded, but not by more


def test_weights_are_float16_and_norms_stay_whole(tmp_path: Path, balanced_net: BalancedNet):
    net = balanced_net(NETWORK)
    net.body.first[1].running_var.fill_(1e6)  # past float16's largest number
    path = tmp_path / "m.safetensors"
    save_model(net, description(), path)
    saved = load_file(path)
    assert saved["body.first.0.weight"].dtype == torch.float16
    assert saved["body.first.1.running_var"].dtype == torch.float32
    assert (saved["body.first.1.running_var"] == 1e6).all()


def test_a_model_in_another_memory_layout_is_saved(tmp_path: Path, balanced_net: BalancedNet):
    net = balanced_net(NETWORK).to(memory_format=torch.channels_last)
    save_model(net, description(), tmp_path / "m.safetensors")
    load_model(tmp_path / "m.safetensors")


def test_the_twin_is_made_of_the_rounded_weights(tmp_path: Path, balanced_net: BalancedNet):
    path = tmp_path / "m.safetensors"
    written = save_model(balanced_net(NETWORK), description(), path)
    assert parity(load_model(path), read_onnx(path, written), "softmax") < TOLERANCE / 10


def test_saving_changes_nothing_in_the_network(tmp_path: Path, balanced_net: BalancedNet):
    net = balanced_net(NETWORK)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net.train()
    save_model(net, description(), tmp_path / "m.safetensors")
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_a_twin_that_disagrees_is_noticed(balanced_net: BalancedNet):
    one, other = balanced_net(NETWORK), balanced_net(NETWORK, seed=1)
    for activation in ("softmax", "sigmoid"):
        assert parity(one, to_onnx(other), activation) > 0.05
        assert parity(one, to_onnx(one), activation) < TOLERANCE


@pytest.mark.parametrize("difference", [0.01, float("nan")])
def test_a_model_that_disagrees_with_its_twin_is_not_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    balanced_net: BalancedNet,
    difference: float,
):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    monkeypatch.setattr(export, "parity", lambda *_args: difference)
    with pytest.raises(PetSegError, match="nothing was written"):
        save_model(balanced_net(NETWORK), description(), path)
    assert path.read_bytes() == b"old"
    assert not onnx_path(path).exists()


def test_the_twin_takes_any_batch_and_any_size(balanced_net: BalancedNet):
    session = onnxruntime.InferenceSession(to_onnx(balanced_net(NETWORK)))
    for shape in ((1, 3, 1, 1), (3, 3, 50, 17), (2, 3, 128, 64)):
        (logits,) = session.run(None, {"image": np.zeros(shape, np.float32)})
        assert logits.shape == (shape[0], 2, *shape[2:])


def test_a_new_description_leaves_weights_and_twin(tmp_path: Path, balanced_net: BalancedNet):
    path = tmp_path / "m.safetensors"
    written = save_model(balanced_net(NETWORK), description(), path)
    weights, twin = load_file(path), onnx_path(path).read_bytes()
    describe_anew(path, written.model_copy(update={"metrics": {"val_iou": 0.9}}))
    again = read_description(path)
    assert again.metrics == {"val_iou": 0.9}
    assert read_onnx(path, again) == twin
    assert all(torch.equal(v, weights[k]) for k, v in load_file(path).items())


def test_a_full_disk_is_a_write_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, balanced_net: BalancedNet
):
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        save_model(balanced_net(NETWORK), description(), tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fitting", [0, 1])
def test_a_disk_that_is_full_half_way_leaves_the_old_model_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, balanced_net: BalancedNet, fitting: int
):
    path = tmp_path / "m.safetensors"
    save_model(balanced_net(NETWORK), description(), path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    flushed = []

    def full(handle: int) -> None:
        flushed.append(handle)
        if len(flushed) > fitting:  # of the two files none, or only one, fits
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        save_model(balanced_net(NETWORK, seed=1), description(id="x-2"), path)
    monkeypatch.undo()
    assert read_onnx(path, read_description(path))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
