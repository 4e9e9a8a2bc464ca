"""One cell of the contact sheet: the photo under its mask, its status and its name."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from petseg_gui import icons
from petseg_gui.browser.delegate import ONE_LINE, status_colour
from petseg_gui.sheet.model import Role
from petseg_gui.sheet.pictures import Picture

_MARGIN = 8
_ICON = 16
_FRAME = 2


class SheetDelegate(QStyledItemDelegate):
    """Draws the cells of a SheetModel."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.size = 160
        """Of a picture, device-independent pixels a side."""
        self.masks_shown = True
        self._icons: dict[tuple[str, str, float], QPixmap] = {}

    def cell(self, metrics: QFontMetrics) -> QSize:
        """How large a cell is."""
        width = self.size + 2 * _MARGIN
        return QSize(width, width + 2 * (metrics.height() + 2) + 2)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return self.cell(QFontMetrics(option.font))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        rect: QRect = option.rect.adjusted(2, 2, -2, -2)
        palette: QPalette = option.palette
        state: QStyle.StateFlag = option.state
        metrics = QFontMetrics(option.font)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        _paint_ground(painter, rect, palette, state)
        frame = QRect(rect.left() + _MARGIN - 2, rect.top() + _MARGIN - 2, self.size, self.size)
        self._paint_picture(painter, frame, index.data(Role.PICTURE), palette)
        strong = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        line = QRect(frame.left(), frame.bottom() + 4, self.size, metrics.height())
        status = index.data(Role.STATUS)
        colour = palette.color(strong) if selected else status_colour(status, palette)
        ratio = painter.device().devicePixelRatioF()
        drawn = self._icon(str(status), colour, ratio)
        painter.drawPixmap(line.left(), line.center().y() - _ICON // 2 + 1, drawn)
        painter.setPen(colour)
        painter.drawText(
            line.adjusted(_ICON + 5, 0, 0, 0),
            Qt.AlignmentFlag.AlignVCenter,
            str(status).capitalize(),
        )
        line.translate(0, metrics.height() + 2)
        name = str(index.data(Qt.ItemDataRole.DisplayRole))
        painter.setPen(palette.color(strong))
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, ONE_LINE, shown)
        painter.restore()

    def _paint_picture(
        self, painter: QPainter, frame: QRect, picture: Picture | None, palette: QPalette
    ) -> None:
        if picture is None or picture.photo is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Button))
            painter.drawRoundedRect(frame, 4, 4)
            if picture is not None:
                self._paint_broken(painter, frame, palette)
            return
        size = picture.photo.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(frame.topLeft(), size)
        place.moveCenter(frame.center())
        painter.drawPixmap(place, picture.photo)
        if picture.mask is not None and self.masks_shown:
            painter.drawPixmap(place, picture.mask)
        if picture.problem:
            self._paint_broken(painter, place, palette)

    def _paint_broken(self, painter: QPainter, frame: QRect, palette: QPalette) -> None:
        ratio = painter.device().devicePixelRatioF()
        side = 2 * _ICON
        corner = QRect(0, 0, side, side)
        corner.moveCenter(frame.center())
        colour = palette.color(QPalette.ColorRole.PlaceholderText)
        painter.drawPixmap(corner.topLeft(), icons.pixmap("broken", colour, side, ratio))

    def _icon(self, name: str, colour: QColor, ratio: float) -> QPixmap:
        key = (name, colour.name(), ratio)
        if key not in self._icons:
            self._icons[key] = icons.pixmap(name, colour, _ICON, ratio)
        return self._icons[key]


def _paint_ground(
    painter: QPainter, rect: QRect, palette: QPalette, state: QStyle.StateFlag
) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    if state & QStyle.StateFlag.State_Selected:
        painter.setBrush(palette.color(QPalette.ColorRole.Highlight))
        painter.drawRoundedRect(rect, 6, 6)
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.setBrush(palette.color(QPalette.ColorRole.AlternateBase))
        painter.drawRoundedRect(rect, 6, 6)
    if state & QStyle.StateFlag.State_HasFocus:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Text), _FRAME))
        painter.drawRoundedRect(rect, 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
