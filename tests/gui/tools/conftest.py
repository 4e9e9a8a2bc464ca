"""Tools without a window: what they are handed, and a drag of the pointer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.labels import PET
from petseg_gui.document import Document
from petseg_gui.tools.tool import PointerEvent, Tool, Workbench

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier


@dataclass
class Hand:
    """A person's hand: does with a tool what the canvas would have it do."""

    document: Document

    def drag(
        self,
        tool: Tool,
        *points: tuple[float, float],
        button: Qt.MouseButton = LEFT,
        modifiers: Qt.KeyboardModifier = PLAIN,
    ) -> None:
        tool.press(self.document, PointerEvent(*points[0], button, modifiers))
        for point in points[1:]:
            tool.move(self.document, PointerEvent(*point, button, modifiers))
        tool.release(self.document, PointerEvent(*points[-1], button, modifiers))

    def click(
        self, tool: Tool, x: float, y: float, button: Qt.MouseButton = LEFT, double: bool = False
    ) -> None:
        tool.press(self.document, PointerEvent(x, y, button, double=double))
        tool.release(self.document, PointerEvent(x, y, button))

    def hover(self, tool: Tool, x: float, y: float) -> None:
        """The pointer comes to a point and rests there."""
        tool.move(self.document, PointerEvent(x, y))
        tool.rest(self.document, PointerEvent(x, y))

    def key(self, tool: Tool, key: Qt.Key) -> bool:
        return tool.key(self.document, key)


@pytest.fixture
def document() -> Document:
    """80 x 60, dark, with a bright square from (20, 10) to (50, 40); nothing is labelled."""
    pixels = np.full((60, 80, 3), 40, np.uint8)
    pixels[10:40, 20:50] = 200
    return Document("a.jpg", pixels, np.zeros((60, 80), np.uint8), PET)


@pytest.fixture
def hand(document: Document) -> Hand:
    return Hand(document)


@pytest.fixture
def told() -> list[str]:
    """What the tools said."""
    return []


@pytest.fixture
def bench(told: list[str]) -> Workbench:
    """Does everything at once; ``told`` keeps what is said."""
    return Workbench(tell=told.append)


@pytest.fixture
def choose(bench: Workbench) -> Callable[..., None]:
    """choose(size=8, ...): what a person sets for the tools."""

    def set_(**changes: object) -> None:
        bench.options = replace(bench.options, **changes)  # type: ignore[arg-type]

    return set_


class Later:
    """A workbench's ``run`` that works only when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], object], Callable[[object], None]]] = []

    def __call__(self, work: Callable[[], object], done: Callable[[object], None]) -> None:
        self.waiting.append((work, done))

    def work(self) -> None:
        while self.waiting:
            work, done = self.waiting.pop(0)
            done(work())


@pytest.fixture
def later(bench: Workbench) -> Later:
    """The bench's work waits until ``later.work()``, or somebody cannot wait any longer."""
    later = Later()
    bench.run, bench.wait = later, later.work
    return later
