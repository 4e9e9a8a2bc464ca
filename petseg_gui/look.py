"""How the program looks: Qt's Fusion style, light or dark as the system is."""

from __future__ import annotations

from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication

from petseg_gui import icons


def set_look(application: QApplication) -> None:
    """Name, icon and style of the program."""
    application.setApplicationName("PetSeg")
    application.setApplicationDisplayName("PetSeg")
    application.setDesktopFileName("petseg")
    # No style sheet: under one, widgets keep their old palette when the system turns dark.
    application.setStyle("fusion")
    application.setWindowIcon(QIcon(icons.pixmap("petseg", QColor("black"), 64)))
