"""How a folder's images are segmented, as project.json keeps it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.errors import BadInput
from core.inference.options import PredictOptions
from core.project.settings import ProjectSettings, read_settings, write_settings

SET = PredictOptions(0.3, flip=True, tiles=4, classes=(1,), fill_holes=50, remove_islands=9)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "project.json"
    write_settings(path, replace(ProjectSettings(), prediction=SET))
    return path


def change(path, **changes):
    raw = json.loads(path.read_text())
    raw["prediction"] |= changes
    path.write_text(json.dumps(raw))


def test_what_is_written_is_read(path):
    assert read_settings(path).prediction == SET


def test_a_file_of_before_there_were_options_has_the_usual_ones(path):
    raw = json.loads(path.read_text())
    del raw["prediction"]
    path.write_text(json.dumps(raw))
    assert read_settings(path).prediction == PredictOptions()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 1.5),
        ("threshold", "half"),
        ("threshold", float("nan")),
        ("tiles", 0),
        ("tiles", 10**9),
        ("tiles", True),
        ("classes", [999]),
        ("classes", "all"),
        ("classes", 3),
        ("fill_holes", -1),
        ("remove_islands", 1.5),
        ("remove_islands", 10**12),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_file(path, name, value):
    change(path, **{name: value})
    with pytest.raises(BadInput, match=r"project\.json is damaged"):
        read_settings(path)
