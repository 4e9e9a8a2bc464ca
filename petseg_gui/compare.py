"""Two masks of one image side by side, in step: which one holds?"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.labels import LabelScheme
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.canvas.gestures import ARROWS, zoom_factor
from petseg_gui.canvas.image_view import ImageView
from petseg_gui.document import Document
from petseg_gui.theirs import TwoMasks
from petseg_gui.words import count

_SIZE = QSize(1080, 620)


class CompareWindow(QDialog):
    """The mask here and the one another program wrote. It does not keep a person from painting."""

    mine_kept = Signal()
    theirs_taken = Signal()

    def __init__(
        self,
        both: TwoMasks,
        scheme: LabelScheme,
        appearance: Appearance,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Two masks of {both.name}")
        self.resize(_SIZE)
        self.name = both.name
        self._in_step = False
        sides = QHBoxLayout()
        self.views = []
        for title, mask in (("Your mask", both.mine), ("The mask on the disk", both.theirs)):
            view = _Side(self)
            view.setAccessibleName(title)
            view.set_appearance(appearance)
            view.set_document(Document(both.name, both.pixels, mask, scheme, parent=self))
            side = QVBoxLayout()
            side.addWidget(QLabel(title, self))
            side.addWidget(view, 1)
            sides.addLayout(side, 1)
            self.views.append(view)
        for view, other in (self.views, reversed(self.views)):
            view.view_changed.connect(lambda view=view, other=other: self._follow(view, other))
        self.difference = QLabel(f"{count(both.different, 'pixel')} differ", self)
        keep, take, close = (QPushButton(t, self) for t in ("Keep mine", "Take theirs", "Close"))
        keep.clicked.connect(self.mine_kept)
        take.clicked.connect(self.theirs_taken)
        close.clicked.connect(self.close)
        self.buttons = keep, take, close
        row = QHBoxLayout()
        row.addWidget(self.difference, 1)
        for button in self.buttons:
            button.setAutoDefault(False)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(sides, 1)
        layout.addLayout(row)

    @Slot(str)
    def settled(self, name: str) -> None:
        """It is decided, here or elsewhere."""
        if name == self.name:
            self.close()

    def _follow(self, leader: ImageView, other: ImageView) -> None:
        if self._in_step:
            return
        self._in_step = True
        state = leader.view_state()
        if state is None:
            other.fit()
        else:
            other.restore_view(state)
        self._in_step = False


class _Side(ImageView):
    """Zooms with the wheel, moves with any button held and with the arrow keys."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._held: QPointF | None = None

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
        if event.key() in ARROWS:
            self.pan(*ARROWS[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_out()
        elif event.key() == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)
