"""How a model is asked, and what is made of its answer. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

MOST_TILES = 32
MOST_PIXELS = 1_000_000
"""The largest hole or island that can be asked for, as ``core.editing.cleanup`` has it."""


@dataclass(frozen=True)
class PredictOptions:
    """How images are segmented.

    threshold: the probability from which on a pixel is the object, 0 to 1; where two classes are
    asked for. flip: average with the mirrored image. tiles: so many parts across the longer side
    are looked at one by one, 1 to MOST_TILES; models of the view ``crops`` always work in tiles
    of their own. classes: those of the project that may appear, the others become background;
    None: all. fill_holes, remove_islands: pixels at the image's own size, 0: not at all;
    keep_largest: of each class only the largest piece: all three as in ``core.editing.cleanup``.
    """

    threshold: float = 0.5
    flip: bool = False
    tiles: int = 1
    classes: tuple[int, ...] | None = None
    fill_holes: int = 0
    remove_islands: int = 0
    keep_largest: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold lies between 0 and 1, not at {self.threshold}")
        if not 1 <= self.tiles <= MOST_TILES:
            raise ValueError(f"tiles are 1 to {MOST_TILES}, not {self.tiles}")
        if self.fill_holes < 0 or self.remove_islands < 0:
            raise ValueError("sizes of holes and islands are 0 pixels or more")
