"""What can be compared: the pictures of one image, each as a layer over its photo."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.labels import VOID, BorderRule
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.canvas.difference import DifferenceLayer, verdicts
from petseg_gui.canvas.layers import MaskLayer
from petseg_gui.canvas.split import Layer, NoLayer
from petseg_gui.document import Document


class Picture(StrEnum):
    """One way to look at an image."""

    PHOTO = "photo"
    MASK = "mask"
    PREDICTION = "prediction"
    DIFFERENCE = "difference"
    PREVIOUS = "previous"


@dataclass(frozen=True, eq=False)
class Material:
    """What the pictures of an image are made from.

    prediction, previous: uint8, height x width, None where there is none (yet); value: the class
    whose difference is looked at, None for all.
    """

    document: Document
    rule: BorderRule
    prediction: np.ndarray | None = None
    previous: np.ndarray | None = None
    value: int | None = None

    def has(self, picture: Picture) -> bool:
        """Whether there is anything to show."""
        if picture is Picture.PREVIOUS:
            return self.previous is not None
        needs_prediction = picture in (Picture.PREDICTION, Picture.DIFFERENCE)
        return not needs_prediction or self.prediction is not None

    def layer(self, picture: Picture, appearance: Appearance) -> Layer:
        """A picture's layer; nothing over the photo where there is nothing to show."""
        document, scheme = self.document, self.document.scheme
        if picture is Picture.MASK:
            mask = MaskLayer(document.mask, scheme, appearance)
            mask.set_prediction(document.prediction, dim_void=document.unpainted == VOID)
            return mask
        if picture is Picture.PREDICTION and self.prediction is not None:
            return MaskLayer(self.prediction, scheme, appearance)
        if picture is Picture.PREVIOUS and self.previous is not None:
            return MaskLayer(self.previous, scheme, appearance)
        if picture is Picture.DIFFERENCE and self.prediction is not None:
            found = verdicts(scheme, self.rule, self.value)
            return DifferenceLayer(document.mask, self.prediction, found, scheme, appearance)
        return NoLayer()
