"""From a photo and its mask file to what a network is trained on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL

from core.errors import BadInput
from core.images import ImageError
from core.inference.view import fit_whole
from core.labels import VOID, BorderRule, LabelScheme, apply_border_rule, listed, scheme_under
from core.project.project import Project

# The width of the border class where it is made of a mask without one: the Oxford trimaps'
# border is about this share of the longer side.
BORDER_SHARE = 0.015

# To be raised when the same files are decoded to other numbers.
_FORMAT = 1


class NoMask(BadInput):
    """An image whose mask was there when it was listed."""


@dataclass(frozen=True)
class Content:
    """What the files of an image hold: the SHA-256, in hex, of the photo and of the mask."""

    photo: str
    mask: str


@dataclass(frozen=True)
class Decoding:
    """What images and masks are brought to: fitted into size x size, padded, never stretched.

    scheme: the run's label scheme, before ``rule`` is applied to its border.
    """

    size: int
    scheme: LabelScheme
    rule: BorderRule

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a decoded image: red, green, blue and the mask, each size x size."""
        return 4, self.size, self.size

    @property
    def classes(self) -> int:
        """How many classes its masks can hold."""
        return len(scheme_under(self.scheme, self.rule).classes)

    def decode(self, project: Project, name: str) -> np.ndarray:
        """uint8, 4 x size x size: RGB planes, then the mask (class ids and VOID).

        Raises NoMask, ImageError, MaskError; BadInput where the project has other classes.
        """
        pixels = project.read_image(name).pixels
        mask = project.read_mask(name, (pixels.shape[1], pixels.shape[0]))
        if mask is None:
            raise NoMask("its mask is gone")
        mask = convert_mask(mask, project.settings.scheme, self.scheme)
        fitted = fit_whole(mask.shape[0], mask.shape[1], self.size)
        planes = np.empty(self.shape, np.uint8)
        planes[:3] = fitted.place(pixels).transpose(2, 0, 1)
        planes[3] = fitted.place_mask(apply_border_rule(mask, self.scheme, self.rule), VOID)
        return planes

    def key(self, project: Project, name: str, content: Content) -> bytes:
        """32 bytes that stand for everything that ``decode`` depends on."""
        mask = project.mask_source(name)
        official = mask is not None and not project.is_in_encoding(mask)
        parts = (
            *(_FORMAT, PIL.__version__, cv2.__version__),
            *(self.size, self.rule, self.scheme.names),
            *(project.settings.scheme.names, project.settings.mask_encoding, official),
            *(content.photo, content.mask),
        )
        return hashlib.sha256(json.dumps(parts).encode()).digest()


def content_of(project: Project, name: str) -> Content:
    """The content of an image's files as they are now. Raises NoMask, ImageError, MaskError."""
    photo = _sha256(project.image_path(name))  # first: of a photo that is gone no mask is known
    mask = project.mask_digest(name)
    if not mask:
        raise NoMask("its mask is gone")
    return Content(photo, mask)


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


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(path, error.strerror or str(error)) from error
