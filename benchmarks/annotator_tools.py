"""The program's tools that do much at a click, as the simulated annotator is offered them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.annotator_hands import Command, Drag
from benchmarks.annotator_planner import Offer
from benchmarks.smart_photos import TruePhoto
from core.editing.box import Box, part
from core.editing.cleanup import CLEAN_UPS
from core.editing.grabcut import grabcut_box
from core.editing.probability import ProbabilityMap
from core.editing.refine import refine

Look = Callable[[Box], ProbabilityMap | None]
"""What the present model says of a box; None without one."""

_BAND = 8  # px, what Refine edge begins with in the window
_CLEAN_UPS = [c for c in CLEAN_UPS if c.id in ("fill_holes", "remove_islands", "keep_largest")]


def offers(photo: TruePhoto, mask: np.ndarray, look: Look) -> Iterator[Offer]:
    """What GrabCut and clean-ups make of a mask (uint8, height x width, not written).

    An empty mask; GrabCut in a box 5 % too large; of the mask and of what the box gives: Refine
    edge; of each of these: one clean-up, at the amounts the window begins with.
    """
    if mask.any():
        yield Offer((Command("Clear"),), np.zeros_like(mask))
    for start in (Offer((), mask), _boxed(photo, mask, look)):
        refined = refine(photo.pixels, start.mask, 1, _BAND)
        for sharp in (start, _then(start, "Refine edge", refined)):
            if sharp.actions:
                yield sharp
            for clean_up in _CLEAN_UPS:
                _, cleaned = clean_up.apply(sharp.mask, 1, clean_up.default)
                if (cleaned != sharp.mask).any():
                    yield _then(sharp, clean_up.title, cleaned)


def _boxed(photo: TruePhoto, mask: np.ndarray, look: Look) -> Offer:
    """A box drawn around the pet: it holds what GrabCut finds and nothing else of the pet."""
    box = photo.box
    after = mask.copy()
    inside = part(after, box)
    inside[:] = 0
    region = grabcut_box(photo.pixels, box, look(box))
    if region is not None:
        inside[region.within(box)] = 1
    corners = (float(box[0]), float(box[1])), (float(box[2]), float(box[3]))
    return Offer((Command("GrabCut"), Drag(*corners), Command("Brush")), after)


def _then(before: Offer, title: str, mask: np.ndarray) -> Offer:
    return Offer((*before.actions, Command(title)), mask)
