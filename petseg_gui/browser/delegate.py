"""One row of the list: thumbnail, name, the status as icon and word, a badge, a bar."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from core.project.reviews import Status
from petseg_gui import icons
from petseg_gui.browser.model import Role
from petseg_gui.browser.thumbnails import SIZE

_MARGIN = 8
_ICON = 16
_BAR = 4  # its thickness
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
ONE_LINE = Qt.AlignmentFlag.AlignVCenter.value | Qt.TextFlag.TextSingleLine.value
"""How file names are drawn: they may hold line breaks."""
# Of 255: a ground or track, a frame, what is to be seen.
_THIN, _FRAME, _STRONG = 40, 120, 130

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
        view = option.widget
        is_open = isinstance(view, QListView) and view.currentIndex() == index
        self._paint_ground(painter, rect, palette, option.state, is_open)
        ratio = painter.device().devicePixelRatioF()
        frame = QRect(rect.left() + _MARGIN + 4, rect.top() + _MARGIN, SIZE, SIZE)
        self._paint_thumbnail(painter, frame, index.data(Role.THUMBNAIL), palette, ratio)
        text = QRect(frame.right() + 12, rect.top() + _MARGIN, 0, SIZE - _BAR - 3)
        text.setRight(rect.right() - _MARGIN - 4)
        half = text.height() // 2
        metrics = QFontMetrics(option.font)
        folder, _, file = str(index.data(Qt.ItemDataRole.DisplayRole)).rpartition("/")
        plain = palette.color(
            QPalette.ColorRole.HighlightedText if is_open else QPalette.ColorRole.Text
        )
        painter.setPen(plain)
        upper = text.adjusted(0, 2, 0, -half)
        subset = str(index.data(Role.SUBSET) or "")
        if subset:
            upper.setRight(_paint_badge(painter, upper, subset, plain, metrics) - 8)
        shown = metrics.elidedText(file, Qt.TextElideMode.ElideMiddle, upper.width())
        painter.drawText(upper, ONE_LINE, shown)
        lower = text.adjusted(0, half, 0, 0)
        status = index.data(Role.STATUS)
        if status is None:  # the folder is still being opened
            if not is_open:
                painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(lower, ONE_LINE, f"{folder}/" if folder else "")
            painter.restore()
            return
        colour = plain if is_open else status_colour(status, palette)
        picture = self._icon(str(status), colour, ratio)
        painter.drawPixmap(lower.left(), lower.center().y() - _ICON // 2 + 1, picture)
        lower.setLeft(lower.left() + _ICON + 6)
        value = str(index.data(Role.VALUE))
        if value:
            painter.drawText(lower, _RIGHT, value)
            lower.setRight(lower.right() - metrics.horizontalAdvance(value) - 8)
        painter.setPen(colour)
        words = f"{status.capitalize()}  ·  {folder}/" if folder else status.capitalize()
        elided = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, lower.width())
        painter.drawText(lower, ONE_LINE, elided)
        length = index.data(Role.BAR)
        if length is not None:
            bar = QRectF(text.left(), frame.bottom() + 1 - _BAR, text.width(), _BAR)
            _paint_bar(painter, bar, float(length), plain)
        painter.restore()

    def _paint_ground(
        self,
        painter: QPainter,
        rect: QRect,
        palette: QPalette,
        state: QStyle.StateFlag,
        is_open: bool,
    ) -> None:
        """The open image has the full colour, others that are selected a thin one and a frame."""
        shape = QRectF(rect).adjusted(4, 2, -4, -2)
        chosen = palette.color(QPalette.ColorRole.Highlight)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_open:
            painter.setBrush(chosen)
            painter.drawRoundedRect(shape, 6, 6)
        elif state & QStyle.StateFlag.State_Selected:
            painter.setPen(chosen)
            painter.setBrush(_thin(chosen, _THIN))
            painter.drawRoundedRect(shape.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(palette.color(QPalette.ColorRole.AlternateBase))
            painter.drawRoundedRect(shape, 6, 6)

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


def _paint_badge(
    painter: QPainter, place: QRect, words: str, colour: QColor, metrics: QFontMetrics
) -> int:
    """A word in a frame at the right of a place. Returns where the frame begins."""
    width, height = metrics.horizontalAdvance(words) + 10, metrics.height()
    frame = QRectF(place.right() - width, place.center().y() - height / 2, width, height + 1)
    painter.setPen(_thin(colour, _FRAME))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setPen(colour)
    painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, words)
    return int(frame.left())


def _paint_bar(painter: QPainter, place: QRectF, length: float, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_thin(colour, _THIN))
    painter.drawRoundedRect(place, _BAR / 2, _BAR / 2)
    # A value of nearly nothing is still seen: a dot.
    place.setWidth(max(place.width() * length, _BAR))
    painter.setBrush(_thin(colour, _STRONG))
    painter.drawRoundedRect(place, _BAR / 2, _BAR / 2)


def _thin(colour: QColor, alpha: int) -> QColor:
    thin = QColor(colour)
    thin.setAlpha(alpha)
    return thin


def status_colour(status: Status, palette: QPalette) -> QColor:
    """The colour of a status's icon and word on the palette's base."""
    dark = palette.color(QPalette.ColorRole.Base).lightness() < 128
    return QColor(_COLOURS[status][dark])
