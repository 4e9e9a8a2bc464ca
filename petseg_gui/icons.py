"""Line icons in the colour of the text beside them, so that they suit light and dark."""

from __future__ import annotations

from importlib import resources

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

_SIZES = (16, 20, 24, 32, 48)


def icon(name: str, palette: QPalette) -> QIcon:
    """The icon ``resources/icons/NAME.svg`` in the palette's colours."""
    svg = resources.files("resources").joinpath("icons", f"{name}.svg").read_text("utf-8")
    made = QIcon()
    groups = (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
        (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
    )
    for mode, group in groups:
        colour = palette.color(group, QPalette.ColorRole.WindowText)
        for size in _SIZES:
            made.addPixmap(_render(svg, colour, size), mode)
    return made


def pixmap(name: str, colour: QColor, size: int, ratio: float = 1.0) -> QPixmap:
    """The icon in one colour, ``size`` device-independent pixels wide."""
    svg = resources.files("resources").joinpath("icons", f"{name}.svg").read_text("utf-8")
    made = _render(svg, colour, round(size * ratio))
    made.setDevicePixelRatio(ratio)
    return made


def _render(svg: str, colour: QColor, size: int) -> QPixmap:
    picture = QPixmap(size, size)
    picture.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(QByteArray(svg.replace("currentColor", colour.name()).encode()))
    painter = QPainter(picture)
    painter.setOpacity(colour.alphaF())
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return picture
