"""How the program looks: Qt's Fusion style, light, dark, or as the system is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from petseg_gui import icons

_SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


def set_look(application: QApplication) -> None:
    """Name, icon and style of the program."""
    application.setApplicationName("PetSeg")
    application.setApplicationDisplayName("PetSeg")
    application.setDesktopFileName("petseg")
    # No style sheet: under one, widgets keep their old palette when the system turns dark.
    application.setStyle("fusion")
    application.setWindowIcon(QIcon(icons.pixmap("petseg", QColor("black"), 64)))


def set_theme(theme: str) -> None:
    """Show the program "light", "dark", or as the "system" is. Needs a QApplication."""
    scheme, hints = _SCHEMES[theme], QApplication.styleHints()
    hints.setColorScheme(scheme)
    # A plain X11 desktop has no themes that Qt could ask for: there the palette is our own.
    ours = scheme == Qt.ColorScheme.Dark and hints.colorScheme() != scheme
    QApplication.setPalette(_dark() if ours else QPalette())
    if ours:
        # Fusion draws a box's outline darker than the window: here that cannot be seen.
        boxes = _dark()
        boxes.setColor(QPalette.ColorRole.Base, QColor(105, 105, 105))
        QApplication.setPalette(boxes, "QCheckBox")  # type: ignore[arg-type]  # PySide's stub errs


def _dark() -> QPalette:
    ground, text = QColor(50, 50, 50), QColor(240, 240, 240)
    palette = QPalette(ground)
    faint = QColor(130, 130, 130)
    for role, colour in (
        (QPalette.ColorRole.Window, ground),
        (QPalette.ColorRole.Base, QColor(36, 36, 36)),
        (QPalette.ColorRole.AlternateBase, QColor(60, 60, 60)),
        (QPalette.ColorRole.Button, ground),
        (QPalette.ColorRole.Light, QColor(75, 75, 75)),
        (QPalette.ColorRole.Midlight, QColor(62, 62, 62)),
        (QPalette.ColorRole.Mid, QColor(38, 38, 38)),
        (QPalette.ColorRole.Dark, QColor(33, 33, 33)),
        (QPalette.ColorRole.Shadow, QColor(20, 20, 20)),
        (QPalette.ColorRole.WindowText, text),
        (QPalette.ColorRole.Text, text),
        (QPalette.ColorRole.ButtonText, text),
        (QPalette.ColorRole.BrightText, text),
        (QPalette.ColorRole.ToolTipBase, QColor(60, 60, 60)),
        (QPalette.ColorRole.ToolTipText, text),
        (QPalette.ColorRole.PlaceholderText, QColor(160, 160, 160)),
        (QPalette.ColorRole.Highlight, QColor(48, 120, 180)),
        (QPalette.ColorRole.HighlightedText, text),
        (QPalette.ColorRole.Link, QColor(108, 188, 240)),
    ):
        palette.setColor(role, colour)
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette
