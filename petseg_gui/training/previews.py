"""The same few validation images after each epoch, with a slider back through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionFocusRect,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.tasks import Job, Lane, Task, Tasks
from petseg_gui.training.preview_pictures import Picture, load_pictures

if TYPE_CHECKING:
    from core.training.progress import RunState

_GAP = 6
_TINY = 48  # pixels; smaller pictures say nothing
_ENLARGED = QSize(760, 420)


class PictureButton(QAbstractButton):
    """A picture that can be chosen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumSize(2 * _TINY, _TINY)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.picture: Picture | None = None

    def show_picture(self, picture: Picture) -> None:
        """Show another picture in its place."""
        self.picture = picture
        self.setAccessibleName(picture.words)
        self.setToolTip(picture.words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(2 * _TINY, _TINY)

    def paintEvent(self, event: QPaintEvent) -> None:
        picture = self.picture
        if picture is None:
            return
        painter = QPainter(self)
        room = self.rect().adjusted(2, 2, -2, -2)
        if picture.pair is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, words, "cannot be shown")
        else:
            size = picture.pair.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(room.topLeft(), size)
            place.moveCenter(room.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, picture.pair)
        if self.hasFocus():
            option = QStyleOptionFocusRect()
            option.initFrom(self)
            self.style().drawPrimitive(
                QStyle.PrimitiveElement.PE_FrameFocusRect, option, painter, self
            )

    def focusInEvent(self, event: QEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QEvent) -> None:
        self.update()


class PictureGrid(QWidget):
    """Pictures in as many columns as make them largest."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(2 * _TINY)
        self.buttons: list[PictureButton] = []

    def show_pictures(self, pictures: Sequence[Picture]) -> None:
        """Show these pictures; a button stays where its picture only changes."""
        while len(self.buttons) > len(pictures):
            self.buttons.pop().deleteLater()
        while len(self.buttons) < len(pictures):
            number, button = len(self.buttons), PictureButton(self)
            button.clicked.connect(lambda _, number=number: self.chosen.emit(number))
            self.buttons.append(button)
            button.show()
        for button, picture in zip(self.buttons, pictures, strict=True):
            button.show_picture(picture)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        number = len(self.buttons)
        if not number:
            return
        columns = max(range(1, number + 1), key=self._side)
        side = self._side(columns)
        for place, button in enumerate(self.buttons):
            row, column = divmod(place, columns)
            x, y = column * (2 * side + _GAP), row * (side + _GAP)
            button.setGeometry(x, y, 2 * side, side)

    def _side(self, columns: int) -> int:
        """How large a photo is with so many columns of pairs."""
        rows = -(-len(self.buttons) // columns)
        across = (self.width() - (columns - 1) * _GAP) // columns // 2
        return max(1, min(across, (self.height() - (rows - 1) * _GAP) // rows))


class Previews(QWidget):
    """The pictures of one epoch: the newest, unless the slider was moved."""

    image_wanted = Signal(str)
    """An image's name: show it in the window."""

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._state: RunState | None = None
        self._colours: Sequence[tuple[int, int, int]] = ()
        self._loading: Task | None = None
        self._shown: object = None
        self.pictures: list[Picture] = []
        self.caption = QLabel("Truth, prediction", self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Epoch of the pictures")
        self.slider.setToolTip("Go back through the epochs; wrong pixels are striped")
        self.grid = PictureGrid(self)
        top = QHBoxLayout()
        top.addWidget(self.caption)
        top.addWidget(self.slider, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.grid, 1)
        self.slider.valueChanged.connect(self._load)
        self.grid.chosen.connect(self._enlarge)
        self.hide()

    def set_colours(self, colours: Sequence[tuple[int, int, int]]) -> None:
        """RGB by class id."""
        self._colours = colours
        self._load()

    def show_run(self, state: RunState) -> None:
        """Follow the run's newest pictures, or stay where the slider was moved to."""
        other = self._state is None or self._state.run != state.run
        newest = other or self.slider.value() == self.slider.maximum()
        self._state = state
        last = len(state.previews) - 1
        self.setVisible(last >= 0)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(last, 0))
        if newest:
            self.slider.setValue(max(last, 0))
        self.slider.blockSignals(False)
        self._load()

    def stop(self) -> None:
        """Load nothing any more."""
        if self._loading is not None:
            self._loading.cancel()
            self._loading = self._shown = None

    def _load(self) -> None:
        state, number = self._state, self.slider.value()
        if state is None or not number < len(state.previews):
            return
        preview, run, colours = state.previews[number], state.run, self._colours
        self.caption.setText(f"Epoch {preview.epoch}" if preview.epoch else "Before")
        self.slider.setAccessibleDescription(self.caption.text())
        wanted = (run, preview, colours)
        if wanted == self._shown:
            return
        self.stop()
        self._shown = wanted

        def work(job: Job) -> list[Picture]:
            return load_pictures(run, preview.images, preview.epoch, colours)

        self._loading = self._tasks.run(Lane.LOAD, work, self._show)

    def _show(self, pictures: list[Picture]) -> None:
        self._loading = None
        self.pictures = pictures
        self.grid.show_pictures(pictures)

    def _enlarge(self, number: int) -> None:
        picture = self.pictures[number]
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(picture.name)
        dialog.resize(_ENLARGED)
        words = QLabel(f"{picture.words}. Left the truth, right the prediction.", dialog)
        if picture.pair is None:
            words.setText(picture.words)
        words.setWordWrap(True)
        large = PictureButton(dialog)
        large.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        large.unsetCursor()
        large.show_picture(picture)
        buttons = QDialogButtonBox(dialog)
        show = buttons.addButton("Open image", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        show.clicked.connect(lambda: self.image_wanted.emit(picture.name))
        buttons.accepted.connect(dialog.accept)
        buttons.rejected.connect(dialog.reject)
        layout = QVBoxLayout(dialog)
        layout.addWidget(large, 1)
        layout.addWidget(words)
        layout.addWidget(buttons)
        dialog.open()
