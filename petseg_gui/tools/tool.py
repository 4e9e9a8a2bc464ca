"""What a tool is: a plain object that turns pointer events in image coordinates into edits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from core.editing.box import Box
from petseg_gui.canvas.view import View
from petseg_gui.document import Document

if TYPE_CHECKING:
    from core.editing.probability import ProbabilityMap

TAKING_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
"""They close an outline and take what is proposed."""


@dataclass(frozen=True)
class PointerEvent:
    """Where the pointer is, in image coordinates (pixel (0, 0) spans 0 to 1), and how.

    button: the one that is held (NoButton: the pointer hovers); pressure: 0 to 1, of a pen;
    double: the second press of a double click; zoom: device pixels an image pixel; away: the
    pointer is not over the canvas, x and y mean nothing.
    """

    x: float
    y: float
    button: Qt.MouseButton = Qt.MouseButton.NoButton
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    pressure: float = 1.0
    double: bool = False
    zoom: float = 1.0
    away: bool = False

    @property
    def pixel(self) -> tuple[int, int]:
        """The pixel (x, y) under the pointer; it may lie outside the image."""
        return math.floor(self.x), math.floor(self.y)

    @property
    def takes_away(self) -> bool:
        """The right button or Alt turns a tool round: it erases instead of painting."""
        return self.button == Qt.MouseButton.RightButton or bool(
            self.modifiers & Qt.KeyboardModifier.AltModifier
        )


class Operation(StrEnum):
    """What happens to the pixels that a tool chose."""

    ADD = "add"
    REMOVE = "remove"
    SELECT = "select"


@dataclass(frozen=True)
class Options:
    """What a person has set for the tools; all tools share it.

    value: the class that is painted; size: of the brush, in image pixels; tolerance: how different
    (0 to 255) a colour may be that still counts as alike; contiguous: only what hangs together.
    """

    value: int = 1
    size: int = 24
    operation: Operation = Operation.ADD
    tolerance: int = 32
    contiguous: bool = True


def _run_at_once(work: Callable[[], Any], done: Callable[[Any], None]) -> None:
    done(work())


def _nothing(*_: object) -> None:
    pass


def _no_model(_: Document, __: int, ___: Box | None) -> ProbabilityMap | None:
    return None


def _no_mask(_: Document, __: Box) -> np.ndarray | None:
    return None


@dataclass
class Workbench:
    """What tools are given by the window around them; the defaults do without one.

    run: does work off the window's thread, one after the other, then calls ``done`` with its result
    on it; with None where it failed, which is told. wait: until all of it is done. probability:
    what the model says of the document's image: P(class), over the image or from a closer look at
    a box; None without a model that knows the class; call it within ``run``. segment: the mask
    that the model gives a box of it, from the box alone; None without a model; likewise. tell: says
    something to the person.
    """

    options: Options = field(default_factory=Options)
    owed: int = 0
    """Edits that a person has asked for and that are still being worked out."""
    run: Callable[[Callable[[], Any], Callable[[Any], None]], None] = _run_at_once
    wait: Callable[[], None] = _nothing
    repaint: Callable[[], None] = _nothing
    tell: Callable[[str], None] = _nothing
    probability: Callable[[Document, int, Box | None], ProbabilityMap | None] = _no_model
    segment: Callable[[Document, Box], np.ndarray | None] = _no_mask


class Tool:
    """One tool of the canvas. It changes the document only through the document's methods.

    A ``press`` is followed by ``move``s and one ``release``, or by ``cancel``; ``move`` also comes
    while no button is held.
    """

    uses: tuple[str, ...] = ()
    """The fields of ``Options`` that matter to it."""
    wants_rest: bool = False
    """Whether ``rest`` does anything."""

    def __init__(self, bench: Workbench | None = None) -> None:
        self.bench = Workbench() if bench is None else bench

    @property
    def options(self) -> Options:
        return self.bench.options

    @property
    def pending(self) -> bool:
        """Whether something is begun or proposed that Esc would drop."""
        return False

    def press(self, document: Document, event: PointerEvent) -> None:
        """A button went down."""

    def move(self, document: Document, event: PointerEvent) -> None:
        """The pointer moved, with a button held or not."""

    def release(self, document: Document, event: PointerEvent) -> None:
        """The button went up."""

    def rest(self, document: Document, event: PointerEvent) -> None:
        """The pointer has not moved for a moment."""

    def refresh(self, document: Document) -> None:
        """The options have changed: bring what is proposed up to date."""

    def key(self, document: Document, key: Qt.Key) -> bool:
        """A key was pressed; whether the tool used it."""
        return False

    def cancel(self, document: Document) -> None:
        """Give up what is in progress, and forget what was remembered between strokes."""
        document.cancel()

    def take_back(self, document: Document) -> None:
        """Undo, while something is pending: drop it, or the last step of it."""
        self.cancel(document)

    def put_down(self, document: Document) -> None:
        """The image is left or judged, or another tool is taken: what is proposed is now taken.

        What was asked for is done when this returns, so that nothing of it is lost.
        """
        if self.bench.owed:
            self.bench.wait()

    def bounds(self, event: PointerEvent) -> QRectF:
        """What ``paint`` draws in, in image coordinates, but for the width of lines."""
        return QRectF()

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        """Draw over the image, in device pixels: ``view`` maps image coordinates to them."""
