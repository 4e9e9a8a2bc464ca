"""Fill: the closed outline, or the piece of a class, that is clicked."""

from __future__ import annotations

from core.editing.brush import Point
from core.editing.history import Edit
from petseg_gui.document import Document
from petseg_gui.tools.choosing import edit_for
from petseg_gui.tools.pointing import PointingTool
from petseg_gui.tools.proposal import Work
from petseg_gui.tools.tool import Operation


class FillTool(PointingTool):
    """Gives the class what is clicked; the right button takes a piece of the class away."""

    def work(self, document: Document, point: Point, takes_away: bool) -> Work:
        value = self.options.value
        what = Operation.REMOVE if takes_away else Operation.ADD

        def work() -> Edit | None:
            from core.editing.bucket import fill_at  # imports OpenCV: not before the first photo

            return edit_for(document, fill_at(document.mask, point), what, value, "Fill")

        return work
