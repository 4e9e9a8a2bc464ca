"""Line icons in the colour of the text beside them, so that they suit light and dark."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

_BAR_SIZE = 20
_FOLDER = Path(resources.__file__).parent / "icons"
_GROUPS = {
    QIcon.Mode.Normal: QPalette.ColorGroup.Active,
    QIcon.Mode.Disabled: QPalette.ColorGroup.Disabled,
}


def icon(name: str, palette: QPalette, checked: str = "") -> QIcon:
    """The icon ``resources/icons/NAME.svg`` for bars and buttons, in the palette's text colour.

    checked: the name of another icon for while the button is checked.
    """
    screens = QGuiApplication.screens()
    ratio = max((screen.devicePixelRatio() for screen in screens), default=1.0)
    made = QIcon()
    for mode, group in _GROUPS.items():
        colour = palette.color(group, QPalette.ColorRole.WindowText)
        made.addPixmap(pixmap(name, colour, _BAR_SIZE, ratio), mode)
        if checked:
            drawn = pixmap(checked, colour, _BAR_SIZE, ratio)
            made.addPixmap(drawn, mode, QIcon.State.On)
    return made


def pixmap(name: str, colour: QColor, size: int, ratio: float = 1.0) -> QPixmap:
    """The icon in one colour, ``size`` device-independent pixels wide."""
    # Qt's own reader of image files would load every plugin for them first.
    renderer = QSvgRenderer(QByteArray(_svg(name).replace("currentColor", colour.name()).encode()))
    pixels = round(size * ratio)
    made = QPixmap(pixels, pixels)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setOpacity(colour.alphaF())
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


@cache
def _svg(name: str) -> str:
    return (_FOLDER / f"{name}.svg").read_text("utf-8")
