"""What a tool is: a plain object that turns pointer events in image coordinates into edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from petseg_gui.canvas.view import View
from petseg_gui.document import Document


@dataclass(frozen=True)
class PointerEvent:
    """Where the pointer is, in image coordinates (pixel (0, 0) spans 0 to 1), and how.

    button: the one that is held (NoButton: the pointer hovers); pressure: 0 to 1, of a pen.
    """

    x: float
    y: float
    button: Qt.MouseButton = Qt.MouseButton.NoButton
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    pressure: float = 1.0


class Tool(Protocol):
    """One tool of the canvas. It changes the document only through the document's methods.

    A ``press`` is followed by ``move``s and one ``release``, or by ``cancel``; ``move`` also comes
    while no button is held.
    """

    title: str

    def press(self, document: Document, event: PointerEvent) -> None: ...

    def move(self, document: Document, event: PointerEvent) -> None: ...

    def release(self, document: Document, event: PointerEvent) -> None: ...

    def key(self, document: Document, key: Qt.Key) -> bool:
        """A key was pressed; whether the tool used it."""
        ...

    def cancel(self, document: Document) -> None:
        """Give up what is in progress, and forget what was remembered between strokes."""
        ...

    def bounds(self, event: PointerEvent) -> QRectF:
        """What ``paint`` draws in, in image coordinates, but for the width of lines."""
        ...

    def paint(self, painter: QPainter, view: View, event: PointerEvent) -> None:
        """Draw over the image, in device pixels: ``view`` maps image coordinates to them."""
        ...
