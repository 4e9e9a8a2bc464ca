"""The mean of models: its weights, what it says of itself, what has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.errors import BadInput
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP
from core.modelfile import read_description
from core.models.averaging import average_models

MakeModel = Callable[..., Path]


def test_a_mean_has_the_weights_between(make_model: MakeModel, tmp_path: Path):
    one, two = make_model(PET, seed=1), make_model(PET, seed=2)
    out = tmp_path / "mean.safetensors"
    average_models([one, two], [3, 1], out, "Both")
    a, b = load_file(one), load_file(two)
    for key, value in load_file(out).items():
        if value.is_floating_point():
            wanted = 0.75 * a[key].float() + 0.25 * b[key].float()
            torch.testing.assert_close(value.float(), wanted, atol=2e-3, rtol=2e-3)  # float16
    about = read_description(out)
    assert (about.name, about.id, about.metrics) == ("Both", "mean", {})
    assert about.start == f"{one.name}, {two.name}"
    predicted = Predictor(out).predict(np.zeros((40, 30, 3), np.uint8))
    assert predicted.probabilities.shape == (2, 40, 30)


def test_others_have_no_mean(make_model: MakeModel, tmp_path: Path):
    one, other = make_model(PET), make_model(TRIMAP)
    out = tmp_path / "mean.safetensors"
    for models, shares, reason in (
        ([one], [1.0], "two models at least"),
        ([one, other], [1.0, 1.0], "another network or other classes"),
        ([one, one], [1.0], "as many shares"),
        ([one, one], [1.0, 0.0], "more than 0"),
        ([one, one], [1.0, float("nan")], "more than 0"),
    ):
        with pytest.raises(BadInput, match=reason):
            average_models(models, shares, out, "Mean")
    assert not out.exists()
