"""How the program looks: Qt's Fusion style, light or dark as the system is."""

from __future__ import annotations

from importlib import resources

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QApplication


def set_look(application: QApplication) -> None:
    """Name, icon and style of the program."""
    application.setApplicationName("PetSeg")
    application.setApplicationDisplayName("PetSeg")
    application.setDesktopFileName("petseg")
    # No style sheet: under one, widgets keep their old palette when the system turns dark.
    application.setStyle("fusion")
    data = resources.files("resources").joinpath("icons", "petseg.svg").read_bytes()
    picture = QPixmap()
    picture.loadFromData(QByteArray(data))
    application.setWindowIcon(QIcon(picture))
