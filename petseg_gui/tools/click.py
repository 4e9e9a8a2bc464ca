"""Click to correct: one click adds what belongs to the class there, a right click removes it."""

from __future__ import annotations

from core.editing.brush import Point
from core.editing.history import Edit
from petseg_gui.document import Document
from petseg_gui.tools.choosing import edit_for
from petseg_gui.tools.pointing import PointingTool
from petseg_gui.tools.proposal import Work
from petseg_gui.tools.tool import Operation


class ClickTool(PointingTool):
    """Corrects the mask around the click, and nowhere else."""

    nothing = "Nothing here looks wrong: paint it with the brush."

    def work(self, document: Document, point: Point, takes_away: bool) -> Work:
        value = self.options.value
        what = Operation.REMOVE if takes_away else Operation.ADD

        def work() -> Edit | None:
            from core.editing.click import correct  # imports OpenCV: not before the first photo

            probability = self.bench.probability(document, value, None)
            adds = not takes_away
            region = correct(document.pixels, document.mask, point, adds, value, probability)
            return edit_for(document, region, what, value, "Click to correct")

        return work
