"""What a training reads: fitted images and masks, in the run's classes; bad files left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.samples import BORDER_SHARE, convert_mask, load_samples, with_border
from core.errors import BadInput
from core.labels import PET, TRIMAP, VOID, BorderRule, scheme_of
from core.project.project import Project, open_project

MakeProject = Callable[..., Path]


def load(project: Project, size: int = 32, rule: BorderRule = BorderRule.FOREGROUND, scheme=None):
    pairs = [(project, n) for n in project.names]
    return load_samples(pairs, size, scheme or project.settings.scheme, rule, lambda: None)


def test_images_and_masks_are_fitted_and_padded(make_project: MakeProject):
    project = open_project(make_project(2, width=80, height=40))
    samples = load(project)
    assert samples.images.shape == (2, 3, 32, 32)
    assert samples.images.dtype == samples.masks.dtype == torch.uint8
    assert samples.masks.shape == (2, 32, 32)
    # 80 x 40 becomes 32 x 16: a quarter of the square above and below is padding.
    assert (samples.masks[:, :8] == VOID).all()
    assert (samples.masks[:, 24:] == VOID).all()
    assert (samples.masks[:, 8:24] != VOID).all()
    whole = project.read_mask(project.names[0])
    assert abs(whole.mean() - samples.masks[0, 8:24].float().mean()) < 0.05


def test_images_stay_rgb(make_project: MakeProject):
    project = open_project(make_project(1, width=32, height=32))
    samples = load(project)
    pixels = project.read_image(project.names[0]).pixels
    np.testing.assert_array_equal(samples.images[0].permute(1, 2, 0).numpy(), pixels)


def test_bad_files_are_left_out_with_their_reason(make_project: MakeProject):
    root = make_project(4)
    project = open_project(root)
    (root / "images" / "animal-0.png").write_bytes(b"")
    (root / "masks" / "animal-1.png").unlink()
    (root / "masks" / "animal-2.png").write_bytes(b"no mask")
    samples = load(project)
    assert len(samples) == 1
    assert [name for name, _ in samples.skipped] == [f"animal-{i}.png" for i in range(3)]
    assert "empty" in samples.skipped[0][1]
    assert all(reason for _, reason in samples.skipped)


def test_a_mask_that_was_removed_while_the_folder_was_open_is_left_out(make_project: MakeProject):
    project = open_project(make_project(2, 1))
    samples = load(project)
    assert samples.skipped == (("animal-1.png", "its mask is gone"),)


def test_each_image_shows_that_the_loading_is_alive(make_project: MakeProject):
    project = open_project(make_project(3))
    calls = []
    pairs = [(project, n) for n in project.names]
    load_samples(pairs, 32, PET, BorderRule.FOREGROUND, lambda: calls.append(1))
    assert len(calls) == 3


@pytest.mark.parametrize("rule", BorderRule)
def test_the_border_rule_acts_on_what_is_trained(make_project: MakeProject, rule: BorderRule):
    def bordered(mask: np.ndarray) -> np.ndarray:
        return with_border(mask, 2)

    project = open_project(make_project(1, width=32, height=32, scheme=TRIMAP, change=bordered))
    project.settings = replace(project.settings, scheme=TRIMAP)
    drawn = project.read_mask("animal-0.png")
    assert (drawn == 2).any()
    trained = load(project, rule=rule).masks[0].numpy()
    expected = {"foreground": 1, "ignore": VOID, "background": 0, "class": 2}[rule]
    assert (trained[drawn == 2] == expected).all()
    np.testing.assert_array_equal(trained[drawn != 2], drawn[drawn != 2])


def test_a_trimap_loses_its_border_to_the_foreground():
    mask = np.array([[0, 1, 2, VOID]], np.uint8)
    assert convert_mask(mask, TRIMAP, PET).tolist() == [[0, 1, 1, VOID]]


def test_masks_of_the_same_classes_stay_as_they_are():
    mask = np.array([[0, 1, 2, VOID]], np.uint8)
    assert convert_mask(mask, TRIMAP, TRIMAP) is mask


def test_a_mask_without_border_gets_one_along_its_outline_inside():
    mask = np.zeros((200, 300), np.uint8)
    mask[50:150, 60:220] = 1
    trimap = convert_mask(mask, PET, TRIMAP)
    assert set(np.unique(trimap)) == {0, 1, 2}
    assert (trimap[70:130, 80:200] == 1).all()
    assert (trimap[:30] == 0).all()
    profile = np.flatnonzero(trimap[100, :140] == 2)
    assert profile.tolist() == list(range(60, 60 + round(300 * BORDER_SHARE)))
    assert ((trimap > 0) == (mask > 0)).all()  # pet and border are what was painted
    assert mask.max() == 1  # what was given stays as it was


def test_a_border_is_never_laid_over_void():
    mask = np.zeros((40, 40), np.uint8)
    mask[:, 20:] = 1
    mask[:20] = VOID
    trimap = with_border(mask, 2)
    assert (trimap[:20] == VOID).all()
    assert (trimap[25:] == 2).any(1).all()


def test_a_small_mask_has_a_border_that_can_be_seen():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 1
    assert (with_border(mask, 2) == 2).any()


def test_other_classes_are_refused():
    with pytest.raises(BadInput, match="are not"):
        convert_mask(np.zeros((2, 2), np.uint8), scheme_of("x", list("abcd")), PET)
