"""The view ``whole``: an image fitted into its model's size, padded, never stretched.

Training and prediction share it, so that a network sees later what it was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Fitted:
    """Where an image of any size lies in a square of ``size`` pixels."""

    size: int
    left: int
    top: int
    width: int
    height: int

    def place(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (uint8, H x W x 3) scaled and padded to size x size by repeating the edge."""
        return cv2.copyMakeBorder(self.scaled(pixels), *self._edges, cv2.BORDER_REPLICATE)

    def scaled(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (uint8, H x W x 3) scaled to height x width."""
        if pixels.shape[:2] == (self.height, self.width):
            return pixels
        shrinks = max(pixels.shape[:2]) > self.size
        by = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(pixels, (self.width, self.height), interpolation=by)

    def place_mask(self, mask: np.ndarray, padding: int) -> np.ndarray:
        """A mask (uint8, H x W) scaled by nearest neighbour and padded to size x size."""
        new = (self.width, self.height)
        small = cv2.resize(mask, new, interpolation=cv2.INTER_NEAREST_EXACT)
        return cv2.copyMakeBorder(small, *self._edges, cv2.BORDER_CONSTANT, value=(padding,))

    def cut(self, planes: np.ndarray) -> np.ndarray:
        """What of ... x size x size lies on the image: ... x height x width."""
        return planes[..., self.top : self.top + self.height, self.left : self.left + self.width]

    @property
    def _edges(self) -> tuple[int, int, int, int]:
        below = self.size - self.height - self.top
        return self.top, below, self.left, self.size - self.width - self.left


def fit_whole(height: int, width: int, size: int) -> Fitted:
    """The place of a height x width image in a square of ``size`` pixels, centred."""
    scale = size / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    return Fitted(size, (size - new_width) // 2, (size - new_height) // 2, new_width, new_height)
