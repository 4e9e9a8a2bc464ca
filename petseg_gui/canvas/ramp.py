"""The colours of heat maps: from dark to light in even steps, also for the colour-blind."""

from __future__ import annotations

import numpy as np

# Every fifteenth colour of "inferno" by Stefan van der Walt and Nathaniel Smith (CC0).
_INFERNO = (
    (0, 0, 4),
    (10, 7, 34),
    (30, 12, 69),
    (56, 9, 98),
    (81, 14, 108),
    (105, 22, 110),
    (128, 31, 108),
    (152, 39, 102),
    (176, 49, 91),
    (198, 61, 77),
    (217, 77, 61),
    (233, 97, 43),
    (244, 121, 24),
    (250, 148, 7),
    (252, 176, 20),
    (248, 205, 55),
    (242, 234, 105),
    (252, 255, 164),
)


def ramp() -> np.ndarray:
    """The colour of each value of a heat map: uint8 RGB, 256 x 3, 0 dark, 255 light."""
    stops = np.linspace(0, 255, len(_INFERNO))
    channels = np.array(_INFERNO, float).T
    shades = [np.interp(np.arange(256), stops, channel) for channel in channels]
    return np.stack(shades, axis=1).round().astype(np.uint8)
