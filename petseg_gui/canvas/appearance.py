"""How photo and mask look. Nothing here changes a pixel of either."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WIDEST_OUTLINE = 10
GRID_ZOOM = 8.0
"""From this zoom on the borders of the pixels can be shown."""


class Mode(StrEnum):
    """How the mask shows its classes."""

    FILL = "fill"
    OUTLINE = "outline"
    CUTOUT = "cutout"


class Colours(StrEnum):
    """Which colours the classes have: the label scheme's, or a set that everybody tells apart."""

    SCHEME = "scheme"
    SAFE = "safe"


@dataclass(frozen=True)
class Appearance:
    """opacity: of a filled mask, 0 to 1; outline_width: device pixels, 1 to WIDEST_OUTLINE.

    brightness, contrast: of the photo alone, -1 to 1, 0 shows it as it is.
    """

    opacity: float = 0.5
    mode: Mode = Mode.FILL
    outline_width: int = 2
    brightness: float = 0.0
    contrast: float = 0.0
    grid: bool = False
    colours: Colours = Colours.SCHEME
