"""Label schemes (the ordered classes of a project) and border rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

VOID = 255
"""Mask value of an unlabelled pixel: never trained on, never scored."""

MAX_CLASSES = 254
_LONGEST_NAME = 100

# Okabe & Ito's colour-blind-safe palette, then evenly spread hues.
_PALETTE = (
    (0, 0, 0),
    (86, 180, 233),
    (240, 228, 66),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (0, 114, 178),
)


class BorderRule(StrEnum):
    """How a trimap's border class counts where two classes are asked for."""

    FOREGROUND = "foreground"
    IGNORE = "ignore"
    BACKGROUND = "background"
    CLASS = "class"


@dataclass(frozen=True)
class LabelClass:
    """One class: its mask value (0 to 253), its name, its RGB colour (0 to 255)."""

    id: int
    name: str
    colour: tuple[int, int, int]

    def __post_init__(self) -> None:
        if not 0 <= self.id < MAX_CLASSES:
            raise ValueError(f"class ids are 0 to {MAX_CLASSES - 1}, not {self.id}")
        if not 1 <= len(self.name) <= _LONGEST_NAME:
            raise ValueError(f"class names have 1 to {_LONGEST_NAME} characters")
        if len(self.colour) != 3 or not all(0 <= v <= 255 for v in self.colour):
            raise ValueError(f"a colour is three numbers of 0 to 255, not {self.colour}")


@dataclass(frozen=True)
class LabelScheme:
    """The ordered classes of a project or model; ids run from 0 without gaps, 0 is background."""

    name: str
    classes: tuple[LabelClass, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.classes) <= MAX_CLASSES:
            raise ValueError(f"a label scheme has 2 to {MAX_CLASSES} classes")
        if [c.id for c in self.classes] != list(range(len(self.classes))):
            raise ValueError("class ids must run from 0 without gaps")
        if len({c.name for c in self.classes}) != len(self.classes):
            raise ValueError("class names must differ")

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.classes]

    @property
    def border_id(self) -> int | None:
        """The id of the class named ``border``, if the scheme is a trimap."""
        return 2 if self.names[2:] == ["border"] else None


def scheme_of(name: str, class_names: Sequence[str]) -> LabelScheme:
    """A label scheme with the default colours. Raises ValueError for more than 254 classes."""
    return LabelScheme(
        name=name,
        classes=tuple(
            LabelClass(id=i, name=n, colour=default_colour(i)) for i, n in enumerate(class_names)
        ),
    )


def default_colour(class_id: int) -> tuple[int, int, int]:
    """The default RGB colour of a class id (0 to 254)."""
    if class_id < len(_PALETTE):
        return _PALETTE[class_id]
    # The golden ratio spreads any number of hues evenly.
    hue = class_id * 0.618034 % 1.0
    shift = np.array([0.0, 1 / 3, 2 / 3])
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (hue - shift))
    red, green, blue = (int(v) for v in np.rint(60 + 190 * wave))
    return red, green, blue


PET = scheme_of("pet", ["background", "pet"])
TRIMAP = scheme_of("trimap", ["background", "pet", "border"])


def apply_border_rule(mask: np.ndarray, scheme: LabelScheme, rule: BorderRule) -> np.ndarray:
    """A trimap's mask as the rule wants it; other schemes' masks are returned as they are.

    mask: uint8, any shape, class ids and VOID. Returns uint8 of the same shape with ids 0 and 1
    (and VOID), or the mask itself under ``BorderRule.CLASS``.
    """
    if scheme.border_id is None or rule is BorderRule.CLASS:
        return mask
    lut = np.arange(256, dtype=np.uint8)
    lut[scheme.border_id] = {
        BorderRule.FOREGROUND: 1,
        BorderRule.IGNORE: VOID,
        BorderRule.BACKGROUND: 0,
    }[rule]
    ruled: np.ndarray = lut[mask]
    return ruled


def scheme_under(scheme: LabelScheme, rule: BorderRule) -> LabelScheme:
    """The classes that are left of ``scheme`` once ``rule`` was applied to its masks."""
    if scheme.border_id is None or rule is BorderRule.CLASS:
        return scheme
    return LabelScheme(name=PET.name, classes=scheme.classes[:2])


def decide(probabilities: np.ndarray, scheme: LabelScheme, rule: BorderRule) -> np.ndarray:
    """The mask that class probabilities give under a border rule.

    probabilities: float, ... x C x H x W, the classes of ``scheme``, sums of 1. Returns uint8,
    ... x H x W. A trimap's border joins the foreground, or the background, or (ignore) neither:
    then the likelier of the other two wins. Otherwise the likeliest class.
    """
    if scheme.border_id is not None and rule is not BorderRule.CLASS:
        background, pet = probabilities[..., 0, :, :], probabilities[..., 1, :, :]
        if rule is BorderRule.IGNORE:
            return (pet >= background).astype(np.uint8)
        if rule is BorderRule.FOREGROUND:
            return (background <= 0.5).astype(np.uint8)
        return (pet >= 0.5).astype(np.uint8)
    if len(scheme.classes) == 2:
        return (probabilities[..., 1, :, :] >= 0.5).astype(np.uint8)
    likeliest: np.ndarray = probabilities.argmax(-3).astype(np.uint8)
    return likeliest
