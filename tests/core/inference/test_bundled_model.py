"""The model that comes with PetSeg: small, sound, and good at what it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.drawing.animal_photo import draw_animal
from core.evaluation.evaluate import Report, evaluate
from core.inference.bundled import bundled_model
from core.inference.catalogue import list_models
from core.inference.predictor import Predictor
from core.labels import PET, BorderRule
from core.modelfile import onnx_path, read_description, read_onnx
from core.project.project import open_project

Predict = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def predict() -> Predict:
    """pixels -> mask of background and pet."""
    predictor = Predictor(bundled_model(), threads=1)
    return lambda pixels: predictor.predict(pixels).mask(PET, BorderRule.FOREGROUND)


def test_file_and_twin_are_small_and_belong_together():
    path = bundled_model()
    assert path.stat().st_size + onnx_path(path).stat().st_size <= 30e6
    about = read_description(path)
    read_onnx(path, about)
    assert about.parameters > 1e6
    assert about.metrics["val_iou"] > 0.85
    assert list_models()[0].path == path


def test_its_twin_says_what_its_weights_say():
    from core.models.export import TOLERANCE, parity
    from core.models.weights import load_model

    path = bundled_model()
    about = read_description(path)
    assert parity(load_model(path), read_onnx(path, about), about.activation) < TOLERANCE


def test_it_finds_the_animals_of_the_demo(predict: Predict):
    ious = []
    for seed in range(6):
        pixels, mask = draw_animal(seed, 240, 180)
        said = predict(pixels) == 1
        ious.append((said & (mask == 1)).sum() / (said | (mask == 1)).sum())
    assert np.mean(ious) > 0.75


def test_it_finds_the_pets_of_real_photos(predict: Predict, shared_data: Path):
    folder = shared_data / "oxford-iiit-pet"
    if not folder.is_dir():
        pytest.skip(f"no photos in {folder}")
    project = open_project(folder)
    split = project.split(project.names)
    names = [n for n in project.names if split[n] == "val"][::25]
    rows = tuple(
        evaluate(project, names, lambda _name, pixels: predict(pixels), BorderRule.FOREGROUND)
    )
    scores = Report(PET, rows).scores
    assert len(rows) >= 5
    assert scores.iou > 0.8
