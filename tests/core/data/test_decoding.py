"""Masks of one project in another's classes."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.decoding import BORDER_SHARE, convert_mask, with_border
from core.errors import BadInput
from core.labels import PET, TRIMAP, VOID, scheme_of


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
