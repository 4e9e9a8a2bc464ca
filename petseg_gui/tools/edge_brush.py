"""The edge-aware brush: paints only where the image is like the point where the stroke began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.editing.brush import Point
from petseg_gui.document import Document
from petseg_gui.tools.brush import BrushTool

if TYPE_CHECKING:
    from core.editing.similar import Similar


class EdgeBrushTool(BrushTool):
    """A brush that stops at edges."""

    title = "Edge-aware brush"
    uses = ("size", "tolerance")

    _like: Similar | None = None

    def begin(self, document: Document, start: Point) -> None:
        from core.editing.similar import Similar  # imports OpenCV: not before the first photo

        self._like = Similar(document.pixels, start, self.options.tolerance)

    def paint_segment(self, document: Document, start: Point, end: Point, size: int) -> None:
        region = None if self._like is None else self._like.segment(start, end, size)
        if region is not None:
            document.paint_region(region, self._stroke_value)
