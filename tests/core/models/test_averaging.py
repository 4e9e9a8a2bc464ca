"""The mean of models: its weights, what it says of itself, what has none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import BadInput
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP, scheme_of
from core.modelfile import METADATA_KEY, read_description
from core.models.averaging import average_models
from core.models.export import describe_anew

MakeModel = Callable[..., Path]


def test_a_mean_has_the_weights_between(make_model: MakeModel, tmp_path: Path):
    one, other = make_model(PET, seed=1, size=64), make_model(PET, seed=2)
    two = tmp_path / "two.safetensors"
    shutil.copy(other, two)
    describe_anew(two, read_description(other).model_copy(update={"temperature": 2.0}))
    out = tmp_path / "mean.safetensors"
    average_models([one, two], [3, 1], out, "Both")
    a, b = load_file(one), load_file(two)
    for key, value in load_file(out).items():
        if value.is_floating_point():
            wanted = 0.75 * a[key].float() + 0.25 * b[key].float()
            torch.testing.assert_close(value.float(), wanted, atol=2e-3, rtol=2e-3)  # float16
    about = read_description(out)
    assert (about.name, about.size, about.metrics) == ("Both", 64, {})
    assert about.temperature == pytest.approx(1.25)
    assert about.id not in {read_description(path).id for path in (one, two)}
    assert about.start == f"{one.name}, {two.name}"
    predicted = Predictor(out).predict(np.zeros((40, 30, 3), np.uint8))
    assert predicted.probabilities.shape == (2, 40, 30)


def test_others_have_no_mean(make_model: MakeModel, tmp_path: Path):
    one, other = make_model(PET), make_model(TRIMAP)
    renamed = make_model(scheme_of("farm", ["background", "hen"]))
    shifted = tmp_path / "shifted.safetensors"
    state = load_file(one)
    metadata = {METADATA_KEY: read_description(one).model_dump_json()}
    save_file({k: v + 1 if k == "mean" else v for k, v in state.items()}, shifted, metadata)
    out = tmp_path / "mean.safetensors"
    for models, shares, reason in (
        ([one], [1.0], "two models at least"),
        ([one, other], [1.0, 1.0], "another network"),
        ([one, renamed], [1.0, 1.0], "other classes"),
        ([one, shifted], [1.0, 1.0], "input"),
        ([one, one], [1.0], "as many shares"),
        ([one, one], [1.0, 0.0], "more than 0"),
        ([one, one], [1.0, float("nan")], "more than 0"),
    ):
        with pytest.raises(BadInput, match=reason):
            average_models(models, shares, out, "Mean")
    assert not out.exists()
