"""Seg-Grad-CAM: the formula, the layers it looks at, model files, its process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from torch import nn

from core.editing.region import Region
from core.errors import BadInput
from core.explanation.gradcam import decoder_levels, explain_by_gradients, seg_grad_cam
from core.explanation.look import Detail, Question, look_at
from core.explanation.parcel import packed_region, unpacked
from core.labels import PET, BorderRule
from core.modelfile import METADATA_KEY, onnx_path, read_description
from core.models.network import build_network

WHY_PET = Question(1, PET, BorderRule.FOREGROUND)


def box(x0: int, y0: int, x1: int, y1: int) -> Region:
    return Region((x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), bool))


def test_it_is_what_the_formula_gives_by_hand() -> None:
    """Features A (2 channels) of a 1 x 1 convolution, logits a 1 x 1 convolution of relu(A)."""
    into, out = nn.Conv2d(3, 2, 1, bias=False), nn.Conv2d(2, 2, 1)
    with torch.no_grad():
        into.weight.copy_(torch.tensor([[1.0, 0, -1], [0, 2, 0]]).view(2, 3, 1, 1))
        out.weight.copy_(torch.tensor([[1.0, 1], [3, -1]]).view(2, 2, 1, 1))
    net = nn.Sequential(into, nn.ReLU(), out).requires_grad_(False)
    pixels = np.random.default_rng(0).random((3, 4, 5), dtype=np.float32)
    region = np.zeros((4, 5), bool)
    region[1:3, 2:5] = True

    cam = seg_grad_cam(
        net,
        net[1],
        torch.from_numpy(pixels[None]),
        lambda logits: logits[0, 1][torch.from_numpy(region)].sum(),
    )

    features = np.maximum([pixels[0] - pixels[2], 2 * pixels[1]], 0)
    # dy/dA is the class's weight inside the region and 0 outside: its mean over all 20 pixels.
    weights = np.array([3, -1]) * region.sum() / region.size
    wanted = np.maximum((weights[:, None, None] * features).sum(0), 0)
    assert wanted.any()
    assert cam.numpy() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("network", "sides"),
    [
        ({"outputs": 2, "width": 4, "depth": 2}, [16, 32, 64]),
        ({"outputs": 1, "width": 4, "depth": 1, "attention": True}, [32, 64]),
        ({"outputs": 3, "encoder": "mobilenet_v2"}, [2, 4, 8, 16, 32]),
        ({"outputs": 3, "encoder": "resnet18"}, [2, 4, 8, 16, 32]),
        ({"outputs": 3, "encoder": "mobilenet_v2", "decoder": "fine"}, [2, 4, 8, 16, 32]),
        ({"outputs": 3, "encoder": "mobilenet_v2", "decoder": "light"}, [4, 8, 16, 32]),
    ],
)
def test_the_levels_run_from_the_bottleneck_up_the_decoder(
    network: dict[str, object], sides: list[int]
) -> None:
    net, image = build_network(network).eval(), torch.zeros(1, 3, 64, 64)
    levels = decoder_levels(net, image)
    found: list[int] = []
    for level in levels:
        level.register_forward_hook(lambda _, __, output: found.append(output.shape[2]))
    net(image)
    assert sorted(found) == sides
    head = net.body.head
    assert all(head not in level.modules() for level in levels)


def test_a_network_without_features_is_refused() -> None:
    with pytest.raises(BadInput, match="single layer"):
        decoder_levels(nn.Sequential(nn.Conv2d(3, 2, 1)), torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize("detail", Detail)
def test_a_model_file_is_explained_at_the_size_that_it_saw(tiny_model, animal, detail) -> None:
    pixels, _ = animal(0, 60, 40)
    look = look_at(pixels, read_description(tiny_model), box(0, 0, 60, 40))
    found = explain_by_gradients(tiny_model, look, WHY_PET, detail)
    assert found.values.shape == (32, 48)  # 60 x 40 fitted into 48
    assert found.values.min() >= 0
    assert found.values.max() == pytest.approx(1 if found.peak else 0)
    assert found.peak > 0 or detail is Detail.FINE  # where nothing of this network spoke for it
    assert found.grain == pytest.approx({"coarse": 4, "medium": 2, "fine": 1}[detail] * 60 / 48)
    assert found.about == "the place you chose"


def test_it_depends_on_the_place_that_is_asked_about(tiny_model, animal) -> None:
    pixels, _ = animal(0)
    description = read_description(tiny_model)
    left, right = (
        explain_by_gradients(tiny_model, look_at(pixels, description, at), WHY_PET, Detail.COARSE)
        for at in (box(0, 0, 12, 48), box(36, 0, 48, 48))
    )
    assert not np.allclose(left.values, right.values)


def test_both_classes_of_a_single_output_can_be_explained(make_model, animal) -> None:
    model = make_model(activation="sigmoid")
    pixels, _ = animal(0)
    look = look_at(pixels, read_description(model), box(10, 10, 30, 30))
    background, pet = (
        explain_by_gradients(model, look, Question(v, PET, BorderRule.CLASS), Detail.FINE)
        for v in (0, 1)
    )
    # What speaks for one speaks against the other: nowhere do both shine.
    assert pet.peak > 0 or background.peak > 0
    assert float((background.values * pet.values).max()) == pytest.approx(0, abs=1e-6)


def test_a_model_without_weights_is_refused(tiny_model, tmp_path, animal) -> None:
    description = read_description(tiny_model).model_copy(update={"network": {}})
    path = tmp_path / "imported.safetensors"
    metadata = {METADATA_KEY: json.dumps(description.model_dump(mode="json"))}
    save_file(load_file(tiny_model), path, metadata)
    onnx_path(path).write_bytes(onnx_path(tiny_model).read_bytes())
    pixels, _ = animal(0)
    with pytest.raises(BadInput, match="Occlusion works"):
        explain_by_gradients(path, look_at(pixels, description, None), WHY_PET, Detail.COARSE)


def test_its_process_gives_the_same(tiny_model, tmp_path: Path, animal, ask_child) -> None:
    pixels, _ = animal(0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    region = box(5, 6, 30, 31)
    request = {
        "image": str(tmp_path / "a.png"),
        "model": str(tiny_model),
        "value": 1,
        "classes": PET.names,
        "rule": "foreground",
        "region": packed_region(region),
        "detail": "coarse",
    }
    _, lines = ask_child("core.explanation", request)
    assert [list(line) for line in lines[:-1]] == [["progress"]] * (len(lines) - 1)
    found = unpacked(lines[-1]["result"])
    look = look_at(pixels, read_description(tiny_model), region)
    wanted = explain_by_gradients(tiny_model, look, WHY_PET, Detail.COARSE)
    assert found.values == pytest.approx(wanted.values, abs=1 / 255)
    assert (found.box, found.about) == (wanted.box, wanted.about)
    assert found.peak == pytest.approx(wanted.peak, rel=1e-3)
