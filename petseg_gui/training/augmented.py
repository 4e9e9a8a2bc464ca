"""Photos as a training sees them: turned, scaled, recoloured, with their masks."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPalette, QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.training.estimate import PICTURES

_COLUMNS = 4
_SIDE = 112  # device-independent pixels


class AugmentedPictures(QWidget):
    """A few augmented photos; ``again`` asks for others."""

    again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("As the training sees them", self)
        title.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.again_button = QPushButton("Again", self)
        self.again_button.setAutoDefault(False)
        self.again_button.setToolTip("Draw other changes of the same photos")
        self.again_button.setEnabled(False)
        self.again_button.clicked.connect(self.again)
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self.again_button)
        grid = QGridLayout()
        grid.setSpacing(6)
        self.frames = [QLabel(self) for _ in range(PICTURES)]
        for i, frame in enumerate(self.frames):
            frame.setFixedSize(_SIDE, _SIDE)
            frame.setBackgroundRole(QPalette.ColorRole.AlternateBase)
            frame.setAutoFillBackground(True)
            frame.setAccessibleName(f"Augmented photo {i + 1} of {PICTURES}")
            grid.addWidget(frame, i // _COLUMNS, i % _COLUMNS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addLayout(grid)

    def show_pictures(self, images: list[QImage]) -> None:
        """Show these; empty frames where there are none."""
        self.again_button.setEnabled(bool(images))
        ratio = self.devicePixelRatioF()
        for i, frame in enumerate(self.frames):
            if i >= len(images):
                frame.clear()
                continue
            side = round(_SIDE * ratio)
            scaled = images[i].scaled(
                side,
                side,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            scaled.setDevicePixelRatio(ratio)
            frame.setPixmap(QPixmap.fromImage(scaled))
