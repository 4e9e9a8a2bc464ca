"""Views of one image that are only for looking, and views that keep in step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from petseg_gui.canvas.gestures import ARROWS, zoom_factor
from petseg_gui.canvas.image_view import ImageView


class LookView(ImageView):
    """Zooms with the wheel, moves with any button held and with the arrow keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._held: QPointF | None = None

    def share_photo(self, other: ImageView) -> None:
        """Paint the same photo as another view of the same document: it takes memory once."""
        self._photo = other._photo

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_to(self.zoom * zoom_factor(event), self.device_point(event.position()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            x, y = self.device_point(event.position() - self._held)
            self._held = event.position()
            self.pan(x, y)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ARROWS and not event.modifiers():
            self.pan(*ARROWS[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_out()
        elif event.key() == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        waited = self.building
        super()._build()
        if not waited:
            self.update()  # another view that shares the photo has made it ready


class Linked:
    """Keeps views in step: each shows the part of the image that was last gone to in any."""

    def __init__(self) -> None:
        self._views: list[ImageView] = []
        self._in_step = False

    def add(self, view: ImageView) -> None:
        """Keep this view in step with the others from now on."""
        self._views.append(view)
        view.view_changed.connect(lambda: self._follow(view))

    def match(self, view: ImageView) -> None:
        """Show in every other view what this one shows."""
        self._follow(view)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Meanwhile no view follows another: they are being given another image."""
        before, self._in_step = self._in_step, True
        try:
            yield
        finally:
            self._in_step = before

    def _follow(self, leader: ImageView) -> None:
        if self._in_step:
            return
        state = leader.view_state()
        with self.held():
            for view in self._views:
                if view is leader:
                    continue
                if state is None:
                    view.fit()
                else:
                    view.restore_view(state)


def linked(views: Sequence[ImageView]) -> Linked:
    """Keep these views in step as long as they live."""
    link = Linked()
    for view in views:
        link.add(view)
    return link
