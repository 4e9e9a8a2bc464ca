"""Starting weights: what fits is taken, what does not is named, nothing is ever executed."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from core.errors import BadInput, PetSegError
from core.modelfile import METADATA_KEY, ModelFileError, read_description
from core.models import state_dict
from core.models.encoders import batch_norms
from core.models.network import IMAGENET_MEAN, SegmentationNet, build_network
from core.models.weights import (
    has_identity_norms,
    load_imagenet,
    load_model,
    restore_norms,
    take_over,
)

from ..hostile import deflate

ENCODER = "mobilenet_v3_small"


@pytest.fixture(scope="module")
def classifier_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    state = torchvision.models.get_model(ENCODER, weights=None).state_dict()
    return {k: v.clone() for k, v in state.items()}


def encoder_net() -> SegmentationNet:
    torch.manual_seed(0)
    return build_network({"encoder": ENCODER, "outputs": 2})


def taken(net: SegmentationNet, state: dict[str, torch.Tensor]) -> bool:
    """Whether the encoder's first layer is that of a classifier."""
    first = net.body.stages.state_dict()["0.0.0.weight"]
    return torch.equal(first, state["features.0.0.weight"])


@pytest.mark.parametrize(
    ("name", "save"),
    [("w.safetensors", save_file), ("w.pth", torch.save), ("misnamed.safetensors", torch.save)],
)
def test_weights_from_a_file_are_taken(tmp_path: Path, classifier_state, name: str, save: Callable):
    path = tmp_path / name
    save(classifier_state, path)
    net = encoder_net()
    assert not taken(net, classifier_state)
    load_imagenet(net, str(path))
    assert taken(net, classifier_state)
    assert net.mean.flatten().tolist() == pytest.approx(IMAGENET_MEAN)


def test_a_file_may_name_its_own_normalisation(tmp_path: Path, classifier_state):
    path = tmp_path / "w.safetensors"
    save_file(classifier_state, path, metadata={"input": "RGB x/127.5-1"})
    net = encoder_net()
    load_imagenet(net, str(path))
    assert net.mean.flatten().tolist() == net.std.flatten().tolist() == [127.5] * 3


def test_a_classifier_of_other_classes_serves_as_well(tmp_path: Path, classifier_state):
    state = {k: v for k, v in classifier_state.items() if not k.startswith("classifier.3")}
    state["classifier.3.weight"] = torch.zeros(5, 1024)
    torch.save(state, tmp_path / "w.pth")
    net = encoder_net()
    load_imagenet(net, str(tmp_path / "w.pth"))
    assert taken(net, classifier_state)


def test_weights_of_another_network_are_named(tmp_path: Path):
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "w.pth")
    with pytest.raises(BadInput, match=rf"w\.pth: not the weights of {ENCODER} \(\d+ are missing"):
        load_imagenet(encoder_net(), str(tmp_path / "w.pth"))


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.parametrize("data", [b"", b"not weights", bytes(300)])
def test_what_holds_no_weights_is_named(tmp_path: Path, name: str, data: bytes):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput, match=rf"^{re.escape(name)} is no model file"):
        load_imagenet(encoder_net(), str(tmp_path / name))


@pytest.mark.parametrize("value", [[1, 2], {"a": "text"}, torch.zeros(3), {"epoch": 3}])
def test_a_file_that_is_no_state_dict_is_named(tmp_path: Path, value: object):
    torch.save(value, tmp_path / "w.pth")
    with pytest.raises(BadInput, match=r"^w\.pth holds no weights: a state dict was expected"):
        load_imagenet(encoder_net(), str(tmp_path / "w.pth"))


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match=r"No weights at .*gone\.pth"):
        load_imagenet(encoder_net(), str(tmp_path / "gone.pth"))


def test_weights_that_unpack_to_any_size_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state_dict, "MAX_BYTES", 1 << 20)
    path = tmp_path / "w.pth"
    torch.save({"features.0.0.weight": torch.zeros(1 << 19)}, path)
    deflate(path)
    assert path.stat().st_size < 1 << 14
    with pytest.raises(BadInput, match=r"^w\.pth unpacks to more"):
        load_imagenet(encoder_net(), str(path))


class Payload:
    """A pickle that would make a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("plain", [True, False])
def test_a_file_that_would_run_a_program_is_refused_and_not_run(tmp_path: Path, plain: bool):
    target, path = tmp_path / "owned", tmp_path / "w.pth"
    payload = {"weight": Payload(target)}
    if plain:
        path.write_bytes(pickle.dumps(payload))
    else:
        torch.save(payload, path)
    with pytest.raises(BadInput, match="holds Python objects besides weights"):
        load_imagenet(encoder_net(), str(path))
    assert not target.exists()
    # The payload was a real one.
    if plain:
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert target.exists()


@pytest.mark.parametrize("error", [URLError("no network"), RuntimeError("invalid hash value")])
def test_a_failed_download_says_how_to_do_without(
    monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def offline(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", offline)
    with pytest.raises(PetSegError, match=r"--set weights=FILE") as caught:
        load_imagenet(encoder_net())
    assert ENCODER in str(caught.value)
    assert "https://download.pytorch.org" in str(caught.value)


def test_a_download_is_checked_and_never_executed(
    monkeypatch: pytest.MonkeyPatch, classifier_state
):
    asked = {}

    def fetch(url: str, **options: object) -> dict[str, torch.Tensor]:
        asked.update(options, url=url)
        return classifier_state

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", fetch)
    net = encoder_net()
    load_imagenet(net)
    assert taken(net, classifier_state)
    assert asked["check_hash"] is True
    assert asked["weights_only"] is True


def test_a_network_of_our_own_has_no_imagenet_weights():
    with pytest.raises(BadInput, match="need an encoder"):
        load_imagenet(build_network({"outputs": 2, "width": 4, "depth": 1}))


# --- Norms that were folded away ---------------------------------------------------------------


def test_restored_norms_leave_the_function_as_it_was():
    net = encoder_net()
    encoder = net.body.stages
    with torch.no_grad():
        for norm in batch_norms(encoder):  # folded weights: scale and shift only
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
    assert has_identity_norms(encoder)
    torch.manual_seed(3)
    images = torch.randn(20, 3, 32, 32)
    encoder.eval()
    with torch.no_grad():
        before = encoder(images)
        restore_norms(encoder, images)
        after = encoder(images)
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)
    assert not has_identity_norms(encoder)


def test_after_restoring_training_sees_what_prediction_sees():
    torch.manual_seed(3)
    images = torch.randn(16, 3, 64, 64)

    def difference(encoder: torch.nn.Module) -> float:
        with torch.no_grad():
            expected = encoder.eval()(images)
            return float((encoder.train()(images) - expected).norm() / expected.norm())

    assert difference(encoder_net().body.stages) > 0.5
    restored = encoder_net().body.stages
    restore_norms(restored, images)
    assert difference(restored) < 0.05


def test_ordinary_norms_are_no_identities(classifier_state):
    net = encoder_net()
    assert has_identity_norms(net.body.stages)  # newborn
    batch_norms(net.body.stages)[3].running_mean.add_(0.5)
    assert not has_identity_norms(net.body.stages)
    assert not has_identity_norms(torch.nn.Conv2d(1, 1, 1))


# --- Model files -------------------------------------------------------------------------------


def test_a_model_is_a_starting_point(tiny_model: Path):
    old = load_model(tiny_model)
    net = build_network(old.network)
    take_over(net, old)
    wanted = old.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in net.state_dict().items())


def test_for_other_classes_all_but_the_last_layer_is_taken(tiny_model: Path):
    torch.manual_seed(5)
    old = load_model(tiny_model)
    net = build_network(old.network | {"outputs": 5})
    head = net.body.head.weight.clone()
    take_over(net, old)
    assert torch.equal(net.body.head.weight, head)
    assert torch.equal(net.body.first[0].weight, old.body.first[0].weight)


@pytest.mark.parametrize(
    "network",
    [
        {"outputs": 2, "width": 8, "depth": 2},
        {"encoder": "lenet", "outputs": 2},
        {"encoder": ["resnet18"], "outputs": 2},
        {"encoder": "fasterrcnn_resnet50_fpn", "outputs": 2},  # torchvision would download it
        {"outputs": "two"},
        {"width": 4},
        {"outputs": 2, "width": 1 << 20, "depth": 8},
        {"outputs": 2, "depth": 10**9},
        {"outputs": 2, "depth": -1},
    ],
)
def test_weights_that_do_not_fit_their_description_are_named(
    tmp_path: Path, tiny_model: Path, network: dict
):
    text = read_description(tiny_model).model_copy(update={"network": network}).model_dump_json()
    path = tmp_path / "m.safetensors"
    save_file(load_file(tiny_model), path, metadata={METADATA_KEY: text})
    with pytest.raises(ModelFileError, match=r"^m\.safetensors: its weights do not fit"):
        load_model(path)


def test_the_shared_weights_are_an_encoder_of_photos(shared_data: Path, animal: Callable):
    path = shared_data.parent / "weights" / "mobilenet_v2_imagenet_dequant.safetensors"
    if not path.is_file():
        pytest.skip(f"no shared weights at {path}")
    net = build_network({"encoder": "mobilenet_v2", "outputs": 2})
    load_imagenet(net, str(path))
    photos = np.stack([animal(s, 64, 64)[0] for s in range(4)]).transpose(0, 3, 1, 2)
    images = (torch.from_numpy(photos.copy()).float() - net.mean) / net.std
    assert has_identity_norms(net.body.stages)
    restore_norms(net.body.stages, images)
    assert not has_identity_norms(net.body.stages)
