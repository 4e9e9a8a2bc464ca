"""Label schemes (the ordered classes of a project) and border rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

import numpy as np

BACKGROUND = 0
"""Class id of what is no object."""

VOID = 255
"""Mask value of an unlabelled pixel: never trained on, never scored."""

MAX_CLASSES = 254
LONGEST_NAME = 100
_MOST_LISTED = 8
_SHADES = 9  # of red, green and blue each, to choose further colours from
_DARKEST = 25.0  # lightness L*: a darker class would not be told from the black of a photo
_VOID_GREY = (128, 128, 128)

# Okabe & Ito's colour-blind-safe palette; colours for further classes keep away from these.
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

    @property
    def words(self) -> str:
        """The rule as people read it."""
        return _BORDER_WORDS[self]


_BORDER_WORDS = {
    BorderRule.FOREGROUND: "the border counts as object",
    BorderRule.IGNORE: "the border is left out",
    BorderRule.BACKGROUND: "the border counts as background",
    BorderRule.CLASS: "the border is a class of its own",
}


@dataclass(frozen=True)
class LabelClass:
    """One class: its mask value (0 to 253), its name, its RGB colour (0 to 255).

    key: the character that chooses it in the window, "" where nobody set one. It is no part of
    what a class is: a model that learned a class knows nothing of keys.
    """

    id: int
    name: str
    colour: tuple[int, int, int]
    key: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.id < MAX_CLASSES:
            raise ValueError(f"class ids are 0 to {MAX_CLASSES - 1}, not {self.id}")
        if not 1 <= len(self.name) <= LONGEST_NAME:
            raise ValueError(f"class names have 1 to {LONGEST_NAME} characters")
        if len(self.colour) != 3 or not all(0 <= v <= 255 for v in self.colour):
            raise ValueError(f"a colour is three numbers of 0 to 255, not {self.colour}")
        if len(self.key) > 1 or self.key.isspace():
            raise ValueError(f"a class's key is one character, not {self.key!r}")


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
        keys = [c.key.casefold() for c in self.classes if c.key]
        if len(set(keys)) != len(keys):
            raise ValueError("the keys of classes must differ")

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.classes]

    @property
    def border_id(self) -> int | None:
        """The id of the class named ``border``, if the scheme is a trimap."""
        return 2 if self.names[2:] == ["border"] else None

    @property
    def keys(self) -> dict[int, str]:
        """Class id -> the key that chooses it: its own, or its id's digit where that is free."""
        own = {c.id: c.key for c in self.classes if c.key}
        digits = {c.id: str(c.id) for c in self.classes[:10] if not c.key}
        return own | {i: digit for i, digit in digits.items() if digit not in own.values()}


def scheme_of(name: str, class_names: Sequence[str]) -> LabelScheme:
    """A label scheme with the default colours. Raises ValueError for more than 254 classes."""
    return LabelScheme(
        name=name,
        classes=tuple(
            LabelClass(id=i, name=n, colour=default_colour(i)) for i, n in enumerate(class_names)
        ),
    )


def listed(words: Iterable[object]) -> str:
    """Words in one line, at most eight of them: "a, b, c", or "a, b, ... and 246 more"."""
    texts = [str(word) for word in words]
    more = len(texts) - _MOST_LISTED
    shown = ", ".join(texts[:_MOST_LISTED])
    return f"{shown} ... and {more} more" if more > 0 else shown


def default_colour(class_id: int) -> tuple[int, int, int]:
    """The default RGB colour of a class id (0 to 254)."""
    if class_id < len(_PALETTE):
        return _PALETTE[class_id]
    return _further_colours()[class_id - len(_PALETTE)]


@cache
def _further_colours() -> list[tuple[int, int, int]]:
    """Colours after the palette's: each the one that differs most from all before it.

    Farthest-point order over a grid of colours, by the distance in CIELAB.
    """
    shades = np.linspace(0, 255, _SHADES).round()
    grid = np.stack(np.meshgrid(shades, shades, shades, indexing="ij"), -1).reshape(-1, 3)
    lab = _lab(grid)
    usable = lab[:, 0] >= _DARKEST
    grid, lab = grid[usable], lab[usable]
    before = _lab(np.array([*_PALETTE, _VOID_GREY], float))
    nearest = np.linalg.norm(lab[:, None] - before, axis=-1).min(axis=1)
    colours: list[tuple[int, int, int]] = []
    while len(colours) <= MAX_CLASSES - len(_PALETTE):
        best = int(nearest.argmax())
        red, green, blue = (int(v) for v in grid[best])
        colours.append((red, green, blue))
        nearest = np.minimum(nearest, np.linalg.norm(lab - lab[best], axis=-1))
    return colours


def _lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB (n x 3, 0 to 255) as CIELAB under D65 (n x 3; L* of 0 to 100), by IEC 61966-2-1."""
    value = rgb / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


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


def decide(
    probabilities: np.ndarray, scheme: LabelScheme, rule: BorderRule, threshold: float = 0.5
) -> np.ndarray:
    """The mask that class probabilities give under a border rule.

    probabilities: float, ... x C x H x W, the classes of ``scheme``, sums of 1. Returns uint8,
    ... x H x W. A trimap's border joins the foreground, or the background, or (ignore) neither:
    then the other two share what is left. What is not background begins at ``threshold``, where
    two classes are asked for; otherwise it is the likeliest class.
    """
    if scheme.border_id is not None and rule is not BorderRule.CLASS:
        background, pet = probabilities[..., 0, :, :], probabilities[..., 1, :, :]
        if rule is BorderRule.IGNORE:
            shared: np.ndarray = threshold * (pet + background)
            return (pet >= shared).astype(np.uint8)
        if rule is BorderRule.FOREGROUND:
            return (background <= 1 - threshold).astype(np.uint8)
        return (pet >= threshold).astype(np.uint8)
    if len(scheme.classes) == 2:
        return (probabilities[..., 1, :, :] >= threshold).astype(np.uint8)
    likeliest: np.ndarray = probabilities.argmax(-3).astype(np.uint8)
    return likeliest
