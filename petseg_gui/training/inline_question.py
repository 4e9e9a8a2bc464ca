"""A question inside a window: nothing else stops while it stands there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpinBox, QWidget

from petseg_gui.banner import Level, paint_tint


class InlineQuestion(QWidget):
    """Hidden until something is asked. Enter says yes, Esc says no."""

    closed = Signal()
    """It was answered: the keys may go back to where they were."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._act: Callable[[int], None] | None = None
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.number = QSpinBox(self)
        self.number.setRange(1, 10_000)
        self.yes_button = QPushButton(self)
        self.no_button = QPushButton("Cancel", self)
        self.yes_button.clicked.connect(self._yes)
        self.no_button.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.addWidget(self.label, 1)
        for widget in (self.number, self.yes_button, self.no_button):
            layout.addWidget(widget)
        self.hide()

    def ask(self, text: str, yes: str, act: Callable[[], None]) -> None:
        """Ask whether to ``act``; yes: the words on the button that does."""
        self._show(text, yes, lambda _: act())
        self.number.hide()
        self.no_button.setFocus()  # what cannot be undone is not one key away

    def ask_number(
        self, text: str, yes: str, number: int, unit: str, act: Callable[[int], None]
    ) -> None:
        """Ask how many."""
        self._show(text, yes, act)
        self.number.setAccessibleName(text)
        self.number.setSuffix(f" {unit}")
        self.number.setValue(number)
        self.number.show()
        self.number.setFocus()
        self.number.selectAll()

    def tell(self, text: str) -> None:
        """Say something that is only taken notice of."""
        self._show(text, "", lambda _: None)
        self.number.hide()
        self.yes_button.hide()
        self.no_button.setText("Close")
        self.no_button.setFocus()

    def dismiss(self) -> None:
        """Ask no more; nothing is done."""
        if not self.isHidden():
            self._act = None
            self.hide()
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            button = self.no_button if self.no_button.hasFocus() else self.yes_button
            button.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_tint(self, Level.WARNING)

    def _show(self, text: str, yes: str, act: Callable[[int], None]) -> None:
        self._act = act
        self.label.setText(text)
        self.setAccessibleName(text)
        self.yes_button.setText(yes)
        self.yes_button.show()
        self.no_button.setText("Cancel")
        self.show()

    def _yes(self) -> None:
        act, number = self._act, self.number.value()
        self.dismiss()
        if act is not None:
            act(number)
