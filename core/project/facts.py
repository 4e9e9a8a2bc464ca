"""What is known of an image besides its status; None where something is not known (yet)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What the list of images is sorted and searched by.

    width, height: pixels of the upright image; bytes: of its file; modified: when that changed,
    seconds since 1970. uncertainty: the stored prediction's mean entropy, 0 to 1; model: the title
    of the model that made it. disagreement: 1 - Dice between the person's mask and the stored
    prediction, under the project's border rule, 0 to 1. object_share: of the labelled pixels of
    the mask that is shown, those that are an object, 0 to 1; parts: its connected pieces, without
    specks.
    """

    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    modified: float | None = None
    uncertainty: float | None = None
    disagreement: float | None = None
    object_share: float | None = None
    parts: int | None = None
    model: str | None = None
