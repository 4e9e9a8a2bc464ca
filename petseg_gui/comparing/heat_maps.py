"""Heat maps of what a model says: how sure it is of a class, and where it is unsure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class HeatMap:
    """values: uint8, h x w, over the whole image; low, high: what 0 and 255 stand for.

    note: what it shows, in a sentence.
    """

    values: np.ndarray
    title: str
    low: str = "0 %"
    high: str = "100 %"
    note: str = ""
