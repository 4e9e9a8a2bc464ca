"""A model's card: what its file tells of it, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.inference.card import card_rows, network_words
from core.labels import TRIMAP, BorderRule, LabelScheme
from core.modelfile import ModelDescription

PLACE = Path("somewhere/m.safetensors")


def described(scheme: LabelScheme = TRIMAP, **more: Any) -> ModelDescription:
    bare = {"id": "x", "name": "X", "border_rule": BorderRule.CLASS, "activation": "softmax"}
    return ModelDescription.model_validate(
        bare | {"scheme": scheme, "size": 64, "network": {}} | more
    )


def test_a_trained_model_tells_what_it_learnt_from_and_how_it_was_scored():
    data = {"folders": ["cats", "dogs"], "train": 20, "val": 5, "scored": "ignore"}
    metrics = {"val_iou": 0.87654}
    rows = dict(card_rows(described(data=data, metrics=metrics, network={"encoder": "vgg"}), PLACE))
    assert rows["Trained on"] == "cats, dogs"
    assert rows["Masks"] == "20 train, 5 val"
    assert rows["IoU per image"] == "0.877"
    assert rows["Figures"] == "on 5 validation images, border left out"
    assert rows["Border in training"] == "a class of its own"
    assert rows["File"] == str(PLACE)
    assert "Further training" not in rows


def test_what_is_not_known_is_left_out():
    rows = dict(card_rows(described(), PLACE))
    assert not {"Trained on", "Masks", "Figures", "Made", "Preset", "Parameters"} & rows.keys()
    assert rows["Further training"].startswith("not possible")


def test_what_a_stranger_wrote_as_data_is_only_text():
    data = {"folders": [1, None], "train": "many", "scored": ["odd"], "fingerprint": {"a": 1}}
    rows = dict(card_rows(described(data=data, metrics={"val_iou": 0.5}), PLACE))
    assert rows["Trained on"] == "1, None"
    assert rows["Figures"] == "on its validation images"


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({"encoder": "vgg11_bn"}, "U-Net on vgg11_bn"),
        ({"encoder": "vgg11_bn", "decoder": "light"}, "U-Net on vgg11_bn, light decoder"),
        ({"encoder": "resnet18", "layout": "resnet", "decoder": [8] * 5}, "U-Net on resnet18"),
        ({"width": 8, "depth": 3, "attention": True}, "Attention U-Net, 8 channels, 3 levels"),
        ({"layout": "plain"}, "U-Net"),
        ({}, "ONNX"),
    ],
)
def test_a_network_has_a_name(network: dict[str, Any], words: str):
    assert network_words(described(network=network)) == words
