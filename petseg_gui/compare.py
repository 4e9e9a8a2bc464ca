"""Two masks of one image side by side, in step: which one holds?"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.labels import LabelScheme
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.comparing.linked import LookView, linked
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
        sides = QHBoxLayout()
        self.views = []
        for title, mask in (("Your mask", both.mine), ("The mask on the disk", both.theirs)):
            view = LookView(self)
            view.setAccessibleName(title)
            view.set_appearance(appearance)
            view.set_document(Document(both.name, both.pixels, mask, scheme, parent=self))
            side = QVBoxLayout()
            side.addWidget(QLabel(title, self))
            side.addWidget(view, 1)
            sides.addLayout(side, 1)
            self.views.append(view)
        self._link = linked(self.views)
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
