"""The demo project that the program draws itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import demo
from core.errors import BadInput
from core.labels import PET
from core.masks import MaskEncoding
from core.project.project import open_project
from core.project.reviews import Status
from core.training.plan import plan_training


@pytest.fixture
def small_drawings(monkeypatch: pytest.MonkeyPatch, animal) -> None:
    monkeypatch.setattr(demo, "draw_animal", lambda seed: animal(seed, 64, 48))


@pytest.mark.usefixtures("small_drawings")
def test_the_demo_opens_as_a_project_with_photos_left_to_segment(tmp_path: Path):
    assert list(demo.draw_demo(tmp_path / "demo", images=6, masked=4)) == [1, 2, 3, 4, 5, 6]
    project = open_project(tmp_path / "demo")
    assert project.settings.scheme == PET
    assert project.settings.mask_encoding is MaskEncoding.IDS
    assert len(project.names) == 6
    assert len(project.named([Status.APPROVED])) == 4
    assert len(project.named([Status.UNLABELLED])) == 2
    assert plan_training(project).problem == ""


@pytest.mark.usefixtures("small_drawings")
def test_the_demos_masks_are_those_that_were_drawn(tmp_path: Path, animal):
    list(demo.draw_demo(tmp_path, images=2, masked=2, first_seed=7))
    project = open_project(tmp_path)
    for seed, name in zip((7, 8), project.names, strict=True):
        pixels, mask = animal(seed, 64, 48)
        np.testing.assert_array_equal(project.read_mask(name), mask)
        difference = project.read_image(name).pixels.astype(int) - pixels
        assert np.abs(difference).mean() < 12  # a JPEG


@pytest.mark.usefixtures("small_drawings")
def test_a_folder_with_photos_is_never_drawn_into(tmp_path: Path, snapshot):
    list(demo.draw_demo(tmp_path, images=1, masked=1))
    before = snapshot(tmp_path)
    with pytest.raises(BadInput, match="holds images already"):
        list(demo.draw_demo(tmp_path, images=3))
    assert snapshot(tmp_path) == before


def test_the_shipped_demos_seeds_are_kept_out_of_training():
    assert demo.IMAGES <= demo.FIRST_TRAINING_SEED
