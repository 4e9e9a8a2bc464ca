"""One row of the list: thumbnail, name, and the status as icon and word."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from core.project.reviews import Status
from petseg_gui import icons
from petseg_gui.browser.model import Role
from petseg_gui.browser.thumbnails import SIZE

_MARGIN = 8
_ICON = 16

# On light, on dark: each at least 4.5 : 1 against its background.
_COLOURS = {
    Status.UNLABELLED: ("#6b6b6b", "#a3a3a3"),
    Status.PREDICTED: ("#1c6a9c", "#6cbcf0"),
    Status.EDITED: ("#9a5200", "#f0a94a"),
    Status.APPROVED: ("#00734f", "#3ccf9b"),
    Status.REJECTED: ("#b3261e", "#ff8a80"),
}


class ImageDelegate(QStyledItemDelegate):
    """Draws the rows of an ImageListModel."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icons: dict[tuple[str, str, float], QPixmap] = {}

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(SIZE * 3, SIZE + 2 * _MARGIN)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        palette: QPalette = option.palette
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        self._paint_ground(painter, rect, palette, state)
        ratio = painter.device().devicePixelRatioF()
        frame = QRect(rect.left() + _MARGIN + 4, rect.top() + _MARGIN, SIZE, SIZE)
        self._paint_thumbnail(painter, frame, index.data(Role.THUMBNAIL), palette, ratio)
        text = QRect(frame.right() + 12, rect.top() + _MARGIN, 0, SIZE)
        text.setRight(rect.right() - _MARGIN - 2)
        half = SIZE // 2
        metrics = QFontMetrics(option.font)
        folder, _, file = str(index.data(Qt.ItemDataRole.DisplayRole)).rpartition("/")
        shown = metrics.elidedText(file, Qt.TextElideMode.ElideMiddle, text.width())
        strong = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.setPen(palette.color(strong))
        painter.drawText(text.adjusted(0, 4, 0, -half), Qt.AlignmentFlag.AlignVCenter, shown)
        lower = text.adjusted(0, half - 2, 0, -4)
        colour = palette.color(strong) if selected else _colour(index.data(Role.STATUS), palette)
        status = str(index.data(Role.STATUS))
        picture = self._icon(status, colour, ratio)
        painter.drawPixmap(lower.left(), lower.center().y() - _ICON // 2 + 1, picture)
        painter.setPen(colour)
        lower.setLeft(lower.left() + _ICON + 6)
        words = f"{status.capitalize()}  ·  {folder}/" if folder else status.capitalize()
        elided = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, lower.width())
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, rect: QRect, palette: QPalette, state: QStyle.StateFlag
    ) -> None:
        role = None
        if state & QStyle.StateFlag.State_Selected:
            role = QPalette.ColorRole.Highlight
        elif state & QStyle.StateFlag.State_MouseOver:
            role = QPalette.ColorRole.AlternateBase
        if role is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(role))
            painter.drawRoundedRect(rect.adjusted(4, 2, -4, -2), 6, 6)

    def _paint_thumbnail(
        self,
        painter: QPainter,
        frame: QRect,
        made: QPixmap | str | None,
        palette: QPalette,
        ratio: float,
    ) -> None:
        if isinstance(made, QPixmap):
            size = made.deviceIndependentSize().toSize()
            target = QRect(0, 0, size.width(), size.height())
            target.moveCenter(frame.center())
            painter.drawPixmap(target, made)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Button))
        painter.drawRoundedRect(frame, 4, 4)
        if isinstance(made, str):
            colour = palette.color(QPalette.ColorRole.PlaceholderText)
            corner = frame.center() - QRect(0, 0, _ICON * 3 // 2, _ICON * 3 // 2).center()
            painter.drawPixmap(corner, icons.pixmap("broken", colour, _ICON * 3 // 2, ratio))

    def _icon(self, name: str, colour: QColor, ratio: float) -> QPixmap:
        key = (name, colour.name(), ratio)
        if key not in self._icons:
            self._icons[key] = icons.pixmap(name, colour, _ICON, ratio)
        return self._icons[key]


def _colour(status: Status, palette: QPalette) -> QColor:
    dark = palette.color(QPalette.ColorRole.Base).lightness() < 128
    return QColor(_COLOURS[status][dark])
