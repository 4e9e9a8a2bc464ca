"""Which classes a folder's masks can hold, and which they use."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.labels import PET, TRIMAP, scheme_of
from core.masks import MaskEncoding
from core.project.classes import border_is_fixed, can_hold_scheme, can_hold_void, image_using
from core.project.project import open_project

THREE = scheme_of("custom", ["background", "cat", "dog"])


@pytest.mark.parametrize("encoding", [MaskEncoding.BINARY255, MaskEncoding.BINARY1])
def test_binary_folders_hold_two_classes_and_no_void(make_project, encoding):
    project = open_project(make_project(1, encoding=encoding))
    assert can_hold_scheme(project, PET)
    assert not can_hold_scheme(project, THREE)
    assert not can_hold_void(project)


def test_folders_of_ids_hold_everything(make_project):
    project = open_project(make_project(1))
    assert can_hold_scheme(project, scheme_of("custom", [str(i) for i in range(254)]))
    assert can_hold_void(project)
    assert not border_is_fixed(project)


def test_trimaps_hold_their_border_and_void(make_project):
    root = make_project(1, 0)
    (root / "masks").mkdir()
    Image.fromarray(np.tile(np.uint8([1, 2, 3]), (48, 16))).save(root / "masks" / "animal-0.png")
    project = open_project(root)
    assert can_hold_scheme(project, TRIMAP)
    assert can_hold_void(project)
    assert border_is_fixed(project)
    four = scheme_of("custom", ["background", "pet", "border", "collar"])
    assert not can_hold_scheme(project, four)


def test_the_first_image_that_uses_a_class_is_named(make_project):
    root = make_project(3, scheme=THREE)
    mask = np.zeros((48, 48), np.uint8)
    mask[5, 6] = 2
    Image.fromarray(mask).save(root / "masks" / "animal-1.png")
    (root / "masks" / "animal-0.png").write_bytes(b"damaged")
    project = open_project(root)
    done: list[tuple[int, int]] = []
    assert image_using(project, 2, lambda *step: done.append(step), lambda: False) == "animal-1.png"
    assert image_using(project, 3, lambda *step: done.append(step), lambda: False) is None
    assert done == [(1, 3), (1, 3), (2, 3), (3, 3)]
    assert image_using(project, 2, lambda *step: None, lambda: True) is None
