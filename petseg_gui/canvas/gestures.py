"""What wheel, touchpad and arrow keys do to every view of an image."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent

WHEEL_NOTCH = 120
_TOUCHPAD_NOTCH = 60  # pixels of a two-finger stroke that count as a notch of a wheel
_ZOOM_PER_NOTCH = 1.2
_PAN_STEP = 64

ARROWS = {
    Qt.Key.Key_Left: (_PAN_STEP, 0),
    Qt.Key.Key_Right: (-_PAN_STEP, 0),
    Qt.Key.Key_Up: (0, _PAN_STEP),
    Qt.Key.Key_Down: (0, -_PAN_STEP),
}
"""How far the image moves, in device pixels."""


def zoom_factor(event: QWheelEvent) -> float:
    """How much larger the wheel, or two fingers on a touchpad, show the image."""
    pixels = event.pixelDelta().y()
    notches = pixels / _TOUCHPAD_NOTCH if pixels else event.angleDelta().y() / WHEEL_NOTCH
    return float(_ZOOM_PER_NOTCH**notches)
