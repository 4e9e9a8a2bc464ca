"""``petseg images``: the list without a screen."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.project.predictions import PredictionRecord
from core.project.project import open_project


@pytest.fixture
def folder(make_project):
    folder = make_project(images=6, masked=1)
    project = open_project(folder)
    for i, name in enumerate(project.names[1:], 1):
        mask = np.zeros((48, 48), np.uint8)
        mask[:i] = 1
        project.save_prediction(name, mask, PredictionRecord(name, "m", "Model", i / 10))
    return folder


def test_images_are_searched_and_sorted(petseg, folder, tmp_path):
    file = tmp_path / "images.json"
    options = ["status:predicted uncertainty<0.4", "--sort", "uncertainty", "--json", str(file)]
    done = petseg("images", str(folder), *options)
    assert done.code == 0
    rows = json.loads(file.read_text())
    assert [row["uncertainty"] for row in rows] == [0.3, 0.2, 0.1]
    assert rows[0] == {
        "image": "animal-3.png",
        "status": "predicted",
        "split": None,
        "uncertainty": 0.3,
        "disagreement": None,
        "object": 3 / 48,
        "parts": 1,
    }
    assert "animal-3.png" in done.out.splitlines()[1]


def test_the_most_useful_ones_are_named_with_why(petseg, folder):
    done = petseg("images", str(folder), "--useful", "2")
    lines = done.out.splitlines()
    assert len(lines) == 2
    assert all("the model is least sure of" in line for line in lines)


@pytest.mark.parametrize("options", [["colour:red"], ["--sort", "beauty"]])
def test_what_means_nothing_is_refused_in_a_line(petseg, folder, options):
    done = petseg("images", str(folder), *options)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1


def test_before_a_training_the_split_is_the_one_that_evaluating_takes(petseg, make_project):
    folder = make_project(images=12)
    project = open_project(folder)
    split = project.split(project.names)
    done = petseg("images", str(folder), "split:val")
    listed = [line.split()[0] for line in done.out.splitlines()[1:]]
    assert listed == [n for n in project.names if split[n] == "val"] != []
    assert project.known_split() == {}
