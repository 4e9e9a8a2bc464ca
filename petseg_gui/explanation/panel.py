"""The panel that asks why the model sees a class, and says what the answer is worth."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.explanation.desk import Method
from petseg_gui.panels import Paragraph, scrolling
from petseg_gui.words import count

_METHODS = {Method.GRADCAM: "Seg-Grad-CAM", Method.OCCLUSION: "Occlusion"}
_DETAILS = {"coarse": "Coarse", "medium": "Medium", "fine": "Fine"}
_USUAL = {Method.GRADCAM: "coarse", Method.OCCLUSION: "medium"}
_IS = {
    Method.GRADCAM: (
        "Looks into the network: where its features spoke for the class at the place asked about. "
        "Light places spoke the most."
    ),
    Method.OCCLUSION: (
        "Covers the photo patch by patch and asks the model again: how much less sure it becomes "
        "of the class at the place asked about. Light places mattered the most."
    ),
}
_CANNOT = {
    Method.GRADCAM: (
        "A hint, not a proof: it shows what went along with the answer, not what caused it. It "
        "shows nothing that spoke against the class. Coarse looks at the deepest layer, which "
        "knows what but hardly where; fine at a late one, which mostly repeats the mask."
    ),
    Method.OCCLUSION: (
        "A hint, not a proof: a photo with a patch on it is one that the model never met. Parts "
        "that can stand in for each other all look unimportant, and patches of another size "
        "(coarse to fine) may give another picture."
    ),
}
_MARGIN = 12


class ExplanationPanel(QWidget):
    """Shows what it is told, says what a person wants."""

    wanted = Signal()
    cancelled = Signal()
    box_wanted = Signal()
    """A person wants to draw the place that is asked about."""
    everywhere_wanted = Signal()
    """The place that is asked about is no selection any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details = dict(_USUAL)
        inner = QWidget(self)
        self.method = _box("How it is found out", inner)
        for method, text in _METHODS.items():
            self.method.addItem(text, method)
        self.classes = _box("Class to explain", inner)
        self.place = Paragraph(inner)
        self.draw = QPushButton("Draw a box", inner)
        self.draw.setToolTip("Ask about a part of the photo: drag a box on it")
        self.draw.clicked.connect(self.box_wanted)
        self.everywhere = QPushButton("Everywhere", inner)
        self.everywhere.setToolTip("Ask about the whole object (drops the selection)")
        self.everywhere.clicked.connect(self.everywhere_wanted)
        self.detail = _box("Detail", inner)
        for value, text in _DETAILS.items():
            self.detail.addItem(text, value)
        self.start = QPushButton("Explain", inner)
        self.start.clicked.connect(self.wanted)
        self.cancel = QPushButton("Cancel", inner)
        self.cancel.clicked.connect(self.cancelled)
        self.bar = QProgressBar(inner)
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(14)
        self.bar.setAccessibleName("How far the explanation is")
        self.result, self.what, self.limits = (Paragraph(inner) for _ in range(3))
        for label in (self.result, self.what, self.limits):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.result.setAccessibleName("Result")
        self._lay_out(inner)
        self.method.currentIndexChanged.connect(lambda _: self._show_method())
        self.detail.activated.connect(lambda _: self._keep_detail())
        self._show_method()
        self.set_place(None)
        self.set_busy(False)
        self.set_enabled(False, False)

    @property
    def chosen(self) -> tuple[Method, int, str]:
        """The method, the class, the detail."""
        return self._method, self.classes.currentData(), self.detail.currentData()

    def set_classes(self, names: Sequence[str], value: int) -> None:
        """The classes to choose from, in order of their ids, and the one in hand."""
        self.classes.clear()
        for class_id, name in enumerate(names):
            self.classes.addItem(name.capitalize(), class_id)
        self.set_class(value)

    def set_class(self, value: int) -> None:
        """Another class is in hand."""
        if 0 <= value < self.classes.count():
            self.classes.setCurrentIndex(value)

    def set_place(self, pixels: int | None) -> None:
        """How many pixels are selected; None: nothing is."""
        chosen = pixels is not None
        self.place.setText(
            f"The selection ({count(pixels, 'pixel')})"
            if pixels is not None
            else "Wherever the model sees it"
        )
        self.everywhere.setEnabled(chosen)

    def set_enabled(self, enabled: bool, may_draw: bool) -> None:
        """Whether there is a photo to ask about, and whether tools work on it."""
        self.start.setEnabled(enabled)
        self.draw.setEnabled(may_draw)

    def set_busy(self, busy: bool) -> None:
        """Whether an explanation is being worked out."""
        self.bar.setRange(0, 0)
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        if busy:
            self.result.clear()

    def set_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    @property
    def _method(self) -> Method:
        return Method(self.method.currentData())  # Qt gives back a plain string

    def _show_method(self) -> None:
        method = self._method
        self.what.setText(_IS[method])
        self.limits.setText(_CANNOT[method])
        with QSignalBlocker(self.detail):
            self.detail.setCurrentIndex(self.detail.findData(self._details[method]))

    def _keep_detail(self) -> None:
        self._details[self._method] = self.detail.currentData()

    def _lay_out(self, inner: QWidget) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(_MARGIN)
        for text, control in (
            ("&Method", self.method),
            ("&Class", self.classes),
            ("&Detail", self.detail),
        ):
            label = QLabel(text, inner)
            label.setBuddy(control)
            form.addRow(label, control)
        form.addRow(QLabel("Place", inner), self.place)
        places, starts = QHBoxLayout(), QHBoxLayout()
        for button in (self.draw, self.everywhere):
            places.addWidget(button)
        for button in (self.start, self.cancel):
            starts.addWidget(button)
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addLayout(places)
        layout.addLayout(starts)
        for widget in (self.bar, self.result, self.what, self.limits):
            layout.addWidget(widget)
        layout.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inner, self))


def _box(name: str, parent: QWidget) -> QComboBox:
    box = QComboBox(parent)
    box.setAccessibleName(name)
    return box
