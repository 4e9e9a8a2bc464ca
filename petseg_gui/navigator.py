"""The navigator: the whole photo in small, in a corner of the view, with the part in sight framed.

A click or a drag in it moves the view.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from petseg_gui.canvas.image_view import ImageView
from petseg_gui.document import Document

_SIDE = 180
_MARGIN = 12
_BORDER = 1
_MOST_SHOWN = 0.95  # of a side: where more is in sight there is nowhere to go
_SHADE = QColor(0, 0, 0, 110)


class Navigator(QWidget):
    """Lies over an ImageView, whenever only a part of the image is in sight."""

    def __init__(self, view: ImageView) -> None:
        super().__init__(view)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Navigator")
        self.setAccessibleDescription("The whole image; a click moves the view there")
        self.setToolTip("The whole image: click or drag to move the view")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._view = view
        self._wanted = True
        self._document: Document | None = None  # whose photo ``_image`` is
        self._image = QImage()  # made when it is first shown
        view.view_changed.connect(self._follow)
        self.hide()

    @property
    def wanted(self) -> bool:
        return self._wanted

    def set_wanted(self, wanted: bool) -> None:
        """Whether it may show itself at all."""
        self._wanted = wanted
        self._follow()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Mid))
        photo = self._photo_rect()
        painter.drawImage(photo, self._image)
        frame = self._frame(photo)
        painter.setClipRegion(self.rect())
        for shaded in (
            QRectF(photo.left(), photo.top(), photo.width(), frame.top() - photo.top()),
            QRectF(photo.left(), frame.bottom(), photo.width(), photo.bottom() - frame.bottom()),
            QRectF(photo.left(), frame.top(), frame.left() - photo.left(), frame.height()),
            QRectF(frame.right(), frame.top(), photo.right() - frame.right(), frame.height()),
        ):
            painter.fillRect(shaded, _SHADE)
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255), 1.0)):
            painter.setPen(QPen(colour, width))
            painter.drawRect(frame)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._go_to(event)

    def _follow(self) -> None:
        """The view shows something else now."""
        document, shown = self._view.document, self._view.shown
        if document is not self._document:
            self._document, self._image = document, QImage()
        if document is None or not self._wanted or not _is_part(shown, document):
            self.hide()
            return
        if self._image.isNull():
            ratio = self.devicePixelRatioF()
            self._image = self._view.overview(round(_SIDE * ratio))
            self._image.setDevicePixelRatio(ratio)
        size = self._image.deviceIndependentSize().toSize()
        self.resize(size.width() + 2 * _BORDER, size.height() + 2 * _BORDER)
        self.move(
            self._view.width() - self.width() - _MARGIN,
            self._view.height() - self.height() - _MARGIN,
        )
        self.show()
        self.update()

    def _photo_rect(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_BORDER, _BORDER, -_BORDER, -_BORDER)

    def _frame(self, photo: QRectF) -> QRectF:
        """What the view shows, in the navigator; wide enough to be seen."""
        document, shown = self._view.document, self._view.shown
        if document is None:
            return photo
        across, down = photo.width() / document.width, photo.height() / document.height
        return QRectF(
            photo.left() + shown.left() * across,
            photo.top() + shown.top() * down,
            max(shown.width() * across, 3.0),
            max(shown.height() * down, 3.0),
        )

    def _go_to(self, event: QMouseEvent) -> None:
        document, photo = self._view.document, self._photo_rect()
        if document is not None and event.buttons() & Qt.MouseButton.LeftButton:
            at: QPointF = event.position() - photo.topLeft()
            self._view.centre_on(
                at.x() / photo.width() * document.width,
                at.y() / photo.height() * document.height,
            )


def _is_part(shown: QRectF, document: Document) -> bool:
    return (
        shown.width() < _MOST_SHOWN * document.width
        or shown.height() < _MOST_SHOWN * document.height
    )
