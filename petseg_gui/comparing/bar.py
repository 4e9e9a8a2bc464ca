"""The bar above the views: what is compared, how well it agrees, what the colours mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from petseg_gui import icons
from petseg_gui.comparing.caption import Caption
from petseg_gui.comparing.legend import DifferenceLegend, RampLegend
from petseg_gui.comparing.pictures import Picture

WORDS = {
    Picture.PHOTO: "Photo",
    Picture.MASK: "Mask",
    Picture.PREDICTION: "Prediction",
    Picture.DIFFERENCE: "Difference",
    Picture.PREVIOUS: "Previous prediction",
}
_SHORT = {**WORDS, Picture.PREVIOUS: "Previous"}
FEWEST, MOST = 2, 4


class CompareBar(QWidget):
    """Shows what it is told, says what a person chooses."""

    pictures_chosen = Signal(object)
    """The pictures that are wanted beside each other, in order."""
    pair_chosen = Signal(object)
    """The pictures left and right of the line."""
    value_chosen = Signal(object)
    """The class whose difference is wanted; None: all."""
    closed = Signal()

    def __init__(self, segment: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.pictures = PictureToggles(self)
        self.pictures.chosen.connect(self.pictures_chosen)
        self.pair = PairChoice(self)
        self.pair.chosen.connect(self.pair_chosen)
        self.classes = QComboBox(self)
        self.classes.setAccessibleName("Class whose difference is shown")
        self.classes.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.classes.activated.connect(
            lambda row: self.value_chosen.emit(self.classes.itemData(row))
        )
        self.difference = DifferenceLegend(self)
        self.ramp = RampLegend(self)
        self.note = Caption(self)
        self.segment = QPushButton(segment.text(), self)
        self.segment.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.segment.clicked.connect(segment.trigger)
        self.figures = QLabel(self)
        self.figures.setAccessibleName("How far mask and prediction agree")
        self.close_button = QToolButton(self)
        self.close_button.setAutoRaise(True)
        self.close_button.setIcon(icons.icon("close", self.palette()))
        self.close_button.setAccessibleName("Stop comparing")
        self.close_button.setToolTip("Show the mask alone (Esc)")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.close_button.clicked.connect(self.closed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 2, 6, 4)
        layout.setSpacing(10)
        for widget in (self.title, self.pictures, self.pair, self.classes):
            layout.addWidget(widget)
        layout.addWidget(self.note, 1)
        for shown in (self.segment, self.difference, self.ramp, self.figures, self.close_button):
            layout.addWidget(shown)
        # However much it has to say, it never pushes the docks about.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(self.pair.sizeHint().height() + 6)

    def set_note(self, text: str, can_segment: bool = False) -> None:
        """Say something, and offer to segment the image where that helps."""
        self.note.setText(text)
        self.note.setToolTip(f"<p>{escape(text)}</p>" if text else "")
        self.segment.setVisible(can_segment)

    def set_classes(self, names: Mapping[int, str], value: int | None) -> None:
        """The classes to choose from; nothing to choose where there is but one."""
        self.classes.clear()
        self.classes.addItem("All classes", None)
        for class_id, name in names.items():
            self.classes.addItem(name.capitalize(), class_id)
        self.classes.setCurrentIndex(max(0, self.classes.findData(value)))


class PictureToggles(QWidget):
    """Which pictures stand beside each other: two to four."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.buttons: dict[Picture, QToolButton] = {}
        self._there: set[Picture] = set(Picture)
        for picture, word in _SHORT.items():
            button = QToolButton(self)
            button.setText(word)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(f"Show: {WORDS[picture].lower()}")
            button.clicked.connect(lambda _=False, picture=picture: self._clicked(picture))
            layout.addWidget(button)
            self.buttons[picture] = button

    def show_choice(self, pictures: Sequence[Picture], there: Sequence[Picture]) -> None:
        """Show which are chosen; there: those that this image has."""
        self._there = set(there)
        for picture, button in self.buttons.items():
            button.setChecked(picture in pictures)
            font = button.font()
            font.setBold(picture in pictures)  # a dark theme's pressed button is hard to tell
            button.setFont(font)
        self._limit()

    def _limit(self) -> None:
        number = sum(button.isChecked() for button in self.buttons.values())
        for picture, button in self.buttons.items():
            on = button.isChecked()
            too_few = on and number <= FEWEST
            button.setEnabled((on or picture in self._there) and not too_few)
            button.setToolTip(
                f"{FEWEST} at least"
                if too_few
                else WORDS[picture]
                if picture in self._there
                else f"This image has no {WORDS[picture].lower()}"
            )

    def _clicked(self, picture: Picture) -> None:
        chosen = [p for p, button in self.buttons.items() if button.isChecked()]
        if len(chosen) > MOST:  # it takes the first one's place
            chosen.remove(next(p for p in chosen if p is not picture))
        self.chosen.emit(chosen)


class PairChoice(QWidget):
    """What is left of the line and what is right of it."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self.boxes: list[QComboBox] = []
        for side in ("Left", "Right"):
            box = QComboBox(self)
            box.setAccessibleName(f"{side} of the line")
            box.setToolTip(f"{side} of the line")
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            for picture, word in WORDS.items():
                box.addItem(word, picture)
            box.activated.connect(lambda _: self._emit())
            layout.addWidget(box)
            self.boxes.append(box)
        self.swap = QToolButton(self)
        self.swap.setText("⇄")
        self.swap.setAutoRaise(True)
        self.swap.setAccessibleName("Swap left and right")
        self.swap.setToolTip("Swap left and right")
        self.swap.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.swap.clicked.connect(self._swap)
        layout.insertWidget(1, self.swap)

    def show_pair(self, pair: tuple[Picture, Picture]) -> None:
        """Show which are chosen."""
        for box, picture in zip(self.boxes, pair, strict=True):
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(picture))

    def _swap(self) -> None:
        self.chosen.emit(self._pair[::-1])

    def _emit(self) -> None:
        self.chosen.emit(self._pair)

    @property
    def _pair(self) -> tuple[Picture, ...]:
        return tuple(Picture(box.currentData()) for box in self.boxes)  # Qt keeps plain strings
