"""Intelligent scissors: an outline that clings to edges between the clicks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from core.editing.brush import Point
from petseg_gui.document import Document
from petseg_gui.tools.outlines import PolygonTool
from petseg_gui.tools.tool import PointerEvent, Workbench

if TYPE_CHECKING:
    from core.editing.scissors import Scissors

_Side = tuple[Point, Point]


class ScissorsTool(PolygonTool):
    """A polygon whose sides follow the image's edges; it closes along an edge, too.

    A side is straight until its path is found, which is done off the window's thread.
    """

    title = "Scissors"

    def __init__(self, bench: Workbench | None = None) -> None:
        super().__init__(bench)
        self._paths: dict[_Side, list[Point]] = {}
        self._sought: set[_Side] = set()  # sides whose path is found, or being found
        self._anchor: Point | None = None  # the last corner
        self._scissors: Scissors | None = None  # from there, as soon as they are ready

    def add(self, document: Document, corner: Point) -> None:
        if self._anchor is not None and self._scissors is not None:
            self._paths[self._anchor, corner] = self._scissors.to(corner)
            self._sought.add((self._anchor, corner))
        super().add(document, corner)
        self._follow(document)

    def remove_last(self, document: Document) -> None:
        super().remove_last(document)
        self._follow(document)

    def dropped(self, document: Document, corner: int) -> None:
        self._follow(document)

    def cancel(self, document: Document) -> None:
        super().cancel(document)
        self._paths, self._sought = {}, set()
        self._anchor = self._scissors = None

    def outline(self) -> list[Point]:
        points = self.corners[:1]
        for side in pairwise(self.corners):
            points += self._paths.get(side, side)[1:]
        return points

    def tracing(self, document: Document) -> Callable[[], list[Point]]:
        corners, paths = list(self.corners), dict(self._paths)

        def trace() -> list[Point]:
            points: list[Point] = []
            for start, end in pairwise([*corners, corners[0]]):
                points += paths.get((start, end)) or _scissors(document, start).to(end)
            return points

        return trace

    def lead(self, event: PointerEvent) -> list[Point]:
        end = event.x, event.y
        return [end] if self._scissors is None else self._scissors.to(end)

    def _follow(self, document: Document) -> None:
        """Have the paths of new sides found, and the costs around the last corner."""
        for side in pairwise(self.corners):
            if side not in self._sought:
                self._sought.add(side)
                self._find(document, side)
        anchor = self.corners[-1] if self.corners else None
        if anchor == self._anchor:
            return
        self._anchor, self._scissors = anchor, None
        if anchor is None:
            return

        def ready(scissors: Scissors | None) -> None:
            if self._anchor == anchor:
                self._scissors = scissors
                self.bench.repaint()

        self.bench.run(lambda: _scissors(document, anchor), ready)

    def _find(self, document: Document, side: _Side) -> None:
        start, end = side

        def found(path: list[Point] | None) -> None:
            if path is not None and side in self._sought:
                self._paths[side] = path
                self.bench.repaint()

        self.bench.run(lambda: _scissors(document, start).to(end), found)


def _scissors(document: Document, anchor: Point) -> Scissors:
    from core.editing.scissors import Scissors  # imports OpenCV: not before the first photo

    return Scissors(document.pixels, anchor)
