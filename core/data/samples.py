"""What a training reads: images and masks, decoded once into memory at the training's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from core.errors import BadInput
from core.inference.view import fit_whole
from core.labels import VOID, BorderRule, LabelScheme, apply_border_rule, listed
from core.project.project import Project

# The width of the border class where it is made of a mask without one: the Oxford trimaps'
# border is about this share of the longer side.
BORDER_SHARE = 0.015


@dataclass(frozen=True)
class Samples:
    """images: uint8 N x 3 x S x S, RGB; masks: uint8 N x S x S, class ids and VOID.

    skipped: (image, reason) of those that could not be read.
    """

    images: Tensor
    masks: Tensor
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.images)


def load_samples(
    pairs: Sequence[tuple[Project, str]],
    size: int,
    scheme: LabelScheme,
    rule: BorderRule,
    alive: Callable[[], None],
) -> Samples:
    """Decode images and masks, fitted into size x size (padded, never stretched).

    scheme: the run's label scheme, before ``rule`` is applied to its border. alive is called after
    each image. Files that cannot be read are skipped, with their reason.
    """
    images, masks, skipped = [], [], []
    for project, name in pairs:
        alive()
        try:
            pixels = project.read_image(name).pixels
            mask = project.read_mask(name, (pixels.shape[1], pixels.shape[0]))
        except BadInput as error:
            skipped.append((name, str(error)))
            continue
        if mask is None:
            skipped.append((name, "its mask is gone"))
            continue
        mask = convert_mask(mask, project.settings.scheme, scheme)
        fitted = fit_whole(mask.shape[0], mask.shape[1], size)
        images.append(torch.from_numpy(fitted.place(pixels)).permute(2, 0, 1))
        ruled = apply_border_rule(mask, scheme, rule)
        masks.append(torch.from_numpy(fitted.place_mask(ruled, VOID)))
    empty = torch.zeros(0, dtype=torch.uint8)
    return Samples(
        torch.stack(images) if images else empty,
        torch.stack(masks) if masks else empty,
        tuple(skipped),
    )


def convert_mask(mask: np.ndarray, scheme: LabelScheme, wanted: LabelScheme) -> np.ndarray:
    """A mask of one project in another's classes (uint8, height x width).

    A trimap loses its border to the foreground; a mask without border gets one around its
    outline. Raises BadInput where the classes have nothing to do with each other.
    """
    if len(scheme.classes) == len(wanted.classes):
        return mask
    if scheme.border_id is not None and len(wanted.classes) == 2:
        return apply_border_rule(mask, scheme, BorderRule.FOREGROUND)
    if wanted.border_id is not None and len(scheme.classes) == 2:
        return with_border(mask, wanted.border_id)
    raise BadInput(f"classes {listed(scheme.names)} are not {listed(wanted.names)}")


def with_border(mask: np.ndarray, border: int) -> np.ndarray:
    """A two-class mask whose outermost rim, BORDER_SHARE of the longer side, is the border class.

    The rim lies inside, so that pet and border together are exactly what was painted.
    """
    width = max(1, round(max(mask.shape) * BORDER_SHARE))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    # Void counts as pet here: where nobody painted there is no outline.
    inside = (mask != 0).astype(np.uint8)
    core = cv2.erode(inside, kernel, borderValue=1).astype(bool)
    trimap = mask.copy()
    trimap[(mask == 1) & ~core] = border
    return trimap
